"""When a question asks about, as far as it says so: a day, a month, a year, a season."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache

__all__ = ["Days", "asked_days"]

Days = tuple[date, date]  # from, to (included)

# Languages whose names of months are known (CLDR, through babel).
LANGUAGES = ("en", "de", "es", "pt", "fr", "it", "nl", "tr", "id", "ru", "uk", "pl", "cs", "sv", "da", "nb", "fi", "ro",
             "hu", "el", "ar", "he", "fa", "hi", "bn")  # fmt: skip
SEASONS = {
    (12, 2): "winter invierno inverno hiver kış зима зимой зиму",
    (3, 5): "spring frühling frühjahr primavera printemps lente bahar весна весной весну",
    (6, 8): "summer sommer verano verão estate été zomer yaz лето летом",
    (9, 11): "autumn herbst otoño outono autunno automne herfst sonbahar осень осенью",
}
RELATIVE = {
    0: "today heute hoy hoje oggi vandaag bugün сегодня",
    1: "yesterday gestern ayer ontem ieri gisteren dün вчера",
}
# Words of another meaning too ("may I"), which are months only beside a day or after such a word.
UNSURE = {"may": 5, "mai": 5, "mar": 3}
_LEADS = ("in ", "im ", "en ", "em ", "last ", "this ", "since ", "seit ")
_YEAR = r"(?:19|20)\d\d"
_ISO = re.compile(rf"\b({_YEAR})-(\d\d)-(\d\d)\b")
_DAY = r"(?<!\d)(\d{1,2})(?:st|nd|rd|th|er|\.|º|ª)?"


@cache
def _months() -> tuple[re.Pattern[str], dict[str, int]]:
    from babel import Locale

    names: dict[str, int] = {}
    for language in LANGUAGES:
        months = Locale(language).months
        for kind in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                for number, name in months[kind][width].items():
                    name = name.casefold().rstrip(".")
                    if len(name) > 2 and not name[0].isdigit():
                        names.setdefault(name, number)
    for word in UNSURE:
        names.pop(word, None)
    ordered = "|".join(sorted(map(re.escape, names), key=len, reverse=True))
    return re.compile(ordered), names


def asked_days(question: str, first: date, last: date) -> list[Days]:
    """The stretches of days between `first` and `last` that a question names; none where it names no time.

    What is relative ("last summer") is seen from `last`, the memory's newest message.
    """
    found = [(max(a, first), min(b, last)) for a, b in _named(question.casefold(), first, last)]
    return [(a, b) for a, b in found if a <= b]


def _named(question: str, first: date, last: date) -> Iterator[Days]:
    for match in _ISO.finditer(question):
        if day := _day(*map(int, match.groups())):
            yield day, day
    years = range(first.year, last.year + 1)
    said_years = [int(year) for year in re.findall(rf"\b{_YEAR}\b", question)]
    dated = list(_dated(question))
    for day_of_month, month in dated:
        for year in said_years or years:
            if day_of_month is None:
                yield _month(year, month)
            elif day := _day(year, month, day_of_month):
                yield day, day
    seasons = [months for months, names in SEASONS.items() if _has_word(question, names)]
    for start, end in seasons:
        for year in said_years or years:
            yield _month(year - (start > end), start)[0], _month(year, end)[1]
    if not dated and not seasons and not _ISO.search(question):
        for year in said_years:
            yield date(year, 1, 1), date(year, 12, 31)
    for back, names in RELATIVE.items():
        if _has_word(question, names):
            yield last - timedelta(days=back), last - timedelta(days=back)


def _dated(question: str) -> Iterator[tuple[int | None, int]]:
    """Days and months, or months alone (day None), that stand in the question."""
    pattern, names = _months()
    unsure = "|".join(UNSURE)
    numbers = {**names, **UNSURE}
    month = rf"(?<!\w)({pattern.pattern}|{unsure})(?!\w)"
    led = "|".join(f"(?<={lead})" for lead in _LEADS)
    forms = (
        (rf"{_DAY}\s*(?:of |de |d'|)\s*{month}", 1, 2),
        (rf"{month}\.?\s*(?:the )?{_DAY}(?!\d|:)", 2, 1),
        (rf"(?<!\w)({pattern.pattern}|(?:{led})(?:{unsure}))(?!\w)", None, 1),
    )
    taken: list[tuple[int, int]] = []
    for form, day_group, month_group in forms:
        for match in re.finditer(form, question):
            if not any(a < match.end() and match.start() < b for a, b in taken):
                taken.append(match.span())
                yield int(match[day_group]) if day_group else None, numbers[match[month_group]]


def _has_word(question: str, names: str) -> bool:
    return any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", question) for name in names.split())


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _month(year: int, month: int) -> Days:
    after = date(year + month // 12, month % 12 + 1, 1)
    return date(year, month, 1), after - timedelta(days=1)
