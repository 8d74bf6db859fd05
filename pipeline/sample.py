"""The sample chat: a real one, of two friends, as a phone would export it.

All 22 conversations of one pair from BYU-PCCL's `chitchat-dataset` (MIT). Please cite Myers, Etchart, Fulda (2020),
"Conversational Scaffolding: An Analogy-Based Approach to Response Prioritization in Open-Domain Dialogs".
"""

import hashlib
import re
from datetime import datetime
from pathlib import Path

__all__ = ["CREDIT", "FILE_NAME", "PERSON", "TITLE", "sample_text", "write_sample"]

TITLE = "Noah & Ryan"
PERSON = "Noah"
FILE_NAME = "_chat.txt"
CREDIT = (
    "A real chat of two friends who took part in BYU's Chit Chat Challenge of 2018 (chitchat-dataset, MIT licence). "
    "The names are invented."
)

_PEOPLE = {"55ec6f39-b2b3-4a6b-9e17-9d38c9fe95f0": "Ryan", "afe2b8b4-deb6-4f94-849b-8cc59a6140bd": "Noah"}
_NOTICE = (
    "\u200eMessages and calls are end-to-end encrypted. No one outside of this chat, not even WhatsApp, "
    "can read or listen to them."
)
# First names of people in the chat, by a hash of the lower-cased word, so that they are not spelled out here too.
_ALIASES = {
    "77386c1bcd01": "man",
    "c35d6aaf3b38": "peter",
    "44d627977648": "hollis",
    "0357513deb90": "carl",
    "fa9e5b754f07": "benson",
    "7401b1cd29cd": "clara",
    "9611d66d2d18": "owen",
    "bb44bf07cf9a": "dean",
    "917bf775a148": "bianca",
    "b258f8614815": "ryan",
    "4f31fa50e5bd": "noah",
    "738687b7e597": "vianca",
    "c7c1319276e9": "evan",
    "68be7550846e": "andrew",
    "312619d858b0": "stone",
}


def sample_text() -> str:
    """The sample as the text of an iOS export: 2,866 messages after the encryption notice, one line each."""
    lines = [(sent_at, person, text) for conversation in _conversations() for sent_at, person, text in conversation]
    first = lines[0][0]
    header = "[{:%d.%m.%y, %H:%M:%S}] {}: {}\n".format
    notice = header(first, "Ryan", _NOTICE)
    return notice + "".join(header(sent_at, person, _with_aliases(text)) for sent_at, person, text in lines)


def write_sample(directory: Path) -> Path:
    """Write the sample export into `directory`, named as iOS names it, and return its path."""
    path = directory / FILE_NAME
    path.write_text(sample_text(), encoding="utf-8", newline="\n")
    return path


def _conversations() -> list[list[tuple[datetime, str, str]]]:
    from chitchat_dataset import Dataset

    pair = set(_PEOPLE)
    kept = []
    for conversation in Dataset().values():
        messages = [message for turn in conversation["messages"] for message in turn]
        if {message["sender"] for message in messages} == pair:
            kept.append(
                [
                    (datetime.fromisoformat(m["timestamp"].removesuffix("Z")), _PEOPLE[m["sender"]], m["text"])
                    for m in messages
                ]
            )
    return sorted(kept, key=lambda messages: messages[0][0])


def _with_aliases(text: str) -> str:
    def alias(word: re.Match[str]) -> str:
        name = _ALIASES.get(hashlib.sha256(word[0].lower().encode()).hexdigest()[:12])
        if name is None:
            return word[0]
        return name.capitalize() if word[0][0].isupper() else name

    return re.sub(r"[A-Za-z]+", alias, text)
