"""The whole analysis: what is enough, the summary, hiding, keeping, and that nobody's place matters."""

import json
from dataclasses import fields
from datetime import date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline import analysis
from pipeline.analysis.enough import enough
from tests.analysis.chats import TWO, chat, known

HOUR = timedelta(hours=1)
TABLES = [field.name for field in fields(analysis.Analysis) if field.type == "pl.DataFrame"]


def talk(replies: int, gap: int = 2) -> pl.DataFrame:
    """Ann and Ben in turn; Ben answers `replies` times, over as many days as it takes."""
    lines = []
    for place in range(2 * replies):
        day, minute = divmod(place * gap, 1440)
        lines.append(f"{day + 1:02d} {minute // 60:02d}:{minute % 60:02d} {'AB'[place % 2]}: garden {place}")
    return chat("\n".join(lines))


@pytest.mark.parametrize(
    ("replies", "verdict"), [(99, "few"), (100, "little"), (499, "little"), (500, "enough"), (2000, "plenty")]
)
def test_verdicts_go_by_the_replies_that_would_be_learned(replies, verdict):
    prepared = analysis.prepare(talk(replies), timedelta(hours=1))
    ben = enough(prepared.messages, prepared.turns).row(by_predicate=pl.col("person") == "B", named=True)
    assert (ben["replies"], ben["kept"], ben["verdict"]) == (replies, replies, verdict)


def test_only_text_that_answers_somebody_is_kept():
    prepared = analysis.prepare(TWO, HOUR)
    rows = known(
        enough(prepared.messages, prepared.turns), "person", "replies", "kept", "months", "of_months", "verdict"
    )
    assert rows == [("Ann", 2, 2, 1, 1, "few"), ("Ben", 2, 1, 1, 1, "few")]  # one of Ben's is a photo
    link = analysis.prepare(
        chat("01 10:00 Ann: look\n01 10:01 Ben: https://example.org\n01 10:02 Ann: nice\n01 10:03 Ben: see www.a.b"),
        HOUR,
    )
    assert known(enough(link.messages, link.turns), "person", "kept") == [("Ann", 1), ("Ben", 1)]


def test_the_summary_is_json_and_agrees_with_the_tables():
    found = analysis.summary(analysis.analyse(TWO))
    again = json.loads(json.dumps(found, allow_nan=False))
    assert (again["messages"], again["people"], again["days"]) == (9, 2, 3)
    assert [row["person"] for row in again["per_person"]] == ["Ann", "Ben"]
    assert again["per_person"][0]["first"] == "2024-01-01T10:00:00.000000"


def test_hiding_leaves_neither_a_name_nor_a_word():
    shown = analysis.hide(analysis.analyse(TWO))
    assert shown.people == ("Person 1", "Person 2")
    text = " ".join(str(getattr(shown, name).rows()) for name in TABLES)
    assert not any(secret in text for secret in ("Ann", "Ben", "haha", "morning", "garden"))
    assert shown.per_person["messages"].to_list() == [6, 3]


def test_a_name_that_looks_like_a_hidden_one_is_no_trouble():
    shown = analysis.hide(analysis.analyse(chat("01 10:00 Person 2: a\n01 10:01 Person 2: b\n01 10:02 Person 1: c")))
    assert dict(shown.per_person.select("person", "messages").iter_rows()) == {"Person 1": 2, "Person 2": 1}


def test_what_was_measured_is_kept_and_found_again(tmp_path):
    assert analysis.load(tmp_path) is None
    prepared = analysis.prepare(TWO, HOUR)
    analysis.save(prepared, tmp_path)
    again = analysis.load(tmp_path)
    assert again is not None
    assert (again.people, again.silence, again.to_the_minute) == (prepared.people, HOUR, False)
    for name in TABLES:
        assert getattr(analysis.analyse(again), name).equals(getattr(analysis.analyse(prepared), name)), name


def test_dates_and_people_apply_to_every_table():
    part = analysis.analyse(TWO, since=date(2024, 1, 1), until=date(2024, 1, 1), people=["Ben"], bucket="month")
    assert (part.head.messages, part.people, part.everyone, part.bucket) == (3, ("Ben",), ("Ann", "Ben"), "month")
    for name in set(TABLES) - {"silences", "streaks"}:
        table = getattr(part, name)
        if "person" in table.columns:
            assert set(table["person"].cast(pl.String)) <= {"Ben"}, name


def test_words_can_be_left_out():
    prepared = analysis.prepare(talk(300))
    whole, without = analysis.analyse(prepared), analysis.analyse(prepared, with_words=False)
    for name in TABLES:
        table = getattr(whole, name)
        assert getattr(without, name).equals(table.clear() if name in ("words", "phrases") else table), name


def test_chats_of_one_message_and_of_one_person_have_every_table():
    for lines in ("01 10:00 Ann: hi", "01 10:00 Ann: <media>", "01 10:00 Ann: hi\n02 10:00 Ann: 😂", "01 10:00 Ann: ."):
        found = analysis.analyse(chat(lines))
        assert found.people == ("Ann",)
        json.dumps(analysis.summary(found), allow_nan=False)


def renamed(table: pl.DataFrame, names: dict[str, str]) -> set[tuple]:
    """The rows as a set, with people under other names."""
    people = [
        pl.col(name).cast(pl.String).replace(names) for name, kind in table.schema.items() if isinstance(kind, pl.Enum)
    ]
    return set(table.with_columns(people).rows())


said = st.tuples(
    st.integers(0, 3), st.integers(1, 9000), st.sampled_from(["hi there", "haha 😂", "garden boat", "OK.", "why?"])
)


@settings(max_examples=40)
@example(lines=[(0, 1, "haha 😂"), *[(1, 1, "haha 😂")] * 4], names=["Ann", "Ben", "Cem", "Dee"])
@given(st.lists(said, min_size=2, max_size=60), st.permutations(["Ann", "Ben", "Cem", "Dee"]))
def test_tables_do_not_depend_on_the_order_of_people(lines, names):
    """Under other names, which sort differently, the same chat has the same tables under those names."""
    first = ["Ann", "Ben", "Cem", "Dee"]
    seconds, rows = 0, []
    for who, gap, text in lines:
        seconds += gap
        at = datetime(2024, 1, 1) + timedelta(seconds=seconds)
        rows.append(f"{at:%d %H:%M:%S} {first[who]}: {text}")
    table = chat("\n".join(rows))
    swap = dict(zip(first, names, strict=True))
    other = table.with_columns(pl.col("sender").replace(swap))
    one, two = analysis.analyse(table), analysis.analyse(other)
    assert one.head == two.head
    for name in TABLES:
        rounded = [pl.col(pl.Float64).round(9)]
        assert renamed(getattr(one, name).with_columns(rounded), swap) == renamed(
            getattr(two, name).with_columns(rounded), {}
        ), name
    shuffled = analysis.analyse(table, people=list(reversed(one.people)))
    for name in TABLES:
        assert getattr(shuffled, name).equals(getattr(one, name)), name
