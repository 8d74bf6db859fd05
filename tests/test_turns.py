"""Sessions and turns: where a conversation ends, and that nothing said is lost or moved."""

from datetime import datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import ChatError
from pipeline.messages import SCHEMA
from pipeline.turns import build_turns, find_silence, gap_histogram, silence_bounds

START = datetime(2024, 3, 1, 12)
HOUR = timedelta(hours=1)


def chat(*lines: tuple[float, str | None, str], kind: str = "text") -> pl.DataFrame:
    """Messages from (minutes since the one before, sender, text)."""
    at, rows = START, []
    for minutes, sender, text in lines:
        at += timedelta(minutes=minutes)
        rows.append((at, sender, text, kind if sender else "system", None, False, None))
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def test_a_burst_is_one_turn_that_keeps_its_bubbles():
    turns = build_turns(chat((0, "Ann", "hi"), (1, "Ann", "you there\nor not"), (1, "Bob", "yes")), HOUR)
    assert turns["sender"].to_list() == ["Ann", "Bob"]
    assert turns["bubbles"].to_list() == [["hi", "you there\nor not"], ["yes"]]
    assert turns["gap"].to_list() == [None, timedelta(minutes=1)]
    assert turns["ended_at"].to_list() == [START + timedelta(minutes=1), START + timedelta(minutes=2)]
    assert turns.schema["session"] == pl.UInt32
    assert turns.schema["gap"] == pl.Duration("us")


def test_a_silence_ends_the_session_and_the_turn():
    turns = build_turns(chat((0, "Ann", "night"), (60, "Ann", "still up"), (60.1, "Ann", "morning")), HOUR)
    assert turns["session"].to_list() == [0, 1]
    assert turns["bubbles"].to_list() == [["night", "still up"], ["morning"]]


def test_silences_are_measured_in_days_too():
    turns = build_turns(chat((0, "Ann", "a"), (24 * 60 + 1, "Bob", "b")), HOUR)
    assert turns["session"].to_list() == [0, 1]


def test_system_lines_neither_speak_nor_interrupt():
    turns = build_turns(chat((0, "Ann", "a"), (1, None, "Ann changed the subject"), (1, "Ann", "b")), HOUR)
    assert turns["bubbles"].to_list() == [["a", "b"]]


@pytest.mark.parametrize(("minutes", "sessions"), [(-60, 1), (-60 * 24, 2)])
def test_a_clock_set_back_is_no_new_session_but_a_jump_back_is(minutes, sessions):
    turns = build_turns(chat((0, "Ann", "a"), (minutes, "Bob", "b")), HOUR)
    assert turns["session"].n_unique() == sessions


def test_no_messages_no_turns():
    empty = pl.DataFrame(schema=SCHEMA)
    assert build_turns(empty, HOUR).height == 0
    assert find_silence(empty) == timedelta(hours=2, minutes=30)
    assert gap_histogram(empty).sessions == 0


def test_a_session_cannot_end_at_once():
    with pytest.raises(ChatError, match="longer than nothing"):
        build_turns(chat((0, "Ann", "a")), timedelta(0))


def talk(evening_gap: float, people: int = 2) -> pl.DataFrame:
    """Forty evenings of quick talk with one pause of `evening_gap` minutes in each."""
    lines, names = [], ["Ann", "Bob", "Cem"][:people]
    for _ in range(40):
        minutes = [22 * 60, *[1 + i % 3 for i in range(20)], evening_gap, *[1 + i % 4 for i in range(20)]]
        lines += [(gap, names[i % people], "x") for i, gap in enumerate(minutes)]
    return chat(*lines)


@pytest.mark.parametrize("people", [2, 3])
def test_the_cut_lies_within_its_bounds_and_off_the_hills(people):
    for pause in (50, 70, 130, 200):
        messages = talk(pause, people)
        low, high = silence_bounds(messages)
        silence = find_silence(messages)
        assert low <= silence <= high
        edge_distance = abs(silence.total_seconds() / 60 - pause)
        assert edge_distance > 10, f"cut at {silence} beside the pauses of {pause} minutes"


def test_bounds_are_an_hour_to_four_for_two_and_about_an_hour_for_a_group():
    assert silence_bounds(talk(50)) == (HOUR, 4 * HOUR)
    low, high = silence_bounds(talk(50, people=3))
    assert low < HOUR < high < 2 * HOUR


def test_the_histogram_counts_every_gap_once_and_marks_the_cut():
    messages = talk(90)
    histogram = gap_histogram(messages, 3 * HOUR)
    assert histogram.table["gaps"].sum() == messages.height - 1
    assert histogram.sessions == 40
    beyond = histogram.table.filter("cut")
    assert beyond["gaps"].sum() == 39
    assert beyond["up_to"][0] == "4 h"
    assert 0.97 < histogram.kept_replies < 1


minutes = st.one_of(st.integers(0, 30), st.integers(-200, 3000))
lines = st.lists(st.tuples(minutes, st.sampled_from(["Ann", "Bob", "Cem", None]), st.text(max_size=8)), max_size=40)


@given(lines, st.integers(1, 300))
def test_turns_hold_every_message_once_in_order(lines, silence):
    messages = chat(*lines)
    turns = build_turns(messages, timedelta(minutes=silence))
    said = messages.drop_nulls("sender")
    assert turns["bubbles"].explode().drop_nulls().to_list() == said["text"].to_list()
    assert turns["bubbles"].list.len().to_list() == turns["kinds"].list.len().to_list()
    assert turns["turn"].to_list() == list(range(turns.height))
    assert turns["session"].is_sorted()
    same = turns.filter(
        (pl.col("sender") == pl.col("sender").shift()) & (pl.col("session") == pl.col("session").shift())
    )
    assert same.height == 0
