"""Which number of a date is the day, and of which calendar: from all dates of a file, strongest evidence first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from pipeline.errors import ChatError
from pipeline.messages.calendars import CALENDARS, Calendar

__all__ = ["Hint", "Order", "find_order"]

Triple = tuple[int, int, int]

_ORDERS = {None: ("dmy", "mdy", "ymd"), 2: ("dmy", "mdy"), 0: ("ymd", "ydm"), 1: ("myd", "dym")}
_FIRST = {"d": "day", "m": "month", "y": "year"}


@dataclass(frozen=True)
class Hint:
    """What the file's language or markers say of the order; not proof unless `strong`."""

    order: str
    strong: bool
    sentence: str


@dataclass(frozen=True)
class Order:
    """`days` holds, for each date of the file in turn, its day since 1970-01-01, or None where there is no such day."""

    name: str
    calendar: str
    certain: bool
    evidence: tuple[str, ...]
    days: tuple[int | None, ...]


@dataclass(frozen=True)
class _Reading:
    """One way to read all dates, and what speaks against it."""

    name: str
    calendar: Calendar
    days: tuple[int | None, ...]
    impossible: int
    backward: int
    out_of_range: int

    @property
    def faults(self) -> int:
        return self.impossible + self.backward + self.out_of_range


def find_order(
    dates: Sequence[Triple],
    counts: Sequence[int],
    year_at: int | None,
    *,
    zero: str = "0",
    forced: str | None = None,
    find_stamps: Callable[[], list[tuple[int, date]]] = list,
    find_hints: Callable[[], list[Hint]] = list,
) -> Order:
    """The order of the dates' fields.

    `dates` are the runs of equal dates in file order, `counts` how many headers each run holds. `find_stamps` gives
    (run, day) pairs from attachment names, `find_hints` locale hints; both are asked only where the dates do not tell.
    `forced` (dmy, mdy, ymd) is the user's own answer. Raises ChatError for an unknown one.
    """
    readings = _readings(dates, counts, year_at, zero)
    if forced is not None:
        return _force(readings, forced)
    ranked = sorted(readings, key=lambda reading: (reading.faults, reading.impossible))
    best, rivals = ranked[0], [r for r in ranked[1:] if r.days != ranked[0].days]
    if not rivals:
        return _result(best, True, ["Every date reads the same in either order of day and month."])
    if best.faults < rivals[0].faults:
        return _result(best, *_judge(best, rivals[0]))
    tied = [best, *(rival for rival in rivals if rival.faults == best.faults)]
    return _settle(tied, find_stamps(), find_hints())


def _readings(dates: Sequence[Triple], counts: Sequence[int], year_at: int | None, zero: str) -> list[_Reading]:
    """Every order, in the Gregorian calendar unless its years cannot be those of a chat and another's can."""
    two_digits = year_at is None
    readings = [_read(name, CALENDARS[0], dates, counts, two_digits=two_digits) for name in _ORDERS[year_at]]
    total = sum(counts)
    if any((reading.impossible + reading.out_of_range) * 2 < total for reading in readings):
        return readings
    # Two digits are read as 2567 or 1402 only where the digits or the lack of any other reading say so.
    allowed = ("buddhist", *(["solar hijri"] if zero != "0" else [])) if two_digits else [c.name for c in CALENDARS]
    others = [calendar for calendar in CALENDARS[1:] if calendar.name in allowed]
    for calendar in others:
        foreign = [_read(name, calendar, dates, counts, two_digits=two_digits) for name in _ORDERS[year_at]]
        if any((reading.impossible + reading.out_of_range) * 2 < total for reading in foreign):
            return foreign
    return readings


