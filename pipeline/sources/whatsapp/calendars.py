"""Dates of the calendars that phones write, as days since 1970-01-01."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

__all__ = ["CALENDARS", "Calendar"]

_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True)
class Calendar:
    """`first_year` is 2009 in this calendar, the year WhatsApp began; two-digit years count from `century`.

    `to_day(year, month, day)` raises ValueError for a date that cannot be.
    """

    name: str
    first_year: int
    century: int
    to_day: Callable[[int, int, int], int]

    def years(self) -> range:
        """The years that a chat read today can be of."""
        this_year = (date.today() + timedelta(days=1)).year
        return range(self.first_year, self.first_year + this_year - 2009 + 1)


def _gregorian(year: int, month: int, day: int) -> int:
    return date(year, month, day).toordinal() - _EPOCH


def _solar_hijri(year: int, month: int, day: int) -> int:
    """Eight leap years in 33, which holds from 1343 to 1472 (1964 to 2093). 1 Farvardin 1403 was 20 March 2024."""

    def is_leap(y: int) -> bool:
        return y % 33 in (1, 5, 9, 13, 17, 22, 26, 30)

    last = 31 if month <= 6 else 30 if month <= 11 or is_leap(year) else 29
    if not (1300 <= year < 1500 and 1 <= month <= 12 and 1 <= day <= last):
        raise ValueError("no such day in the Solar Hijri calendar")
    low, high = sorted((year, 1403))
    leaps = sum(map(is_leap, range(low, high)))
    new_year = date(2024, 3, 20).toordinal() + (365 * (high - low) + leaps) * (1 if year >= 1403 else -1)
    return new_year + min(month - 1, 6) * 31 + max(month - 7, 0) * 30 + day - 1 - _EPOCH


# The months with 30 days of each year from 1430 (29 December 2008 on), the first month in the lowest bit: the
# Umm al-Qura calendar, which phones set to Saudi Arabia show, as its authority published it.
_UMM_AL_QURA = """
aa6 956 2ae 56d 36a b55 aaa 94d 49d 95d 2ba 5b5 5aa d55 a9a 92e 26e 55d ada 6d4
6a5 54b a97 54e aae 5ac ba9 d92 b25 64b cab 55a b55 6d2 ea5 e4a a95 52d aad 36c
"""


def _islamic(year: int, month: int, day: int) -> int:
    long = [[int(bits, 16) >> i & 1 for i in range(12)] for bits in _UMM_AL_QURA.split()]
    if not (1430 <= year < 1430 + len(long) and 1 <= month <= 12 and 1 <= day <= 29 + long[year - 1430][month - 1]):
        raise ValueError("no such day in the Umm al-Qura calendar")
    months = [29 + extra for months in long[: year - 1430] for extra in months]
    months += [29 + extra for extra in long[year - 1430][: month - 1]]
    return date(2008, 12, 29).toordinal() - _EPOCH + sum(months) + day - 1


CALENDARS = (
    Calendar("gregorian", 2009, 2000, _gregorian),
    Calendar("buddhist", 2552, 2500, lambda y, m, d: _gregorian(y - 543, m, d)),
    Calendar("solar hijri", 1387, 1400, _solar_hijri),
    Calendar("islamic", 1430, 1400, _islamic),
    Calendar("minguo", 98, 100, lambda y, m, d: _gregorian(y + 1911, m, d)),
)
