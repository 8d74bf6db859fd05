"""Which number is the day: the strongest evidence of the file decides, and where there is none the layout says so."""

from datetime import date

import pytest

from pipeline.errors import ChatError
from pipeline.sources import parse
from pipeline.sources.whatsapp.calendars import CALENDARS

MEDIA = "\u200eIMG-20240304-WA0001.jpg (file attached)"


def lines(*days: str, body: str = "x", time: str = "10:00") -> str:
    return "".join(f"{day}, {time} - Ann: {body}\n" for day in days)


CASES = [
    ("a number above 12 in the first place", lines("03/04/2024", "13/04/2024"), "dmy", True),
    ("a number above 12 in the second place", lines("03/04/2024", "04/13/2024"), "mdy", True),
    ("a number above 12 late in the file", lines(*["03/04/2024"] * 50, "25/04/2024"), "dmy", True),
    ("only months first keep the time running", lines("03/04/2024", "04/03/2024", "04/05/2024"), "mdy", True),
    ("only days first keep the time running", lines("05/03/2024", "01/04/2024"), "dmy", True),
    ("attachment stamps, month first", lines("03/04/2024", body=MEDIA), "mdy", True),
    ("attachment stamps, day first", lines("04/03/2024", body=MEDIA), "dmy", True),
    ("iOS stamps", "[04/03/24, 21:16:42] A: \u200e<attached: 00000012-PHOTO-2024-04-03-21-16-42.jpg>\n", "mdy", True),
    ("dots", lines("03.04.2024"), "dmy", True),
    ("a French phone", lines("03/04/2024", body="<Médias omis>"), "dmy", True),
    ("an American clock", lines("3/4/24", time="7:02\u202fPM"), "mdy", False),
    ("small letters", lines("03/04/2024", time="7:02\u202fpm"), "dmy", False),
    ("nothing tells", lines("03/04/2024"), "dmy", False),
    ("nothing tells, two days", lines("03/04/2024", "04/05/2024"), "dmy", False),
    ("the year first", lines("2024/03/04"), "ymd", True),
    ("Hong Kong", lines("3/4/2024", time="下午9:16"), "dmy", True),
    ("Taiwan", lines("2024/3/4", time="下午9:16"), "ymd", True),
    ("a Vietnamese phone", lines("03/04/2024", body="<Bỏ qua Media>"), "dmy", True),
    ("a Chilean phone", lines("03-04-2024", body="<Multimedia omitido>"), "dmy", True),
    ("a Swedish phone", lines("12-03-04", body="<Media har utelämnats>"), "ymd", True),
    ("a Filipino phone", lines("3/4/24", body="<Walang kalakip na media>"), "mdy", True),
    ("dots in Japanese", lines("15.03.24", body="<メディアは含まれていません>"), "dmy", True),
    ("dots and spaces in Korean", lines("24. 3. 15.", body="<미디어 생략됨>"), "ymd", True),
    ("an Islamic year, which the phone may count otherwise", lines("10/9/1445"), "dmy", False),
    ("clocks put back", lines("27/10/2024", "27/10/2024", "28/10/2024"), "dmy", True),
    ("the same either way", lines("03/03/2024"), "dmy", True),
    ("the year first in two digits", lines("24-03-30", "24-04-02", "24-04-03"), "ymd", True),
]  # fmt: skip


@pytest.mark.parametrize(("text", "order", "certain"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_order(text: str, order: str, certain: bool) -> None:
    _, layout = parse(text)
    assert (layout.date_order, layout.certain) == (order, certain)
    assert layout.evidence
    assert all(sentence[0].isupper() and sentence[-1] in ".?" for sentence in layout.evidence)


def test_the_user_overrules_the_file() -> None:
    text = lines("03/04/2024")
    assert parse(text)[0]["sent_at"][0].date() == date(2024, 4, 3)
    messages, layout = parse(text, date_order="mdy")
    assert messages["sent_at"][0].date() == date(2024, 3, 4)
    assert (layout.date_order, layout.certain) == ("mdy", True)


def test_an_order_that_is_none_is_refused() -> None:
    with pytest.raises(ChatError):
        parse(lines("03/04/2024"), date_order="day first")


@pytest.mark.parametrize(
    ("calendar", "year", "month", "day", "expected"),
    [
        ("buddhist", 2567, 2, 29, "2024-02-29"),
        ("solar hijri", 1403, 1, 1, "2024-03-20"),
        ("solar hijri", 1402, 12, 29, "2024-03-19"),
        ("solar hijri", 1399, 12, 30, "2021-03-20"),
        ("solar hijri", 1389, 7, 1, "2010-09-23"),
        ("minguo", 113, 1, 15, "2024-01-15"),
        ("islamic", 1430, 1, 1, "2008-12-29"),
        ("islamic", 1445, 9, 1, "2024-03-11"),
        ("islamic", 1445, 10, 1, "2024-04-10"),
        ("islamic", 1447, 1, 1, "2025-06-26"),
    ],
)
def test_calendars(calendar: str, year: int, month: int, day: int, expected: str) -> None:
    to_day = next(entry.to_day for entry in CALENDARS if entry.name == calendar)
    assert to_day(year, month, day) == (date.fromisoformat(expected) - date(1970, 1, 1)).days


@pytest.mark.parametrize(
    ("calendar", "year", "month", "day"),
    [("solar hijri", 1402, 12, 30), ("buddhist", 2566, 2, 29), ("islamic", 1445, 9, 31), ("islamic", 1400, 1, 1)],
)
def test_days_that_no_calendar_has(calendar: str, year: int, month: int, day: int) -> None:
    to_day = next(entry.to_day for entry in CALENDARS if entry.name == calendar)
    with pytest.raises(ValueError, match=r"."):
        to_day(year, month, day)


def test_a_day_that_no_month_has_still_tells_the_order() -> None:
    messages, layout = parse(lines("01/02/2024", "31/02/2024", "03/02/2024"))
    assert (layout.date_order, layout.certain, len(messages)) == ("dmy", True, 2)
    assert messages["text"][0] == "x\n31/02/2024, 10:00 - Ann: x"
