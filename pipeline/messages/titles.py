"""What to call a chat: from the names that phones give to exports, else from who is in it."""

import re
from pathlib import PurePosixPath

__all__ = ["part_of", "title_of"]

# "WhatsApp Chat with Ana", "WhatsApp Chat - Ana", "Chat de WhatsApp con Ana", "Discussion WhatsApp avec Ana", ...
_EXPORT_NAME = re.compile(
    r"^(?:chat|conversa|conversación|discussion|cuộc trò chuyện|obrolan|percakapan|чат|переписка)?\s*"
    r"(?:de |do |di |na )?whatsapp[\s-]*(?:chat|sohbeti|чат)?\s*"
    r"(?:with|mit|met|con|com|avec|med|z|s|dengan|с|kanssa|cu|-|–|:)\s+(?P<who>.+)$",
    re.I,
)
_COPY = re.compile(r"\s*(?:\(\d{1,2}\)|[-_ ](?:part|teil|parte|partie)?[-_ ]?\d{1,2}|[-_ ]copy)$", re.I)


_NO_NAME = ("chat", "whatsapp chat", "whatsapp", "result", "export", "messages", "")


def title_of(*files: str, names: list[str]) -> str:
    """A chat's title: from the first of these files (the text, its archive) whose name tells, else from its people."""
    stems = [part_of(file) for file in files if file]
    for stem in stems:
        if match := _EXPORT_NAME.match(stem):
            return match["who"].strip()
    for stem in stems:
        if stem.lower().strip("_ ") not in _NO_NAME:
            return stem.strip("_ ")
    return " & ".join(names) if len(names) <= 2 else f"{names[0]}, {names[1]} and {len(names) - 2} more"


def part_of(name: str) -> str:
    """The name that all parts and copies of one export share: "chat (2).txt" and "chat-part-1.txt" are of "chat"."""
    return _COPY.sub("", PurePosixPath(name).stem)
