"""A conversation with a twin: its messages, how one of them is changed, and how it is kept in a visitor's folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from pipeline.errors import ChatError
from pipeline.prompt import Message, join_bubbles
from pipeline.store import VisitorFolder, replace_text

__all__ = [
    "BASE",
    "Conversation",
    "delete_conversation",
    "exchange_conversation",
    "read_conversation",
    "user_turn",
    "write_conversation",
]

BASE = "base"  # the name of "the model without any training" beside the names of runs


@dataclass(frozen=True)
class Conversation:
    """When it began (which the twin is told), and its messages without the system's."""

    began_at: datetime
    messages: list[Message] = field(default_factory=list)

    def add(self, role: str, content: str) -> Conversation:
        return replace(self, messages=[*self.messages, Message(role=role, content=content)])  # type: ignore[typeddict-item]

    def without_reply(self) -> Conversation:
        """Back to the visitor's last message, to have it answered again."""
        messages = list(self.messages)
        while messages and messages[-1]["role"] == "assistant":
            messages.pop()
        return replace(self, messages=messages)

    def text_at(self, place: int, others: Sequence[str] = ()) -> str:
        """A message as it is changed: a line for each bubble, without the name that a group puts before it."""
        return self.messages[place]["content"].removeprefix(self._name_at(place, others))

    def changed(self, place: int, text: str, others: Sequence[str] = ()) -> Conversation:
        """A message with other words, and nothing of what came after it. Raises ChatError where none are left."""
        lines = [line.strip() for line in text.replace("\r", "").split("\n")]
        content = "\n".join(filter(None, lines))
        if not content:
            raise ChatError("There must be something left of a message: write it anew, or cancel.")
        message = Message(role=self.messages[place]["role"], content=self._name_at(place, others) + content)
        return replace(self, messages=[*self.messages[:place], message])

    def _name_at(self, place: int, others: Sequence[str]) -> str:
        message = self.messages[place]
        names = [f"{other}: " for other in others] if len(others) > 1 and message["role"] == "user" else []
        return next((name for name in names if message["content"].startswith(name)), "")


def user_turn(others: Sequence[str], me: str | None, lines: Sequence[str]) -> str:
    """A turn as training would hold it: in a group of `others` it begins with the name of whoever `me` is."""
    from pipeline.dataset import user_content

    if not others:
        return join_bubbles(list(lines))
    return user_content([(me if me is not None and me in others else others[0], lines)], others)


def read_conversation(folder: Path, name: str) -> Conversation:
    """The conversation with the twin `name` in a visitor's folder, a new one if there is none."""
    try:
        kept = json.loads(_path(folder, name).read_text(encoding="utf-8"))
        return Conversation(datetime.fromisoformat(kept["began_at"]), kept["messages"])
    except (OSError, ValueError, KeyError):
        return Conversation(datetime.now())


def write_conversation(folder: Path, name: str, conversation: Conversation) -> None:
    """Keep the conversation; nothing is written any more once the visitor's folder is gone."""
    if not folder.exists():
        return
    path = _path(folder, name)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    kept = {"began_at": conversation.began_at.isoformat(), "messages": conversation.messages}
    replace_text(path, json.dumps(kept, ensure_ascii=False))


def exchange_conversation(folder: Path, name: str, before: Conversation, after: Conversation) -> bool:
    """Keep `after` where `before` is what is kept: what was changed or deleted meanwhile is not brought back."""
    if read_conversation(folder, name) != before:
        return False
    write_conversation(folder, name, after)
    return True


def delete_conversation(folder: Path, name: str) -> None:
    """Forget the conversation with the twin `name`, if there is one."""
    _path(folder, name).unlink(missing_ok=True)


def _path(folder: Path, name: str) -> Path:
    return VisitorFolder(folder).conversations / f"{name}.json"
