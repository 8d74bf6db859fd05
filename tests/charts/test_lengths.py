"""The figures of a dataset: the cut on the chat's silences, and rows against the most that one may have."""

import json
from datetime import timedelta

import altair
import polars as pl
import pytest

from pipeline import charts
from pipeline.sample import sample_text
from pipeline.sources import parse
from pipeline.turns import gap_histogram
from tests.analysis.chats import chat

TABLE = pl.DataFrame(
    {"from": [0, 100, 200], "to": [100, 200, 300], "train": [1, 6, 2], "validation": [0, 2, 0]},
    schema=dict.fromkeys(("from", "to", "train", "validation"), pl.UInt32),
)


def valid(figure):
    spec = json.loads(json.dumps(figure.spec, allow_nan=False))
    assert altair.Chart.from_dict(spec)
    return spec


@pytest.fixture(scope="module")
def sample():
    return parse(sample_text())[0]


def test_the_cut_is_where_it_was_found_or_set_and_what_lies_beyond_is_grey(sample):
    found = charts.gaps(gap_histogram(sample), found=True)
    assert found.title.startswith("A silence of 4 hours ends a conversation: 15 conversations")
    assert "own silences" in found.note
    spec = valid(charts.gaps(gap_histogram(sample, timedelta(minutes=90)), found=False))
    assert spec["layer"][1]["data"]["values"] == [{"from": 5400.0, "name": "1.5 hours"}]
    bars = spec["data"]["values"]
    assert all(bar["ends"] == (bar["from"] >= 5400) for bar in bars)
    silences = sample.drop_nulls("sender")["sent_at"].diff()
    assert sum(bar["gaps"] for bar in bars if bar["ends"]) == (silences > timedelta(minutes=90)).sum()


def test_every_silence_is_drawn_or_said_to_be_left_out(sample):
    histogram = gap_histogram(sample)
    figure = charts.gaps(histogram, found=True)
    drawn = sum(bar["gaps"] for bar in figure.spec["data"]["values"])
    left_out = histogram.table["gaps"].sum() - drawn
    assert f"{left_out:,} silences of a minute at most" in figure.note


def test_a_chat_without_silences_has_a_chart_all_the_same():
    valid(charts.gaps(gap_histogram(chat("01 10:00 Ann: hi")), found=True))


def test_rows_are_drawn_against_the_most_they_may_have():
    figure = charts.row_lengths(TABLE, 256, 4096, exact=False)
    assert figure.title == "Half of the rows have under 200 tokens, none more than 256"
    assert "11 rows" in figure.note
    assert "4,096" in figure.note
    assert "Estimated" in figure.note
    spec = valid(figure)
    assert sum(bar["rows"] for bar in spec["data"]["values"]) == 11
    assert spec["layer"][1]["data"]["values"][0]["from"] == 256
    assert charts.row_lengths(TABLE.clear(), 256, 4096, exact=True) is None


@pytest.mark.parametrize(
    ("seconds", "name"),
    [
        (2700, "45 minutes"),
        (3600, "1 hour"),
        (3900, "65 minutes"),
        (9000, "2.5 hours"),
        (11700, "3.25 hours"),
        (14400, "4 hours"),
    ],
)
def test_silences_in_words(seconds, name):
    assert charts.silence_name(seconds) == name
