"""parse(): one table whatever the phone, the language and the tricks in the messages."""

from datetime import datetime

import pytest

from pipeline.errors import ChatError
from pipeline.messages import KINDS, SCHEMA, people
from pipeline.sources import parse

IOS = (
    "[20.03.24, 21:16:42] Ana & Bo: \u200eMessages and calls are end-to-end encrypted.\r\n"
    "[20.03.24, 21:16:50] Ana: Hello\nsecond line\n\nfourth\r\n"
    "\u200e[20.03.24, 21:17:01] Bo: \u200eimage omitted\r\n"
)
ANDROID = "20/03/2024, 21:16 - Ana created group “X: y”\n20/03/2024, 21:17 - Ana: I left: bye\n"


def test_ios_records_end_in_crlf_and_keep_their_inner_lines() -> None:
    messages, layout = parse(IOS)
    assert messages.select("sent_at", "sender", "text", "kind").rows() == [
        (datetime(2024, 3, 20, 21, 16, 42), None, "Messages and calls are end-to-end encrypted.", "system"),
        (datetime(2024, 3, 20, 21, 16, 50), "Ana", "Hello\nsecond line\n\nfourth", "text"),
        (datetime(2024, 3, 20, 21, 17, 1), "Bo", "image omitted", "media"),
    ]
    assert (layout.date_order, layout.certain, layout.clock) == ("dmy", True, 24)


def test_android_system_lines_have_no_sender_even_with_a_colon() -> None:
    messages, _ = parse(ANDROID)
    assert messages.select("sender", "text", "kind").rows() == [
        (None, "Ana created group “X: y”", "system"),
        ("Ana", "I left: bye", "text"),
    ]


def test_the_table_keeps_its_schema() -> None:
    messages, _ = parse(IOS)
    assert dict(messages.schema) == SCHEMA
    assert set(messages["kind"].to_list()) <= set(KINDS)
    assert people(messages) == ["Ana", "Bo"]


@pytest.mark.parametrize(
    "text", ["", "\n\n", "hello", "12/03/24 hello\nworld", "\x00\x01", "[[[[", "31/02/2024, 10:00 - A: b"]
)
def test_a_text_without_a_chat_is_refused(text: str) -> None:
    with pytest.raises(ChatError):
        parse(text)


@pytest.mark.parametrize("text", [IOS * 30, ANDROID * 30])
def test_a_large_file_is_read_in_blocks_as_a_small_one_is(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.sources.whatsapp import names, scan, strings

    text += text.replace("Ana", "Zoë")
    whole, _ = parse(text)
    for bytes_, rows in ((40, 1), (99, 3), (1000, 7)):
        monkeypatch.setattr(scan, "_BLOCK", bytes_)
        monkeypatch.setattr(names, "_BLOCK", rows)
        monkeypatch.setattr(strings, "_BLOCK", rows)
        in_blocks, _ = parse(text)
        assert in_blocks.equals(whole)
