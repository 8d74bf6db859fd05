"""Masking a chat: consistent, in place, with a table of what was changed."""

from datetime import datetime, timedelta

import polars as pl
import pytest

from pipeline.messages import SCHEMA
from pipeline.redact import RedactionConfig, mask_text, redact, search_messages, suggest_aliases


def chat(*lines):
    start = datetime(2024, 3, 4)
    rows = [
        (start + timedelta(minutes=i), who, text, "text", "a.jpg", False, None) for i, (who, text) in enumerate(lines)
    ]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def test_the_same_thing_gets_the_same_placeholder():
    messages = chat(("Ann", "+49 170 1234567"), ("Bob", "0170/1234567 or a@b.com"), ("Ann", "A@B.com?"))
    redacted = redact(messages, RedactionConfig(countries=("DE",)))
    assert redacted.messages["text"].to_list() == ["[phone 1]", "[phone 1] or [email 1]", "[email 1]?"]
    assert redacted.found.sort("original").rows() == [
        ("phone", "+49 170 1234567", "[phone 1]", 1),
        ("phone", "0170/1234567", "[phone 1]", 1),
        ("email", "A@B.com", "[email 1]", 1),
        ("email", "a@b.com", "[email 1]", 1),
    ]


def test_nothing_is_left_out_or_moved():
    messages = chat(("Ann", "a@b.com"), (None, "Ann added +49 170 1234567"), ("Bob", "hi"))
    masked = redact(messages, RedactionConfig()).messages
    assert masked.height == messages.height
    assert masked.schema == messages.schema
    assert masked["sent_at"].equals(messages["sent_at"])
    assert masked["text"][1] == "Ann added [phone 1]"
    assert masked["attachment"].null_count() == 3


def test_people_become_their_aliases_as_senders_and_in_words():
    messages = chat(("Ann Lee", "hi bob"), ("Bob Lee", "hey ANN, Anna is here"), ("Will", "I will ask Bob"))
    aliases = {"Ann Lee": "Robin", "Bob Lee": "Kim", "Will": "Toni"}
    masked = redact(messages, RedactionConfig(aliases=aliases)).messages
    assert masked["sender"].to_list() == ["Robin", "Kim", "Toni"]
    assert masked["text"].to_list() == ["hi bob", "hey Robin, Anna is here", "I will ask Kim"]


def test_the_users_words_are_masked_in_any_case_and_as_words():
    messages = chat(("Ann", "the Old  Mill is old, mills are not"))
    masked = redact(messages, RedactionConfig(words=("old mill", "  "))).messages
    assert masked["text"][0] == "the [word 1] is old, mills are not"


def test_aliases_are_suggested_for_everyone_and_are_nobodys_name():
    messages = chat(("Alex M", "a"), ("Alex M", "b"), ("Bob", "c"), *[(f"p{i}", "x") for i in range(40)])
    aliases = suggest_aliases(messages)
    assert set(aliases) == set(messages["sender"])
    assert len(set(aliases.values())) == len(aliases)
    assert "Alex" not in aliases.values()


def test_the_search_finds_what_was_missed_taken_literally():
    messages = chat(("Ann", "at the Hospital (east)"), ("Bob", "ok"))
    assert search_messages(messages, "hospital (")["text"].to_list() == ["at the Hospital (east)"]
    assert search_messages(messages, " ").height == 0


def test_a_text_beside_the_chat_is_masked_too():
    assert (
        mask_text("You are Ann, +49 170 1234567", RedactionConfig(aliases={"Ann": "Robin"}))
        == "You are Robin, [phone 1]"
    )


def test_a_config_with_unknown_kinds_is_refused():
    with pytest.raises(ValueError, match="kinds"):
        RedactionConfig(kinds=("dna",))
