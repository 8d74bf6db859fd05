"""Telegram Desktop's JSON export (result.json) to the same table."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import polars as pl

from pipeline.errors import ChatError
from pipeline.messages.schema import SCHEMA, Chat, Layout, people

__all__ = ["parse_telegram", "telegram_chats"]

_NO_CHAT = "There is no chat in this JSON file: export it from Telegram Desktop, as machine-readable JSON."
_MEDIA = {
    "voice_message": "audio", "audio_file": "audio", "video_message": "video_note", "video_file": "video",
    "animation": "gif", "sticker": "sticker",
}  # fmt: skip
_NOT_INCLUDED = "(File not included"  # what stands for a file that the export left out
Json = dict[str, Any]


def telegram_chats(data: bytes | bytearray) -> list[str]:
    """The names of the chats in an export, one or all of an account."""
    return [str(chat.get("name") or "Telegram") for chat in _chats(_load(data))]


def parse_telegram(data: bytes | bytearray, chat: str | None = None) -> Chat:
    """One chat of a result.json; `chat` names it where the export holds several. Raises ChatError.

    Service messages (joined, pinned, ...) are system lines; a message's entities are joined to its plain text.
    """
    chats = _chats(_load(data))
    if chat is not None:
        chats = [entry for entry in chats if entry.get("name") == chat]
    if len(chats) > 1:
        raise ChatError(f"There are {len(chats)} chats in this export: choose one of them.")
    if not chats:
        raise ChatError(_NO_CHAT)
    rows = [row for entry in chats[0]["messages"] if isinstance(entry, dict) and (row := _row(entry))]
    if not rows:
        raise ChatError(_NO_CHAT)
    messages = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    evidence = ("Telegram writes its dates without doubt.",)
    layout = Layout("telegram", "2024-12-31T21:16:42", "ymd", 24, "gregorian", None, True, evidence, 0)
    name = chats[0].get("name")
    return Chat(messages, layout, str(name) if name else " & ".join(people(messages)[:2]))


def _load(data: bytes | bytearray) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ChatError("This JSON file is broken or incomplete: export the chat again.") from error


def _chats(export: Any) -> list[Json]:
    """The chats of an export of one ({"messages": ...}) or of all ({"chats": {"list": ...}})."""
    if not isinstance(export, dict):
        return []
    listed = export.get("chats")
    found = listed.get("list", []) if isinstance(listed, dict) else [export]
    return [chat for chat in found if isinstance(chat, dict) and isinstance(chat.get("messages"), list)]


def _row(entry: Json) -> tuple[Any, ...] | None:
    """One message in SCHEMA's order; None for what has no time."""
    try:
        sent_at = datetime.fromisoformat(str(entry["date"])).replace(tzinfo=None)
    except (KeyError, ValueError):
        return None
    text = _text(entry.get("text", ""))
    if entry.get("type") == "service":
        action = str(entry.get("action", ""))
        actor = str(entry.get("actor") or "")
        if action == "phone_call":
            return sent_at, actor or None, "Phone call", "call", None, False, None
        return sent_at, None, " ".join(filter(None, (actor, action.replace("_", " ")))), "system", None, False, action
    kind, detail, attachment = _kind(entry)
    sender = entry.get("from")
    # Telegram writes null for an account that was deleted.
    name = str(sender) if sender else "Deleted account"
    return sent_at, name, _described(entry, kind, text), kind, attachment, "edited" in entry, detail


def _kind(entry: Json) -> tuple[str, str | None, str | None]:
    """(kind, detail, attachment)."""
    path = entry.get("photo") or entry.get("file")
    attachment = str(path) if path and not str(path).startswith(_NOT_INCLUDED) else None
    if "poll" in entry:
        return "poll", None, None
    if "location_information" in entry:
        return "location", None, None
    if "contact_information" in entry:
        return "contact", None, None
    if "photo" in entry:
        return "media", "image", attachment
    if "file" in entry:
        return "media", _MEDIA.get(str(entry.get("media_type")), "document"), attachment
    return "text", None, None


def _described(entry: Json, kind: str, text: str) -> str:
    """The text, or the poll's question and options, or the place, or the contact's name."""
    if kind == "poll" and isinstance(entry["poll"], dict):
        poll = entry["poll"]
        answers = [str(answer.get("text", "")) for answer in poll.get("answers", []) if isinstance(answer, dict)]
        return "\n".join([str(poll.get("question", "")), *answers])
    if kind == "location" and isinstance(entry["location_information"], dict):
        place = entry["location_information"]
        return f"{place.get('latitude')},{place.get('longitude')}"
    if kind == "contact" and isinstance(entry["contact_information"], dict):
        contact = entry["contact_information"]
        return " ".join(filter(None, (str(contact.get("first_name", "")), str(contact.get("last_name", "")))))
    return text


def _text(text: Any) -> str:
    """Plain text from Telegram's text: a string, or a list of strings and entities."""
    return "".join(_pieces(text))


def _pieces(text: Any) -> Iterator[str]:
    if isinstance(text, str):
        yield text
    elif isinstance(text, dict):
        yield from _pieces(text.get("text", ""))
    elif isinstance(text, list):
        for piece in text:
            yield from _pieces(piece)
