"""Every form of header, read to the minute whatever the order, digits, calendar and clock."""

from datetime import datetime

import pytest

from pipeline.sources import parse

# header -> when, order, calendar. The body is always "Ann: one"; a second header and message follow.
FORMS = [
    ("[20.03.24, 21:16:42]", "2024-03-20 21:16:42", "dmy", "gregorian"),
    ("\u200e[20.03.24, 21:16:42]", "2024-03-20 21:16:42", "dmy", "gregorian"),
    ("20/03/2024, 21:16 -", "2024-03-20 21:16", "dmy", "gregorian"),
    ("3/20/24, 9:16\u202fPM -", "2024-03-20 21:16", "mdy", "gregorian"),
    ("12/25/23, 12:05 AM -", "2023-12-25 00:05", "mdy", "gregorian"),
    ("12/25/23, 12:05 PM -", "2023-12-25 12:05", "mdy", "gregorian"),
    ("[7/18/21, 18:34:07]", "2021-07-18 18:34:07", "mdy", "gregorian"),
    ("29/10/2023, 11:11\u202fam -", "2023-10-29 11:11", "dmy", "gregorian"),
    ("20/6/2017 8:28 p.\u00a0m. -", "2017-06-20 20:28", "dmy", "gregorian"),
    ("[31/12/2019, 2:14:40 a.m.]", "2019-12-31 02:14:40", "dmy", "gregorian"),
    ("3/16/18 1:55 p.m. -", "2018-03-16 13:55", "mdy", "gregorian"),
    ("[3/16/18 1:55:00 p. m.]", "2018-03-16 13:55", "mdy", "gregorian"),
    ("13-06-2018 01.55 PM -", "2018-06-13 13:55", "dmy", "gregorian"),
    ("[2019/11/21, 13:58:48]", "2019-11-21 13:58:48", "ymd", "gregorian"),
    ("2024-12-31, 12:34 -", "2024-12-31 12:34", "ymd", "gregorian"),
    ("[26-03-02, 6:39:22 AM]", "2026-03-02 06:39:22", "ymd", "gregorian"),
    ("[27-11-18 18:43:20]", "2018-11-27 18:43:20", "dmy", "gregorian"),
    ("[5.05.2017 18:01:54]", "2017-05-05 18:01:54", "dmy", "gregorian"),
    ("30/08/25 18.00 -", "2025-08-30 18:00", "dmy", "gregorian"),
    ("26/09/2019 à 22:39 -", "2019-09-26 22:39", "dmy", "gregorian"),
    ("13.6.2018 klo 21.25.15 -", "2018-06-13 21:25:15", "dmy", "gregorian"),
    ("13. 6. 2018. 21:25:15", "2018-06-13 21:25:15", "dmy", "gregorian"),
    ("06.08.13, 19:55:38:", "2013-08-06 19:55:38", "dmy", "gregorian"),
    ("06.08.13, 7:55:38 PM:", "2013-08-06 19:55:38", "dmy", "gregorian"),
    ("[06/2018/13, 21:25:15]", "2018-06-13 21:25:15", "myd", "gregorian"),
    ("[2018-06-13 21 h 25 min 15 s]", "2018-06-13 21:25:15", "ymd", "gregorian"),
    ("20.03.24 г., 21:16 ч. -", "2024-03-20 21:16", "dmy", "gregorian"),
    ("24/3/20 (21:16) -", "2024-03-20 21:16", "ymd", "gregorian"),
    ("2024. 03. 20. 21:16 -", "2024-03-20 21:16", "ymd", "gregorian"),
    ("[10:30 AM, 3/15/2024]", "2024-03-15 10:30", "mdy", "gregorian"),
    ("21:16, 20/03/2024 -", "2024-03-20 21:16", "dmy", "gregorian"),
    ("[2024/01/02 오후 03:06]", "2024-01-02 15:06", "ymd", "gregorian"),
    ("2024. 1. 15. 오전 9:30 -", "2024-01-15 09:30", "ymd", "gregorian"),
    ("[24. 3. 20. 오후 9:16:42]", "2024-03-20 21:16:42", "ymd", "gregorian"),
    ("2024/1/15 下午3:30 -", "2024-01-15 15:30", "ymd", "gregorian"),
    ("2024/1/15 上午12:05 -", "2024-01-15 00:05", "ymd", "gregorian"),
    ("2024/1/15 凌晨12:30 -", "2024-01-15 00:30", "ymd", "gregorian"),
    ("2024/1/15 中午12:30 -", "2024-01-15 12:30", "ymd", "gregorian"),
    ("2024/1/15 中午1:30 -", "2024-01-15 13:30", "ymd", "gregorian"),
    ("2024/1/15 晚上8:30 -", "2024-01-15 20:30", "ymd", "gregorian"),
    ("2024年1月15日 下午3:30 -", "2024-01-15 15:30", "ymd", "gregorian"),
    ("2024/1/15 午前9:30 -", "2024-01-15 09:30", "ymd", "gregorian"),
    ("[2024/01/15 午後0:30:10]", "2024-01-15 12:30:10", "ymd", "gregorian"),
    ("٢٤\u200f/٤\u200f/٢٠٢٢، ٢:٠٧ م -", "2022-04-24 14:07", "dmy", "gregorian"),
    ("[20\u200f/3\u200f/2024, 9:16:42 م]", "2024-03-20 21:16:42", "dmy", "gregorian"),
    ("۲۰۲۱/۵/۳۰، ۱۸:۴۴ -", "2021-05-30 18:44", "ymd", "gregorian"),
    ("१५/०३/२४, १४:३० -", "2024-03-15 14:30", "dmy", "gregorian"),
    ("২০/৩/২৪, ৯:১৬ PM -", "2024-03-20 21:16", "dmy", "gregorian"),
    ("၂၀/၃/၂၀၂၄, ၂၁:၁၆ -", "2024-03-20 21:16", "dmy", "gregorian"),
    ("15/1/2567 21:16 -", "2024-01-15 21:16", "dmy", "buddhist"),
    ("๑๕/๑/๒๕๖๗ ๒๑:๑๖ -", "2024-01-15 21:16", "dmy", "buddhist"),
    ("[20/8/2565 BE, 21:16:42]", "2022-08-20 21:16:42", "dmy", "buddhist"),
    ("15/1/67 21:16 -", "2024-01-15 21:16", "dmy", "buddhist"),
    ("۲۵/۱۰/۱۴۰۲، ۱۸:۴۴ -", "2024-01-15 18:44", "dmy", "solar hijri"),
    ("۱۴۰۳/۱۲/۳۰، ۱۸:۴۴ -", "2025-03-20 18:44", "ymd", "solar hijri"),
    ("1402/10/25, 18:44 -", "2024-01-15 18:44", "ymd", "solar hijri"),
    ("113/1/15 下午3:30 -", "2024-01-15 15:30", "ymd", "minguo"),
    ("15/3/24 6:39 μ.μ. -", "2024-03-15 18:39", "dmy", "gregorian"),
    ("15/3/24, 6:39 PTG -", "2024-03-15 18:39", "dmy", "gregorian"),
    ("13.5.2018 ÖS 1:55 -", "2018-05-13 13:55", "dmy", "gregorian"),
    ("2018. 05. 13. du. 1:55 -", "2018-05-13 13:55", "ymd", "gregorian"),
    ("20/08/2022, 9:16 in the afternoon -", "2022-08-20 21:16", "dmy", "gregorian"),
    ("2024년 1월 15일 오후 3:05 -", "2024-01-15 15:05", "ymd", "gregorian"),
    ("[2024年1月15日下午3:05:11]", "2024-01-15 15:05:11", "ymd", "gregorian"),
    ("[15/1/2024 下午3:05:11]", "2024-01-15 15:05:11", "dmy", "gregorian"),
    ("2024/3/15, PM 10:11 -", "2024-03-15 22:11", "ymd", "gregorian"),
    ("15/3/2024, 22h11 -", "2024-03-15 22:11", "dmy", "gregorian"),
    ("15/3/24, 9:16 CH -", "2024-03-15 21:16", "dmy", "gregorian"),
    ("15/3/24, 0:16 pm -", "2024-03-15 12:16", "dmy", "gregorian"),
    ("15/3/2024, 0:7 -", "2024-03-15 00:07", "dmy", "gregorian"),
    ("2023-01-15, फुं नि 12:07 -", "2023-01-15 00:07", "ymd", "gregorian"),
    ("12 Jan 2024, 15:05 -", "2024-01-12 15:05", "dmy", "gregorian"),
    ("Jan 12, 2024, 3:05 PM -", "2024-01-12 15:05", "mdy", "gregorian"),
    ("[12-Jan-24 15:05:11]", "2024-01-12 15:05:11", "dmy", "gregorian"),
    ("12 de enero de 2024 15:05 -", "2024-01-12 15:05", "dmy", "gregorian"),
    ("24 aug. 2014 12:10 -", "2014-08-24 12:10", "dmy", "gregorian"),
    ("12 мар. 2015 г., 12:10 -", "2015-03-12 12:10", "dmy", "gregorian"),
    ("12 जन॰ 2024, 3:05 pm -", "2024-01-12 15:05", "dmy", "gregorian"),
    ("2024 Jan 12 15:05 -", "2024-01-12 15:05", "ymd", "gregorian"),
    ("10/9/1445 هـ, 9:16 م -", "2024-03-20 21:16", "dmy", "islamic"),
    ("[1445/9/10، 21:16:42]", "2024-03-20 21:16:42", "ymd", "islamic"),
]  # fmt: skip


