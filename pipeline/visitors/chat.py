"""The chat that a visitor brought: the export as it came, what was read from it, and how it was read."""

import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import TypeAdapter

from pipeline.errors import ChatError
from pipeline.messages import Chat, Layout, people
from pipeline.store import ChatFolder, replace_text
from pipeline.visitors.visitor import Visitor, stamp

__all__ = [
    "chat_head",
    "chat_stamp",
    "discard_incoming",
    "incoming_folder",
    "load_chat",
    "receive_file",
    "replace_chat",
    "reread_chat",
    "save_chat",
    "source_file",
    "waiting_file",
]

FORMAT = 1  # of what is kept of a chat; one of another version is brought again
SHOWN_PEOPLE = 50


def incoming_folder(visitor: Visitor) -> Path:
    """An empty folder for an export that is not read yet."""
    folder = visitor.files.incoming
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    return folder


def receive_file(visitor: Visitor, path: Path) -> Path:
    """Move an uploaded file into an empty `incoming_folder`. Raises ChatError where it is not there whole."""
    try:
        return Path(shutil.move(path, incoming_folder(visitor) / path.name))
    except OSError:
        raise ChatError("The upload did not arrive whole: choose the file again.") from None


def discard_incoming(visitor: Visitor) -> None:
    """Delete an export that could not be read."""
    shutil.rmtree(visitor.files.incoming, ignore_errors=True)


def waiting_file(visitor: Visitor) -> Path | None:
    """The export that waits to be read; None where none does."""
    return min(visitor.files.incoming.glob("*"), default=None)


def source_file(visitor: Visitor) -> Path | None:
    """The export that the chat was read from; None where there is no chat."""
    return min(_folder(visitor).source.glob("*"), default=None)


def replace_chat(visitor: Visitor, chat: Chat, incoming: Path) -> None:
    """Keep a chat read from a file of `incoming_folder` in place of the one before, whose dataset goes."""
    shutil.rmtree(_folder(visitor).path, ignore_errors=True)
    shutil.rmtree(visitor.dataset, ignore_errors=True)
    save_chat(visitor, chat)
    incoming.parent.rename(_folder(visitor).source)


def reread_chat(visitor: Visitor, chat: Chat) -> None:
    """Keep the same chat read or named otherwise; the dataset made of the earlier reading goes."""
    shutil.rmtree(visitor.dataset, ignore_errors=True)
    save_chat(visitor, chat)


def save_chat(visitor: Visitor, chat: Chat) -> None:
    """Keep a chat, read or changed anew."""
    folder = _folder(visitor)
    folder.path.mkdir(mode=0o700, exist_ok=True)
    chat.messages.write_parquet(folder.messages)
    layout = TypeAdapter(type(chat.layout)).dump_python(chat.layout, mode="json")
    about = {"format": FORMAT, "title": chat.title, "layout": layout, "head": _head(chat)}
    replace_text(folder.about, json.dumps(about))


def load_chat(visitor: Visitor) -> Chat | None:
    """The visitor's chat, or None if there is none."""
    about = _about(visitor)
    try:
        messages = pl.read_parquet(_folder(visitor).messages)
    except OSError:
        return None
    if about is None:
        return None
    return Chat(messages=messages, layout=TypeAdapter(Layout).validate_python(about["layout"]), title=about["title"])


def chat_head(visitor: Visitor) -> dict[str, Any] | None:
    """The loaded chat in short, without reading its messages: title, people (most first), messages, days."""
    about = _about(visitor)
    return None if about is None else {"title": about["title"], **about["head"]}


def chat_stamp(visitor: Visitor) -> str:
    """A string that changes when the chat does; "" where there is none."""
    return stamp(_folder(visitor).about)


def _folder(visitor: Visitor) -> ChatFolder:
    return ChatFolder(visitor.files.chat)


def _about(visitor: Visitor) -> dict[str, Any] | None:
    try:
        about = json.loads(_folder(visitor).about.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return about if isinstance(about, dict) and about.get("format", FORMAT) == FORMAT else None


def _head(chat: Chat) -> dict[str, Any]:
    """What the header says of a chat."""
    first, last = chat.messages["sent_at"].min(), chat.messages["sent_at"].max()
    days = (last.date() - first.date()).days + 1 if first is not None else 0  # type: ignore[union-attr]
    return {"people": people(chat.messages)[:SHOWN_PEOPLE], "messages": chat.messages["sender"].count(), "days": days}