def _read(
    name: str, calendar: Calendar, dates: Sequence[Triple], counts: Sequence[int], *, two_digits: bool
) -> _Reading:
    year_of, month_of, day_of = (name.index(letter) for letter in "ymd")
    years = calendar.years()
    known: dict[Triple, tuple[int | None, bool]] = {}
    for triple in dict.fromkeys(dates):
        year = triple[year_of]
        if two_digits:
            year += calendar.century if year + calendar.century in years or year < 50 else calendar.century - 100
        try:
            known[triple] = calendar.to_day(year, triple[month_of], triple[day_of]), year in years
        except (ValueError, OverflowError):
            known[triple] = None, False
    days = tuple(known[triple][0] for triple in dates)
    impossible = sum(count for day, count in zip(days, counts, strict=True) if day is None)
    strange = sum(count for t, count in zip(dates, counts, strict=True) if known[t][0] is not None and not known[t][1])
    real = [day for day in days if day is not None]
    backward = sum(later < earlier for earlier, later in pairwise(real))
    return _Reading(name, calendar, days, impossible, backward, strange)


def _judge(best: _Reading, rival: _Reading) -> tuple[bool, list[str]]:
    """How sure the dates alone make the better of two readings, and why."""
    reasons, against = [], []
    names = {"impossible": "{n} dates cannot be read with the {other} first", "backward": (
        "with the {other} first the chat would run backward in time {n} times"), "out_of_range": (
        "with the {other} first {n} messages would be of a year no chat can be of")}  # fmt: skip
    for fault, words in names.items():
        gain = getattr(rival, fault) - getattr(best, fault)
        if gain > 0:
            reasons.append(_sentence(words.format(n=f"{gain:,}", other=_FIRST[rival.name[0]])))
        elif gain < 0:
            against.append(_sentence(words.format(n=f"{-gain:,}", other=_FIRST[best.name[0]])))
    certain = not against or rival.faults >= 3 * best.faults
    return certain, reasons + [f"Against it: {_lower(sentence)}" for sentence in against]


def _settle(tied: list[_Reading], stamps: list[tuple[int, date]], hints: list[Hint]) -> Order:
    """Between readings that the dates allow alike: attachment stamps, then regularity, then hints, then a question."""
    hits = [(sum(_near(reading, run, day) for run, day in stamps), reading) for reading in tied]
    hits.sort(key=lambda pair: -pair[0])
    if hits[0][0] > hits[1][0]:
        number, best = hits[0]
        return _result(best, True, [f"The dates in {number:,} attachment names agree with it."])
    evidence = []
    for hint in hints:
        for reading in tied:
            if _agrees(reading.name, hint.order):
                return _result(reading, hint.strong, [hint.sentence] if hint.strong else [hint.sentence, _ASK])
    spans = sorted(((_span(reading), i) for i, reading in enumerate(tied)))
    if len(set(tied[0].days)) > 3 and spans[0][0] * 5 <= spans[1][0]:
        evidence.append("Read so, the messages lie close together in time.")
    best = tied[spans[0][1]] if evidence else tied[0]
    return _result(best, False, [*evidence, _ASK])


_ASK = "No date of this file tells day from month: please check one."


def _near(reading: _Reading, run: int, day: date) -> bool:
    """Whether a run of messages was sent within two days of a stamp."""
    sent = reading.days[run]
    return sent is not None and abs(sent - (day - date(1970, 1, 1)).days) <= 2


def _span(reading: _Reading) -> int:
    real = [day for day in reading.days if day is not None]
    return max(real) - min(real) if real else 0


def _agrees(name: str, order: str) -> bool:
    return (name.index("d") < name.index("m")) == (order.index("d") < order.index("m")) and (
        name.startswith("y") == order.startswith("y") or name in ("myd", "dym", "ydm")
    )


def _force(readings: list[_Reading], forced: str) -> Order:
    if sorted(forced) != sorted("dmy"):
        raise ChatError(f"“{forced}” is no order of a date: use dmy, mdy or ymd.")
    exact = [reading for reading in readings if reading.name == forced]
    same = [r for r in readings if (r.name.index("d") < r.name.index("m")) == (forced.index("d") < forced.index("m"))]
    best = (exact or sorted(same, key=lambda reading: reading.faults))[0]
    return _result(best, True, [f"You said that the {_FIRST[forced[0]]} comes first."])


def _result(reading: _Reading, certain: bool, evidence: list[str]) -> Order:
    return Order(reading.name, reading.calendar.name, certain, tuple(evidence), reading.days)


def _sentence(words: str) -> str:
    return words[0].upper() + words[1:] + "."


def _lower(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]
