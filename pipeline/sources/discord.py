"""Discord's channels and direct messages, as DiscordChatExporter writes them in JSON (github.com/Tyrrrz)."""

import re
from datetime import datetime
from typing import Any

import polars as pl

from pipeline.errors import ChatError
from pipeline.messages import SCHEMA, Chat, Layout
from pipeline.progress import SILENT, Progress
from pipeline.sources.archives import Text
from pipeline.sources.jsons import Json, dicts, load_json, sort_of_file, text_of
from pipeline.sources.source import Bytes, Evidence, Source

__all__ = ["SOURCE"]

_SAID = ("Default", "Reply", "0", "19")  # types of what people write; older versions have numbers


def recognises(start: str, name: str) -> Evidence | None:
    """By the head that every such file has."""
    if not start.lstrip().startswith("{") or not re.search(r'"guild"\s*:\s*\{', start):
        return None
    return Evidence(0.95, "it has guild and channel") if re.search(r'"channel"\s*:\s*\{', start) else None


def chats(text: Text) -> list[str]:
    """None: a file is one channel."""
    return []


def parse(data: Bytes, *, chat: str | None = None, date_order: str | None = None, progress: Progress = SILENT) -> Chat:
    """The messages of one channel, in the time zone that the export was made in; bots are people here."""
    export = load_json(data)
    rows = [row for entry in dicts(export.get("messages")) if (row := _row(entry))] if isinstance(export, dict) else []
    if not rows:
        raise ChatError("There is no message in this file: export the channel with DiscordChatExporter, as JSON.")
    layout = Layout("discord", certain=True, evidence=("Discord's dates are written without doubt.",))
    channel = export.get("channel")
    title = text_of(channel.get("name")) if isinstance(channel, dict) else ""
    return Chat(pl.DataFrame(rows, schema=SCHEMA, orient="row"), layout, title)


def _row(entry: Json) -> tuple[Any, ...] | None:
    """One message in SCHEMA's order; None for what has no time."""
    try:
        sent_at = datetime.fromisoformat(text_of(entry.get("timestamp"))).replace(tzinfo=None)
    except ValueError:
        return None
    author = entry["author"] if isinstance(entry.get("author"), dict) else {}
    sender = text_of(author.get("nickname")) or text_of(author.get("name")) or "Deleted account"
    text, kind = text_of(entry.get("content")), str(entry.get("type", "Default"))
    edited = bool(entry.get("timestampEdited"))
    if kind == "Call":
        return sent_at, sender, text, "call", None, False, None
    if kind not in _SAID:
        return sent_at, None, " ".join(filter(None, (sender, text))), "system", None, False, None
    if files := dicts(entry.get("attachments")):
        file = text_of(files[0].get("fileName"))
        return sent_at, sender, text, "media", file or None, edited, sort_of_file(file)
    if dicts(entry.get("stickers")):
        return sent_at, sender, text, "media", None, edited, "sticker"
    return sent_at, sender, text, "text", None, edited, None


SOURCE = Source(
    name="discord",
    app="Discord",
    endings=(".json",),
    export="DiscordChatExporter's JSON",
    recognises=recognises,
    chats=chats,
    parse=parse,
)
