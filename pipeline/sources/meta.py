"""Instagram's and Messenger's account downloads: message_1.json, message_2.json, ... in a folder for each chat.

The keys are those of Meta's "Download your information" in JSON. Its texts are UTF-8 that was read as Latin-1 and
encoded again; its messages stand newest first; its times are UTC.
"""

import re
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from pipeline.errors import ChatError
from pipeline.messages import SCHEMA, Chat, Layout
from pipeline.progress import SILENT, Progress
from pipeline.sources.archives import Text, load, peek
from pipeline.sources.jsons import Json, dicts, load_json, text_of
from pipeline.sources.source import Bytes, Evidence, Source

__all__ = ["SOURCE"]

_EPOCH = datetime(1970, 1, 1)
_LATEST = 4_102_444_800_000  # milliseconds; the year 2100
_FILES = {"photos": "image", "videos": "video", "audio_files": "audio", "gifs": "gif", "files": "document"}
# What the app writes as if somebody had: reactions and, behind their name, what they did to the chat.
_REACTION = re.compile(r"(?:Reacted .{1,60} to (?:your|their) message|Liked a message)\.?\s*")
_SENT = re.compile(r".{1,80} sent (?:an attachment|a photo|a video|a voice message|a GIF|a sticker)\.")
_DID = re.compile(
    r"(?:named the group|changed the (?:group|chat|theme)|set (?:the|your|their|his|her) (?:nickname|emoji|quick)|"
    r"created the group|left the group|joined the (?:group|call|video)|(?:added|removed) .+ (?:to|from) the group|"
    r"started (?:a|an|sharing)|missed (?:a|your) (?:video |audio |voice )?(?:call|chat)|pinned a message|"
    r"turned (?:on|off) )"
)


def recognises(start: str, name: str) -> Evidence | None:
    """By the two keys that every such file begins with."""
    if not start.lstrip().startswith("{") or not re.search(r'"participants"\s*:', start):
        return None
    return Evidence(0.95, "it has participants and sender_name") if re.search(r'"sender_name"\s*:', start) else None


def chats(text: Text) -> list[str]:
    """The chat's title, which the file tells at its end."""
    found = load_json(load(text)) if peek(text) else None
    return [_title(found)] if isinstance(found, dict) else []


def parse(data: Bytes, *, chat: str | None = None, date_order: str | None = None, progress: Progress = SILENT) -> Chat:
    """The messages of one file, oldest first; reactions are no messages."""
    export = load_json(data)
    entries = dicts(export.get("messages")) if isinstance(export, dict) else []
    rows = [row for entry in reversed(entries) if (row := _row(entry))]
    if not rows:
        raise ChatError("There is no message in this file: ask Instagram or Messenger for your messages as JSON.")
    layout = Layout("meta", certain=True, evidence=("Instagram and Messenger write their times in UTC.",))
    return Chat(pl.DataFrame(rows, schema=SCHEMA, orient="row"), layout, _title(export))


def _title(export: Json) -> str:
    names = [_mended(person.get("name")) for person in dicts(export.get("participants"))]
    return _mended(export.get("title")) or " & ".join(names[:2]) or "Instagram"


def _row(entry: Json) -> tuple[Any, ...] | None:
    """One message in SCHEMA's order; None for what has no time, and for the echo of a reaction."""
    stamp = entry.get("timestamp_ms")
    if not isinstance(stamp, int) or isinstance(stamp, bool) or not 0 <= stamp < _LATEST:
        return None
    sent_at = _EPOCH + timedelta(milliseconds=stamp)
    sender, text = _mended(entry.get("sender_name")) or "Deleted account", _mended(entry.get("content"))
    if entry.get("is_unsent"):
        return sent_at, sender, "", "deleted", None, False, None
    if entry.get("type") == "Call" or "call_duration" in entry:
        return sent_at, sender, text, "call", None, False, None
    if _REACTION.fullmatch(text):
        return None
    for key, sort in _FILES.items():
        if files := dicts(entry.get(key)):
            return sent_at, sender, _caption(text), "media", _mended(files[0].get("uri")) or None, False, sort
    if isinstance(sticker := entry.get("sticker"), dict):
        return sent_at, sender, _caption(text), "media", _mended(sticker.get("uri")) or None, False, "sticker"
    if isinstance(share := entry.get("share"), dict):
        said = [_caption(text), _mended(share.get("link"))]
        return sent_at, sender, "\n".join(filter(None, said)), "text", None, False, None
    did = text.removeprefix(f"{sender} ") if text.startswith(f"{sender} ") else text.removeprefix("You ")
    if entry.get("type") in ("Subscribe", "Unsubscribe") or (did != text and _DID.match(did)):
        return sent_at, None, text, "system", None, False, None
    return (sent_at, sender, text, "text", None, False, None) if text else None


def _caption(text: str) -> str:
    """What was written with a file or a link, without the app's sentence that there is one."""
    return "" if _SENT.fullmatch(text) else text


def _mended(value: Any) -> str:
    """A text as it was written: its characters are the bytes of its UTF-8."""
    text = text_of(value)
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:  # newer downloads have some texts right
        return text


SOURCE = Source(
    name="meta",
    app="Instagram or Messenger",
    endings=(".json",),
    export="Instagram's or Messenger's JSON",
    recognises=recognises,
    chats=chats,
    parse=parse,
)
