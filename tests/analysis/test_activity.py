"""Who wrote, how much and when, against chats counted by hand."""

from datetime import date, datetime, timedelta

import pytest

from pipeline.analysis import activity, prepare, select
from pipeline.errors import ChatError
from tests.analysis.chats import TWO, chat, known

HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def two():
    return prepare(TWO, HOUR)


def test_the_head_figures(two):
    head = activity.head(two.messages)
    assert (head.messages, head.people, head.media) == (9, 2, 1)
    # Good morning Ben How are you · fine and you · great · haha · see https example org a · OK THANKS · are you there
    assert head.words == 6 + 3 + 1 + 1 + 5 + 2 + 3
    assert (head.first, head.last) == (datetime(2024, 1, 1, 10), datetime(2024, 1, 3, 10, 15))
    assert (head.days, head.active_days) == (3, 2)


def test_one_row_a_person_most_messages_first(two):
    rows = known(activity.per_person(two.messages), "person", "messages", "words", "media", "links", "active_days")
    assert rows == [("Ann", 6, 13, 0, 0, 2), ("Ben", 3, 8, 1, 1, 1)]
    assert activity.per_person(two.messages)["share"].to_list() == [6 / 9, 3 / 9]


def test_messages_per_day_leave_silent_days_out(two):
    rows = known(activity.volume(two.messages, "day"), "start", "person", "messages")
    assert rows == [(date(2024, 1, 1), "Ann", 5), (date(2024, 1, 1), "Ben", 3), (date(2024, 1, 3), "Ann", 1)]


def test_weeks_begin_on_monday_and_months_on_the_first():
    table = prepare(chat("07 23:59 Ann: Sunday\n08 00:00 Ann: Monday")).messages
    assert known(activity.volume(table, "week"), "start", "messages") == [(date(2024, 1, 1), 1), (date(2024, 1, 8), 1)]
    assert known(activity.volume(table, "month"), "start", "messages") == [(date(2024, 1, 1), 2)]


def test_the_heatmap_knows_every_hour_of_the_week():
    """One message on Monday at 0, two on Tuesday at 1, and so on: each cell is its own known number."""
    lines = [
        f"{day + 1:02d} {day * 3:02d}:{minute:02d} Ann: hi" for day in range(7) for minute in range(day + 1)
    ]  # 1 January 2024 is a Monday
    rows = known(activity.week(prepare(chat("\n".join(lines))).messages), "weekday", "hour", "messages")
    assert rows == [(day + 1, day * 3, day + 1) for day in range(7)]


def test_the_longest_silences_and_who_broke_them(two):
    rows = known(activity.silences(two.messages, most=2), "since", "until", "seconds", "last", "broken_by")
    assert rows == [
        (datetime(2024, 1, 1, 21, 30, 10), datetime(2024, 1, 3, 10, 15), 132290, "Ann", "Ann"),
        (datetime(2024, 1, 1, 10, 3, 40), datetime(2024, 1, 1, 20, 0), 35780, "Ben", "Ben"),
    ]


def test_streaks_are_days_in_a_row():
    table = prepare(
        chat("01 10:00 Ann: a\n02 10:00 Ann: b\n02 11:00 Ben: c\n04 10:00 Ann: d\n05 09:00 Ben: e")
    ).messages
    rows = known(activity.streaks(table), "since", "until", "days", "messages")
    assert rows == [(date(2024, 1, 1), date(2024, 1, 2), 2, 3), (date(2024, 1, 4), date(2024, 1, 5), 2, 2)]


@pytest.mark.parametrize(
    ("last", "bucket"),
    [(date(2024, 3, 31), "day"), (date(2024, 4, 5), "week"), (date(2026, 12, 31), "week"), (date(2027, 2, 1), "month")],
)
def test_the_step_fits_the_span(last, bucket):
    assert activity.choose_bucket(date(2024, 1, 1), last) == bucket


def test_dates_and_people_cut_the_chat_and_leave_its_sessions(two):
    part = select(two, since=date(2024, 1, 1), until=date(2024, 1, 1), people=["Ben"])
    assert part.people == ("Ben",)
    assert activity.head(part.messages).messages == 3
    assert part.turns["opens"].to_list() == [False, False, True]
    assert select(two, until=date(2024, 1, 1)).messages.height == 8
    assert select(two, since=date(2024, 1, 3)).messages.height == 1


def test_where_nothing_is_left_a_sentence_says_so(two):
    with pytest.raises(ChatError, match="widen the dates"):
        select(two, since=date(2024, 1, 3), people=["Ben"])
    with pytest.raises(ChatError, match="Nobody wrote"):
        prepare(chat("01 10:00 X: <system>"))
