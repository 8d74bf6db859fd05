"""Telegram's result.json through the same table."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import ChatError
from pipeline.messages import SCHEMA, people
from pipeline.sources import chats_in, read

ENTRIES: list[dict[str, Any]] = [
    {"id": 1, "type": "service", "date": "2024-03-20T21:15:00", "actor": "Ann", "action": "create_group", "text": ""},
    {"id": 2, "type": "message", "date": "2024-03-20T21:16:42", "from": "Ann", "text": "hi 👋\nthere"},
    {"id": 3, "type": "message", "date": "2024-03-20T21:16:50", "from": "Bob", "edited": "2024-03-20T21:17:00",
     "text": ["see ", {"type": "link", "text": "https://example.org"}, " now"]},
    {"id": 4, "type": "message", "date": "2024-03-20T21:17:00", "from": "Bob",
     "photo": "photos/photo_1.jpg", "text": "cat"},
    {"id": 5, "type": "message", "date": "2024-03-20T21:17:10", "from": "Bob", "text": "",
     "media_type": "voice_message",
     "file": "(File not included. Change data exporting settings to download.)"},
    {"id": 6, "type": "message", "date": "2024-03-20T21:17:20", "from": None, "text": "old"},
    {"id": 7, "type": "message", "date": "2024-03-20T21:17:30", "from": "Ann", "text": "",
     "poll": {"question": "Where?", "answers": [{"text": "here", "voters": 1}, {"text": "there", "voters": 0}]}},
    {"id": 8, "type": "message", "date": "2024-03-20T21:17:40", "from": "Ann", "text": "",
     "location_information": {"latitude": 52.5, "longitude": 13.4}},
    {"id": 9, "type": "service", "date": "2024-03-20T21:18:00", "actor": "Bob", "action": "phone_call", "text": ""},
]  # fmt: skip


def write(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
    return path


def test_one_chat(tmp_path: Path) -> None:
    chat = read(write(tmp_path / "result.json", {"name": "Climbing", "type": "private_group", "messages": ENTRIES}))
    assert (chat.title, chat.layout.source, chat.layout.certain) == ("Climbing", "telegram", True)
    assert dict(chat.messages.schema) == SCHEMA
    assert chat.messages.select("sender", "text", "kind", "attachment", "edited").rows() == [
        (None, "Ann create group", "system", None, False),
        ("Ann", "hi 👋\nthere", "text", None, False),
        ("Bob", "see https://example.org now", "text", None, True),
        ("Bob", "cat", "media", "photos/photo_1.jpg", False),
        ("Bob", "", "media", None, False),
        ("Deleted account", "old", "text", None, False),
        ("Ann", "Where?\nhere\nthere", "poll", None, False),
        ("Ann", "52.5,13.4", "location", None, False),
        ("Bob", "Phone call", "call", None, False),
    ]
    assert chat.messages["sent_at"][1] == datetime(2024, 3, 20, 21, 16, 42)
    assert people(chat.messages)[0] == "Bob"


def test_all_chats_of_an_account(tmp_path: Path) -> None:
    chats = [{"name": "Ann", "messages": ENTRIES}, {"name": "Cy", "messages": ENTRIES[1:3]}]
    path = write(tmp_path / "result.json", {"about": "x", "chats": {"about": "y", "list": chats}})
    assert chats_in(path) == ["Ann", "Cy"]
    with pytest.raises(ChatError):
        read(path)
    assert len(read(path, chat="Cy").messages) == 2


@pytest.mark.parametrize(
    "content",
    [[], {}, {"messages": []}, {"messages": [1, None, {"date": "x"}]}, {"chats": {}}, {"chats": {"list": []}}],
)
def test_json_without_a_chat_is_refused(tmp_path: Path, content: object) -> None:
    with pytest.raises(ChatError):
        read(write(tmp_path / "result.json", content))
