"""Which number of a date is the day, and of which calendar: from all dates of a file, strongest evidence first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from pipeline.errors import ChatError
from pipeline.sources.whatsapp.calendars import CALENDARS, Calendar

__all__ = ["Hint", "Order", "find_order"]

Triple = tuple[int, int, int]

_ORDERS = {None: ("dmy", "mdy", "ymd"), 2: ("dmy", "mdy"), 0: ("ymd", "ydm"), 1: ("myd", "dym")}
_WORDS = {
    "dmy": "the day first", "mdy": "the month first", "ymd": "the year first", "ydm": "year, day, month",
    "myd": "the month first", "dym": "the day first",
}  # fmt: skip
_RARE = {"ymd": 1, "ydm": 2}  # orders that need a reason, where the others fit as well


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
    impossible: int  # a month above 12 or a day above 31
    overflow: int  # a day that only this month has not: it says nothing of the order unless nothing else does
    backward: int
    out_of_range: int

    @property
    def faults(self) -> float:
        return self.impossible + self.backward + self.out_of_range + self.overflow / 1e9


def find_order(
    dates: Sequence[Triple],
    counts: Sequence[int],
    year_at: int | None,
    *,
    month_at: int | None = None,
    zero: str = "0",
    forced: str | None = None,
    find_stamps: Callable[[], list[tuple[int, date]]] = list,
    find_hints: Callable[[], list[Hint]] = list,
) -> Order:
    """The order of the dates' fields.

    `dates` are the runs of equal dates in file order, `counts` how many headers each run holds; the field `month_at` is
    the month for sure. `find_stamps` gives (run, day) pairs from attachment names, `find_hints` locale hints; both are
    asked only where the dates do not tell. `forced` (dmy, mdy, ymd) is the user's own answer. Raises ChatError for an
    unknown one.
    """
    names = [name for name in _ORDERS[year_at] if month_at in (None, name.index("m"))]
    readings = _readings(names, dates, counts, two_digits=year_at is None, zero=zero)
    if forced is not None:
        return _force(readings, forced)
    ranked = sorted(readings, key=lambda reading: (reading.faults, reading.impossible))
    best = ranked[0]
    tied = [best, *(r for r in ranked[1:] if r.faults == best.faults and r.days != best.days)]
    rivals = [r for r in ranked[1:] if r.days != best.days]
    if len(tied) > 1:
        return _settle(tied, rivals, find_stamps(), find_hints())
    if month_at is not None and not rivals:
        return _result(best, True, ["The months are written as words."])
    if not rivals:
        return _result(best, True, ["Every date reads the same in either order of day and month."])
    return _result(best, *_judge(best, rivals))


def _readings(
    names: list[str], dates: Sequence[Triple], counts: Sequence[int], *, two_digits: bool, zero: str
) -> list[_Reading]:
    """Every order, in the Gregorian calendar unless its years cannot be those of a chat and another's can."""
    readings = [_read(name, CALENDARS[0], dates, counts, two_digits=two_digits) for name in names]
    total = sum(counts)
    if any(
        reading.days.count(None) < len(reading.days) and (reading.impossible + reading.out_of_range) * 2 < total
        for reading in readings
    ):
        return readings
    # Two digits are read as 2567 or 1402 only where the digits or the lack of any other reading say so.
    allowed = ("buddhist", *(["solar hijri"] if zero != "0" else [])) if two_digits else [c.name for c in CALENDARS]
    others = [calendar for calendar in CALENDARS[1:] if calendar.name in allowed]
    for calendar in others:
        foreign = [_read(name, calendar, dates, counts, two_digits=two_digits) for name in names]
        if any(
            reading.days.count(None) < len(reading.days) and (reading.impossible + reading.out_of_range) * 2 < total
            for reading in foreign
        ):
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
    weighed = list(zip(dates, counts, strict=True))
    impossible = sum(count for triple, count in weighed if triple[month_of] > 12 or triple[day_of] > 31)
    overflow = sum(count for day, count in zip(days, counts, strict=True) if day is None) - impossible
    strange = sum(count for triple, count in weighed if known[triple][0] is not None and not known[triple][1])
    real = [day for day in days if day is not None]
    backward = sum(later < earlier for earlier, later in pairwise(real))
    return _Reading(name, calendar, days, impossible, overflow, backward, strange)


