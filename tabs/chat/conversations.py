"""The conversations with a twin, kept in the visitor's folder so that a reload finds them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from pipeline.errors import ChatError
from pipeline.prompt import Message, join_bubbles
from pipeline.runs import RunFolder
from tabs.visitor import Visitor, own_run

__all__ = ["BASE", "Talk", "content_of", "exchange_talk", "others_of", "read_talk", "write_talk"]

BASE = "base"  # the name of "the model without any training" beside the names of runs


@dataclass(frozen=True)
class Talk:
    """One conversation: when it began (which the twin is told), and its messages without the system's."""

    began_at: datetime
    messages: list[Message] = field(default_factory=list)

    def add(self, role: str, content: str) -> Talk:
        return replace(self, messages=[*self.messages, Message(role=role, content=content)])  # type: ignore[typeddict-item]

    def without_reply(self) -> Talk:
        """Back to the visitor's last message, to have it answered again."""
        messages = list(self.messages)
        while messages and messages[-1]["role"] == "assistant":
            messages.pop()
        return replace(self, messages=messages)

    def text_at(self, place: int, others: Sequence[str] = ()) -> str:
        """A message as it is changed: a line for each bubble, without the name that a group puts before it."""
        return self.messages[place]["content"].removeprefix(self._name_at(place, others))

    def changed(self, place: int, text: str, others: Sequence[str] = ()) -> Talk:
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


def content_of(visitor: Visitor, name: str, me: str | None, lines: Sequence[str]) -> str:
    """The visitor's turn as training would hold it: in a group it begins with the name of whoever they are."""
    from pipeline.dataset import user_content

    others = others_of(visitor, name)
    return user_content([(me if me in others else others[0], lines)], others) if others else join_bubbles(list(lines))


def others_of(visitor: Visitor, name: str) -> tuple[str, ...]:
    """Whom the person of the twin `name` wrote with."""
    from pipeline.dataset import read_about

    return () if name == BASE else read_about(RunFolder(own_run(visitor, name)).dataset.path)[1].others


def read_talk(visitor: Visitor, name: str) -> Talk:
    """The conversation with the twin `name`, a new one if there is none."""
    try:
        kept = json.loads((visitor.folder / "talks" / f"{name}.json").read_text(encoding="utf-8"))
        return Talk(datetime.fromisoformat(kept["began_at"]), kept["messages"])
    except (OSError, ValueError, KeyError):
        return Talk(datetime.now())


def write_talk(visitor: Visitor, name: str, talk: Talk) -> None:
    """Keep the conversation; nothing is written any more once the visitor's folder is gone."""
    if not visitor.folder.exists():
        return
    folder = visitor.folder / "talks"
    folder.mkdir(mode=0o700, exist_ok=True)
    kept = {"began_at": talk.began_at.isoformat(), "messages": talk.messages}
    (folder / f"{name}.json").write_text(json.dumps(kept, ensure_ascii=False), encoding="utf-8")


def exchange_talk(visitor: Visitor, name: str, before: Talk, after: Talk) -> bool:
    """Keep `after` where `before` is what is kept: what was changed or deleted meanwhile is not brought back."""
    if read_talk(visitor, name) != before:
        return False
    write_talk(visitor, name, after)
    return True
