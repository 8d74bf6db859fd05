"""How fast somebody writes, from the gaps between messages in a row."""

import json
import random
from datetime import timedelta

import polars as pl
import pytest

from pipeline.dataset import DatasetConfig, build_dataset, find_rhythm, read_about, write_dataset
from pipeline.messages import SCHEMA
from tests.dataset.chats import START, chat, talk


def bursts(pause: float, per_character: float, count: int = 400, sender: str = "Ann") -> pl.DataFrame:
    """Messages that Ann sends in threes, each after so many seconds, Bob's an hour later."""
    chance = random.Random(0)
    at, rows = START, []
    for _ in range(count):
        at += timedelta(seconds=3600 + chance.random() * 600)
        rows.append((at, "Bob", "?", "text", None, False, None))
        for _ in range(3):
            text = "x" * chance.randint(1, 80)
            at += timedelta(seconds=pause + per_character * len(text))
            rows.append((at, sender, text, "text", None, False, None))
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def test_pause_and_typing_are_found():
    found = find_rhythm(bursts(5, 0.2), {"Ann"})
    assert found.pause == pytest.approx(5, rel=0.05)
    assert found.per_character == pytest.approx(0.2, rel=0.05)
    assert found.spread < 0.1
    assert find_rhythm(bursts(5, 0.2), {"Bob"}) is None


def test_a_phone_that_writes_whole_minutes_shows_about_the_same():
    rounded = bursts(5, 0.2, 2000).with_columns(pl.col("sent_at").dt.truncate("1m"))
    found = find_rhythm(rounded, {"Ann"})
    assert found.pause + 40 * found.per_character == pytest.approx(13, rel=0.1)
    assert found.per_character == pytest.approx(0.2, rel=0.3)


def test_what_no_hand_can_do_is_not_believed():
    assert find_rhythm(bursts(20, 0), {"Ann"}).per_character > 0
    assert find_rhythm(bursts(0, 0), {"Ann"}).pause == 0
    same = bursts(5, 0.2).with_columns(text=pl.lit("x"))
    assert find_rhythm(same, {"Ann"}).pause > 0


def test_it_is_kept_with_the_dataset_and_an_older_dataset_has_none(tmp_path):
    messages = pl.concat([bursts(5, 0.2), chat(*talk(40)).with_columns(pl.col("sent_at") + timedelta(days=90))])
    dataset = build_dataset(messages, DatasetConfig(person="Ann", also_named=()))
    assert dataset.summary.rhythm is not None
    folder = write_dataset(dataset, tmp_path / "dataset")
    assert read_about(folder)[1].rhythm == dataset.summary.rhythm
    about = json.loads((folder / "dataset.json").read_text())
    del about["summary"]["rhythm"]
    (folder / "dataset.json").write_text(json.dumps(about))
    assert read_about(folder)[1].rhythm is None
