"""Telegram Desktop's JSON export (result.json) to the same table."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import polars as pl

from pipeline.errors import ChatError
from pipeline.messages import SCHEMA, Chat, Layout, people
from pipeline.progress import SILENT, Progress
from pipeline.sources.archives import Text, load, peek
from pipeline.sources.jsons import Json, load_json
from pipeline.sources.source import Bytes, Evidence, Source

__all__ = ["SOURCE"]

_NO_CHAT = "There is no chat in this JSON file: export it from Telegram Desktop, as machine-readable JSON."
_MEDIA = {
    "voice_message": "audio", "audio_file": "audio", "video_message": "video_note", "video_file": "video",
    "animation": "gif", "sticker": "sticker",
}  # fmt: skip
_NOT_INCLUDED = "(File not included"  # what stands for a file that the export left out
# Keys and values of an export that no other app's has: core.telegram.org/import-export.
_KEYS = re.compile(
    r'"(?:from_id|actor_id|date_unixtime|text_entities)"\s*:'
    r'|"type"\s*:\s*"(?:personal_chat|bot_chat|saved_messages|private_\w+|public_\w+|service)"'
    r'|"about"\s*:\s*"[^"]*Telegram'
)


def recognises(start: str, name: str) -> Evidence | None:
    """By the keys that only Telegram writes, at the start of the export of one chat or of an account."""
    if not start.lstrip().startswith("{") or not re.search(r'"(?:messages|chats)"\s*:|"about"\s*:.*Telegram', start):
        return None
    told = _KEYS.search(start)
    return Evidence(0.9, f"it has {told[0]}") if told else Evidence(0.2, "it is JSON with messages")


def chats(text: Text) -> list[str]:
    """The names of the chats in the export of an account; none in that of one chat."""
    if not re.search(r'"(?:chats|about)"\s*:', peek(text)):
        return []
    return list(_named(load_json(load(text))))


def parse(data: Bytes, *, chat: str | None = None, date_order: str | None = None, progress: Progress = SILENT) -> Chat:
    """One chat of a result.json.

    Service messages (joined, pinned, ...) are system lines; a message's entities are joined to its plain text. A
    picture's text is its caption and nothing else.
    """
    found = [entry for name, entry in _named(load_json(data)).items() if chat is None or name == chat]
    if len(found) > 1:
        raise ChatError(f"There are {len(found)} chats in this export: choose one of them.")
    rows = [row for entry in found for line in entry["messages"] if isinstance(line, dict) and (row := _row(line))]
    if not rows:
        raise ChatError(_NO_CHAT)
    messages = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    layout = Layout("telegram", certain=True, evidence=("Telegram writes its dates without doubt.",))
    return Chat(messages, layout, str(found[0].get("name") or "") or " & ".join(people(messages)[:2]))


def _named(export: Any) -> dict[str, Json]:
    """The chats of an export by their names; the second of a name has its number behind it."""
    named: dict[str, Json] = {}
    for chat in _chats(export):
        name = str(chat.get("name") or "Telegram")
        same = sum(other == name or other.startswith(f"{name} (") for other in named)
        named[f"{name} ({same + 1})" if same else name] = chat
    return named


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


SOURCE = Source(
    name="telegram",
    app="Telegram",
    endings=(".json",),
    export="Telegram Desktop's result.json",
    recognises=recognises,
    chats=chats,
    parse=parse,
)