def _judge(best: _Reading, rivals: list[_Reading]) -> tuple[bool, list[str]]:
    """How sure the dates alone make the best of the readings, and why."""
    rival = min(rivals, key=lambda reading: (reading.faults, _RARE.get(reading.name, 0)))
    reasons, against = [], []
    for gain, sentence in (
        (rival.impossible - best.impossible, _component(best.name, rival)),
        (rival.backward - best.backward, f"With {_WORDS[rival.name]} the chat would run backward in time."),
        (rival.out_of_range - best.out_of_range, f"With {_WORDS[rival.name]} the years would not be those of a chat."),
    ):
        if gain > 0:
            reasons.append(sentence)
        elif gain < 0:
            against.append("Some dates speak against it.")
    return not against or rival.faults >= 3 * best.faults, reasons + against[:1]


def _component(name: str, rival: _Reading) -> str:
    place = {0: "first", 1: "second", 2: "last"}[name.index("d")]
    return f"In {_count(rival.impossible, 'message')} the {place} number of the date can only be the day."


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _settle(tied: list[_Reading], rivals: list[_Reading], stamps: list[tuple[int, date]], hints: list[Hint]) -> Order:
    """Between readings that the dates allow alike: attachment stamps, then hints, then regularity, then a question."""
    hits = sorted(((sum(_near(reading, run, day) for run, day in stamps), -i) for i, reading in enumerate(tied)))
    if hits[-1][0] > hits[-2][0]:
        number, i = hits[-1]
        return _result(tied[-i], True, [f"The dates in the names of {_count(number, 'attachment')} agree with it."])
    named = {reading.name: reading for reading in tied}
    for hint in hints:
        if hint.strong and hint.order in named:
            return _result(named[hint.order], True, [hint.sentence])
    # Nobody writes year, day, month, and few the year first in two digits: only the dates themselves or a hint say so.
    usual = [reading for reading in tied if reading.name not in _RARE] or tied[:1]
    if len(usual) == 1:
        others = [reading for reading in rivals if reading is not usual[0] and reading.faults > usual[0].faults]
        certain, reasons = _judge(usual[0], others) if others else (True, [f"No phone writes {_WORDS[tied[-1].name]}."])
        return _result(usual[0], certain, reasons)
    for hint in hints:
        if hint.order in named and named[hint.order] in usual:
            return _result(named[hint.order], False, [hint.sentence, _ASK])
    spans = sorted((_span(reading), i) for i, reading in enumerate(usual))
    if len(set(usual[0].days)) > 3 and spans[0][0] * 5 <= spans[1][0]:
        return _result(usual[spans[0][1]], False, ["Read so, the messages lie close together in time.", _ASK])
    return _result(usual[0], False, [_ASK])


_ISLAMIC = "The dates are read by the calendar of Saudi Arabia: by another Islamic one they may be a day off."
_ASK = "No date of this file tells day from month: please check one."


def _near(reading: _Reading, run: int, day: date) -> bool:
    """Whether a run of messages was sent within two days of a stamp."""
    sent = reading.days[run]
    return sent is not None and abs(sent - (day - date(1970, 1, 1)).days) <= 2


def _span(reading: _Reading) -> int:
    real = [day for day in reading.days if day is not None]
    return max(real) - min(real) if real else 0


def _force(readings: list[_Reading], forced: str) -> Order:
    if sorted(forced) != sorted("dmy"):
        raise ChatError(f"“{forced}” is no order of a date: use dmy, mdy or ymd.")
    exact = [reading for reading in readings if reading.name == forced]
    same = [r for r in readings if (r.name.index("d") < r.name.index("m")) == (forced.index("d") < forced.index("m"))]
    best = (exact or sorted(same or readings, key=lambda reading: reading.faults))[0]
    return _result(best, True, [f"You said: {_WORDS[forced]}."])


def _result(reading: _Reading, certain: bool, evidence: list[str]) -> Order:
    if reading.calendar.name == "islamic":
        certain, evidence = False, [*evidence, _ISLAMIC]
    return Order(reading.name, reading.calendar.name, certain, tuple(evidence), reading.days)
