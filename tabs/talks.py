"""The conversations with a twin, kept in the visitor's folder so that a reload finds them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from pipeline.prompt import Message, join_bubbles, split_bubbles
from tabs.visitor import Visitor, own_run

__all__ = ["BASE", "Talk", "content_of", "others_of", "read_talk", "write_talk"]

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

    def take_back(self, others: Sequence[str] = ()) -> tuple[Talk, str | None]:
        """Back to before the visitor's last message, and what it said; None where they have said nothing.

        others: in a group, the names of whom one of stands before what was said.
        """
        talk = self.without_reply()
        if not talk.messages:
            return self, None
        lines = split_bubbles(talk.messages[-1]["content"])
        name = next((other for other in others if len(others) > 1 and lines[0].startswith(f"{other}: ")), None)
        if name:
            lines[0] = lines[0].removeprefix(f"{name}: ")
        return replace(talk, messages=talk.messages[:-1]), "\n".join(lines)


def content_of(visitor: Visitor, name: str, me: str | None, lines: Sequence[str]) -> str:
    """The visitor's turn as training would hold it: in a group it begins with the name of whoever they are."""
    from pipeline.dataset import user_content

    others = others_of(visitor, name)
    return user_content([(me if me in others else others[0], lines)], others) if others else join_bubbles(list(lines))


def others_of(visitor: Visitor, name: str) -> tuple[str, ...]:
    """Whom the person of the twin `name` wrote with."""
    from pipeline.dataset import read_about

    return () if name == BASE else read_about(own_run(visitor, name) / "dataset")[1].others


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
