"""Starts, reply times, double texts and who answers whom, against chats with a known answer."""

from datetime import date, timedelta

import polars as pl
import pytest

from pipeline.analysis import activity, conversations, prepare
from pipeline.sample import sample_text
from pipeline.sources import parse
from pipeline.turns import build_turns
from tests.analysis.chats import TWO, chat, known

HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def two():
    return prepare(TWO, HOUR)


def test_who_starts_who_ends_and_who_writes_again(two):
    rows = known(conversations.starts(two.messages, two.turns), "person", "started", "ended", "turns", "double_texts")
    # Ben's link at 20:00 follows his own photo of the morning, Ann's "are you there" and the message of Wednesday hers.
    assert rows == [("Ann", 3, 3, 5, 2), ("Ben", 1, 1, 3, 1)]


def test_time_to_reply_runs_from_the_message_before_within_a_conversation(two):
    rows = known(conversations.reply_times(two.turns), "person", "replies", "median", "within_minute", "within_hour")
    assert rows == [("Ann", 2, 20.0, 1.0, 1.0), ("Ben", 2, 90.0, 0.5, 1.0)]


def test_reply_times_fall_into_their_bins(two):
    rows = known(conversations.reply_histogram(two.turns), "person", "label", "replies", "share")
    assert rows == [
        ("Ann", "under 30 s", 1, 0.5),
        ("Ann", "30–60 s", 1, 0.5),
        ("Ben", "1–2 min", 1, 0.5),
        ("Ben", "2–5 min", 1, 0.5),
    ]


def test_the_trend_needs_five_replies_and_counts_days_of_a_long_gap():
    day = "\n".join(f"01 10:{2 * i:02d}:00 Ann: a\n01 10:{2 * i:02d}:{10 + i} Ben: b" for i in range(5))
    few = "\n".join(f"02 10:{2 * i:02d}:00 Ann: a\n02 10:{2 * i:02d}:40 Ben: b" for i in range(4))
    turns = prepare(chat(f"{day}\n{few}"), HOUR).turns
    trend = conversations.reply_trend(turns, "day").filter(pl.col("person") == "Ben")
    assert known(trend, "start", "replies", "median") == [(date(2024, 1, 1), 5, 12.0)]


def test_a_reply_days_later_is_a_new_conversation():
    turns = prepare(chat("01 10:00 Ann: a\n04 10:00:05 Ben: b"), HOUR).turns
    assert turns["gap"].to_list() == [None, 3 * 86400 + 5]
    assert conversations.reply_times(turns).height == 0


def test_who_answers_whom_with_what_chance_would_give():
    lines = ["Ann", "Ben", "Ann", "Ben", "Cem", "Ann"]
    turns = prepare(chat("\n".join(f"01 10:0{i} {name}: x" for i, name in enumerate(lines))), HOUR).turns
    table = conversations.answers(turns)
    pairs = {(row["person"], row["to"]): row["replies"] for row in table.to_dicts()}
    assert pairs == {("Ben", "Ann"): 2, ("Ann", "Ben"): 1, ("Cem", "Ben"): 1, ("Ann", "Cem"): 1}
    expected = {(row["person"], row["to"]): row["expected"] for row in table.to_dicts()}
    assert expected["Ben", "Ann"] == pytest.approx(2 * 2 / (5 - 2))  # Ben's 2 replies, Ann's 2 of the 3 not to Ben


def test_turns_are_those_that_a_dataset_is_made_of():
    messages, _ = parse(sample_text())
    prepared = prepare(messages)
    made = build_turns(messages, prepared.silence)
    assert prepared.turns["person"].cast(pl.String).to_list() == made["sender"].to_list()
    assert prepared.turns["session"].to_list() == made["session"].to_list()
    assert prepared.turns["bubbles"].to_list() == made["bubbles"].list.len().to_list()
    assert prepared.turns["started_at"].to_list() == made["started_at"].to_list()
    assert prepared.turns["ended_at"].to_list() == made["ended_at"].to_list()
    assert activity.head(prepared.messages).messages == sum(prepared.turns["bubbles"]) == 2866