@pytest.mark.parametrize(("header", "when", "order", "calendar"), FORMS, ids=[form[0] for form in FORMS])
def test_each_form_of_header(header: str, when: str, order: str, calendar: str) -> None:
    messages, layout = parse(f"{header} Ann: one\ntwo: three\n{header} Bob: four\n")
    expected = datetime.fromisoformat(when)
    assert messages.select("sent_at", "sender", "text").rows() == [
        (expected, "Ann", "one\ntwo: three"),
        (expected, "Bob", "four"),
    ]
    assert (layout.date_order, layout.calendar, layout.stray_lines) == (order, calendar, 0)


@pytest.mark.parametrize("prefix", ["\ufeff", "\u200e", "\ufeff\u200e", "\u200f"])
def test_marks_before_the_first_header_are_no_part_of_it(prefix: str) -> None:
    messages, _ = parse(f"{prefix}[20.03.24, 21:16:42] Ann: one\n")
    assert messages["sender"].to_list() == ["Ann"]


@pytest.mark.parametrize(
    "inside",
    [
        "[20.03.24, 21:16:42] Bob: two",  # another phone's header
        "3/20/24, 9:16 PM - Bob: two",  # another clock
        "20/03/24, 21:16 - Bob: two",  # another year
        "20-03-2024, 21:16 - Bob: two",  # another separator
        "20/03/2024 21:16 - Bob: two",  # no comma
        "31/02/2024, 21:16 - Bob: two",  # no such day
        "20/13/2024, 21:16 - Bob: two",  # no such month
        "20/03/2024, 24:16 - Bob: two",  # no such time
        "20/03/2024, 21:60 - Bob: two",
        "> 20/03/2024, 21:16 - Bob: two",
        "20 Mar 2024, 21:16 - Bob: two",  # a month in words
    ],
)
def test_a_line_that_only_looks_like_a_header_stays_in_its_message(inside: str) -> None:
    messages, _ = parse(f"20/03/2024, 21:15 - Ann: one\n{inside}\n20/03/2024, 21:17 - Bob: three\n")
    assert messages["text"].to_list() == [f"one\n{inside}", "three"]


