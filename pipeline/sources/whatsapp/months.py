"""The names of months in a header ("12 Jan 2014", "24 aug. 2014"), as old phones wrote them.

From CLDR through babel, which is loaded only for a file that has no dates in numbers. The languages are the app's own.
"""

from collections.abc import Iterable
from functools import cache

__all__ = ["is_month", "read_months"]

_LOCALES = (
    "en en_GB es pt pt_PT fr de de_AT it nl tr ru uk pl ar fa he hi bn mr gu ta te kn ml pa ur id ms vi th ro cs sk hu "
    "el sv nb da fi hr sr sl bg mk sq ca sw fil kk uz az lt lv et af ga ka lo ky"
)


def _normalise(name: str) -> str:
    return name.rstrip(".॰").casefold()


@cache
def _calendars() -> tuple[dict[str, tuple[str, int]], ...]:
    """For each locale, its month names in both widths, normalised -> (as CLDR writes it, month)."""
    from babel import Locale

    calendars = []
    for code in _LOCALES.split():
        months = Locale.parse(code).months
        calendars.append({
            _normalise(name): (name, month)
            for context in ("stand-alone", "format")
            for width in ("wide", "abbreviated")
            for month, name in months[context][width].items()
            if not name[:1].isdigit()
        })  # fmt: skip
    return tuple(calendars)


def is_month(word: str) -> bool:
    """Whether some language has a month of this name, in full or abbreviated, with a dot or without."""
    return any(_normalise(word) in calendar for calendar in _calendars())


def read_months(words: Iterable[str]) -> dict[str, int]:
    """All names of months that a file with these in its headers may write -> the month, 1 to 12.

    Of the first language that has them all, in the letter case of the words; none where there is no such language.
    """
    seen = set(words)
    cases = [case for case in (str.lower, _capitalise, str.upper) if any(case(word) == word for word in seen)]
    for calendar in _calendars():
        if all(_normalise(word) in calendar for word in seen):
            names = {case(name).rstrip(".॰"): month for name, month in calendar.values() for case in cases}
            found = {f"{name}{dot}": month for name, month in names.items() for dot in ("", ".", "॰")}
            return found | {word: calendar[_normalise(word)][1] for word in seen}
    return {}


def _capitalise(name: str) -> str:
    return name[:1].upper() + name[1:]
