"""What is kept as text here agrees with CLDR: words for AM and PM, orders of dates; every locale's header is read."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from babel import Locale, localedata
from babel.dates import format_date, format_skeleton, format_time

from pipeline.sources import parse
from pipeline.sources.whatsapp.hints import ORDERS
from pipeline.sources.whatsapp.markers import is_marker
from pipeline.sources.whatsapp.months import is_month, read_months

LOCALES = [Locale.parse(code) for code in localedata.locale_identifiers()]
# Dzongkha puts words before hours and minutes; Latin and Toki Pona have no separator that anybody else writes.
UNREAD = {"dz", "la", "tok"}
WHENS = [datetime(2024, 1, 2, 0, 7, 11) + timedelta(days=16 * i, hours=7 * i) for i in range(10)]


def test_all_words_for_the_halves_of_the_day_are_known() -> None:
    words = {
        period
        for locale in LOCALES
        for widths in locale.day_periods.values()
        for names in widths.values()
        for half, period in names.items()
        if half in ("am", "pm") and not period[0].isdigit()
    }
    assert sorted(word for word in words if not is_marker(word)) == []


def test_the_orders_by_language_and_separator_are_cldrs() -> None:
    for (separator, order), languages in ORDERS.items():
        for locale in LOCALES:
            if locale.language in languages.split() and locale.script in (None, "Guru", "Latn", "Hans", "Hant"):
                for pattern in (locale.date_formats["short"].pattern, locale.datetime_skeletons["yMd"].pattern):
                    letters = "".join(dict.fromkeys(char for char in pattern.lower() if char in "dmy"))
                    written = pattern.replace("\u200f", "").strip(" .'").lower().strip("dmy")
                    if written.startswith(separator):
                        assert letters == order, (str(locale), pattern)


def headers() -> Iterator[tuple[str, str, list[str]]]:
    """Each way that some locale writes a day and a time: (locale, phone, header of each of WHENS), once."""
    seen = set()
    for locale in (locale for locale in LOCALES if locale.language not in UNREAD):
        android = [
            f"{format_skeleton('yMd', when, locale=locale)}, {format_time(when, 'short', locale=locale)} -"
            for when in WHENS
        ]
        ios = [
            f"[{format_date(when, 'short', locale)}, {format_time(when, 'medium', locale=locale)}]" for when in WHENS
        ]
        for phone, written in (("android", android), ("ios", ios)):
            if tuple(written) not in seen:
                seen.add(tuple(written))
                yield str(locale), phone, written


def test_every_locale_is_read_back() -> None:
    wrong = []
    for locale, phone, written in headers():
        messages, layout = parse("".join(f"{header} Ann: {i}\n" for i, header in enumerate(written)))
        expected = [when.replace(second=0) if phone == "android" else when for when in WHENS]
        if (messages["sent_at"].to_list(), layout.certain) != (expected, True):
            wrong.append((locale, written[0], layout.date_order))
    assert wrong == []


@pytest.mark.parametrize(
    "word", ["Jan", "jan.", "JAN", "févr.", "août", "мар.", "Mär", "mrt.", "जन॰", "enero", "يناير"]
)
def test_names_of_months(word: str) -> None:
    assert is_month(word)
    assert word in read_months([word])


def test_words_that_are_no_months() -> None:
    assert not any(map(is_month, ("apples", "a", "12", "")))
    assert read_months(["Jan", "мар."]) == {}