def test_months_in_words_that_the_first_messages_do_not_name() -> None:
    days = ["31 dec. 2013", "1 jan. 2014", "3 mrt. 2014", "4 mei 2014", "24 aug. 2014"]
    messages, layout = parse("".join(f"{day} 12:10 - Ann: {i}\n" for i, day in enumerate(days)))
    assert [when.month for when in messages["sent_at"]] == [12, 1, 3, 5, 8]
    assert (layout.date_order, layout.certain) == ("dmy", True)
    assert parse(f"{days[0]} 12:10 - Ann: hi\n", date_order="mdy")[0]["sent_at"][0].day == 31


def test_where_records_end_in_crlf_a_header_after_lf_is_quoted() -> None:
    quoted = "[20.03.24, 20:00:00] Bob: inside"
    messages, _ = parse(f"[20.03.24, 21:16:42] Ann: look\n{quoted}\nend\r\n[20.03.24, 21:16:43] Bob: real\r\n")
    assert messages["text"].to_list() == [f"look\n{quoted}\nend", "real"]


def test_where_every_line_ends_in_crlf_the_text_has_plain_newlines() -> None:
    messages, _ = parse("20/03/2024, 21:16 - Ann: a\r\nb\r\n\r\nc\r\n20/03/2024, 21:17 - Bob: d\r\n")
    assert messages["text"].to_list() == ["a\nb\n\nc", "d"]


def test_where_the_file_pads_its_dates_one_that_does_not_is_quoted() -> None:
    real = "".join(f"0{day}/03/2024, 09:15 - Ann: {day}\n" for day in range(1, 9))
    messages, _ = parse(real + "1/3/2024, 9:15 - Bob: quoted\n")
    assert messages["text"].to_list()[-1] == "8\n1/3/2024, 9:15 - Bob: quoted"


def test_lines_in_front_of_the_first_message_are_counted() -> None:
    messages, layout = parse("half a message\n\nits end\n20/03/2024, 21:16 - Ann: one\n")
    assert (len(messages), layout.stray_lines) == (1, 2)
