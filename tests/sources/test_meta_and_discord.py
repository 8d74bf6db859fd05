"""Instagram's and Messenger's account download, and Discord's export, through the same table."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import ChatError
from pipeline.messages import SCHEMA, captions
from pipeline.sources import chats_in, read
from pipeline.sources.registry import SOURCES
from tests.sources.test_archives import archive

COLUMNS = ("sender", "text", "kind", "attachment", "edited", "detail")
NOON = datetime(2024, 3, 20, 12)


def twice(text: str) -> str:
    """As Meta writes it: every byte of its UTF-8 a character."""
    return text.encode().decode("latin-1")


def meta(*entries: dict[str, Any], title: str = "Zoë") -> str:
    """A message_N.json of these messages, a second apart, oldest first here and newest first there."""
    start = round((NOON - datetime(1970, 1, 1)).total_seconds() * 1000)
    messages = [{"sender_name": twice("Zoë"), "timestamp_ms": start + 1000 * i} | e for i, e in enumerate(entries)]
    people = [{"name": twice("Zoë")}, {"name": "Bob"}]
    return json.dumps({"participants": people, "messages": messages[::-1], "title": twice(title)})


def discord(*entries: dict[str, Any]) -> str:
    """A channel of these messages, a second apart."""
    messages = [
        {
            "type": "Default", "timestamp": (NOON + timedelta(seconds=i)).isoformat() + ".25+01:00",
            "timestampEdited": None, "content": "", "author": {"name": "zoe", "nickname": "Zoë"},
        } | entry
        for i, entry in enumerate(entries)
    ]  # fmt: skip
    return json.dumps({"guild": {"name": "Home"}, "channel": {"name": "general"}, "messages": messages})


def rows(tmp_path: Path, content: str) -> list[tuple]:
    path = tmp_path / "export.json"
    path.write_text(content)
    chat = read(path)
    assert dict(chat.messages.schema) == SCHEMA
    return chat.messages.select(COLUMNS).rows()


def test_what_instagram_and_messenger_write(tmp_path):
    uri = "messages/inbox/zoe_1/photos/1.jpg"
    found = rows(
        tmp_path,
        meta(
            {"content": twice("grüße 👋\nda"), "reactions": [{"reaction": twice("❤"), "actor": "Bob"}]},
            {"sender_name": "Bob", "content": twice("Reacted ❤️ to your message ")},
            {"sender_name": "Bob", "content": "Bob sent a photo.", "photos": [{"uri": uri}]},
            {"content": twice("Zoë sent an attachment."), "share": {"link": "https://example.org", "share_text": "x"}},
            {"content": "you missed a call", "call_duration": 0},
            {"content": twice("Zoë named the group Trip.")},
            {"content": twice("Zoë named the cat Tom.")},
            {"is_unsent": True},
            {"sticker": {"uri": "s.png"}},
            {"audio_files": [{"uri": "a.mp4"}]},
            {"sender_name": ""},
        ),
    )
    assert found == [
        ("Zoë", "grüße 👋\nda", "text", None, False, None),
        ("Bob", "", "media", uri, False, "image"),
        ("Zoë", "https://example.org", "text", None, False, None),
        ("Zoë", "you missed a call", "call", None, False, None),
        (None, "Zoë named the group Trip.", "system", None, False, None),
        ("Zoë", "Zoë named the cat Tom.", "text", None, False, None),
        ("Zoë", "", "deleted", None, False, None),
        ("Zoë", "", "media", "s.png", False, "sticker"),
        ("Zoë", "", "media", "a.mp4", False, "audio"),
    ]


def test_the_parts_of_a_chat_are_one_and_two_people_of_one_name_are_two(tmp_path):
    path = archive(
        tmp_path / "instagram.zip",
        {
            "inbox/zoe_1/message_1.json": meta({"content": "b"}),
            "inbox/zoe_1/message_2.json": meta({"content": "a"}).replace("17109", "17108"),
            "inbox/zoe_2/message_1.json": meta({"content": "c"}),
            "ads/advertisers.json": "{}",
        },
    )
    assert chats_in(path) == ["Zoë", "Zoë (zoe_2)"]
    assert read(path, chat="Zoë").messages["text"].to_list() == ["a", "b"]
    assert read(path, chat="Zoë (zoe_2)").messages["text"].to_list() == ["c"]


def test_what_discord_writes(tmp_path):
    found = rows(
        tmp_path,
        discord(
            {"content": "hi 👋", "reactions": [{"emoji": {"name": "x"}, "count": 2}]},
            {"content": "yes", "type": "Reply", "timestampEdited": "2024-03-20T13:00:00+01:00"},
            {"content": "look", "attachments": [{"url": "https://cdn.example/1.PNG", "fileName": "1.PNG"}]},
            {"type": "ChannelPinnedMessage", "content": "Pinned a message."},
            {"type": "Call", "content": "Started a call."},
            {"stickers": [{"name": "wave"}]},
            {"author": {"name": "bob"}, "content": "ok"},
        ),
    )
    assert found == [
        ("Zoë", "hi 👋", "text", None, False, None),
        ("Zoë", "yes", "text", None, True, None),
        ("Zoë", "look", "media", "1.PNG", False, "image"),
        (None, "Zoë Pinned a message.", "system", None, False, None),
        ("Zoë", "Started a call.", "call", None, False, None),
        ("Zoë", "", "media", None, False, "sticker"),
        ("bob", "ok", "text", None, False, None),
    ]
    messages = read(tmp_path / "export.json").messages
    assert messages["sent_at"][0] == NOON + timedelta(milliseconds=250)
    assert captions(messages).to_list() == [None, None, "look", None, None, None, None]


said = st.lists(
    st.tuples(st.sampled_from(["Zoë", "Bob"]), st.text(st.characters(exclude_categories=["Cs"]), min_size=1)),
    min_size=1, max_size=20,
)  # fmt: skip


@settings(max_examples=60)
@given(said)
def test_written_and_read_back(lines):
    """Whatever people write is read as they wrote it."""
    by_name = {source.name: source for source in SOURCES}
    lines = [(who, text) for who, text in lines if not text.startswith((who, "Reacted", "Liked", "You "))] or [
        ("Bob", "a")
    ]
    written = meta(*({"sender_name": twice(who), "content": twice(text)} for who, text in lines))
    assert by_name["meta"].parse(written.encode()).messages.select("sender", "text").rows() == lines
    written = discord(*({"author": {"nickname": who}, "content": text} for who, text in lines))
    assert by_name["discord"].parse(written.encode()).messages.select("sender", "text").rows() == lines


scalar = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
value = st.recursive(scalar, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner))
KEYS = [
    "messages", "participants", "name", "title", "sender_name", "timestamp_ms", "content", "photos", "share", "sticker",
    "type", "timestamp", "author", "attachments", "stickers", "channel", "is_unsent", "date", "from", "text", "chats",
    "list",
]  # fmt: skip


@settings(max_examples=100)
@given(st.dictionaries(st.sampled_from(KEYS), value), st.sampled_from(KEYS), value, st.data())
def test_json_of_any_shape_is_read_or_refused(entry, key, other, data):
    export = {"messages": [entry, other, {**entry, key: other}], key: other}
    texts = [json.dumps(export), json.dumps({**export, "messages": [entry]}), meta({key: other}), discord({key: other})]
    text = data.draw(st.sampled_from(texts)).encode()
    cut = data.draw(st.integers(0, len(text)))
    for source in SOURCES:
        for content in (text, text[:cut], text[:cut] + b"\xff" + text[cut:], b"[" * 100_000):
            try:
                source.parse(content.decode("utf-8", "replace").encode())
            except ChatError:
                continue


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"null", b"{", b'{"messages": [{}]}', b"[" * 100_000])
def test_what_holds_no_message_is_refused_in_a_sentence(source, content):
    with pytest.raises(ChatError) as caught:
        source.parse(content)
    assert str(caught.value)[0].isupper()
    assert str(caught.value).endswith(".")
