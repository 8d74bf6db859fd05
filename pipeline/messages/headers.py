"""What the headers of one file look like, found by looking at all of them (or, in a large file, at a spread sample).

A form is data: a row of tokens (literals, numbers, a marker for the half of the day). detect() makes it from the file's
own headers, scan.py runs it over the bytes. A line with another form is no header, however much it looks like one.
"""

import re
import unicodedata
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any, Literal

from pipeline.messages.markers import complete, is_marker, read_markers

__all__ = ["Form", "Token", "detect"]

Role = Literal["literal", "date", "hour", "minute", "second", "marker"]


@dataclass(frozen=True)
class Token:
    """One piece of a header: a number (date, hour, minute, second; 0 digits: one or two), or one of some strings.

    `variants` pairs each string with its code: the half of the day for a marker, 0 for a literal.
    """

    role: Role
    variants: tuple[tuple[str, int], ...] = ()
    digits: int = 0


@dataclass(frozen=True)
class Form:
    """The one form of a file's headers. `zero` is its digit 0; `year_at` the date's field with three or four digits.

    `crlf`: records end in CRLF, so that a line after a bare LF is inside a message, whatever it looks like.
    `padded`: days and months below ten are written with a zero.
    """

    tokens: tuple[Token, ...]
    zero: str
    year_at: int | None
    crlf: bool
    padded: bool
    example: str

    @property
    def bracketed(self) -> bool:
        """iOS writes its headers in brackets, and puts a direction mark before all that the app itself says."""
        return self.example.startswith("[")

    @property
    def separator(self) -> str:
        """What stands between the parts of the date, without spaces and direction marks."""
        dates = [i for i, token in enumerate(self.tokens) if token.role == "date"]
        return _fold(self.tokens[dates[0] + 1].variants[0][0]).strip()

    @property
    def marker_words(self) -> tuple[str, ...]:
        """The words for the halves of the day, as written; none on a 24-hour clock."""
        return next((tuple(v for v, _ in t.variants) for t in self.tokens if t.role == "marker"), ())


_M = r"[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\ufeff]*"
_S = r"[^\S\n\r]"  # a space of any width
_GAP = r"[^\d\n\r\]]"
_DATE = (
    rf"(?P<d0>\d{{1,4}})(?P<s0>{_M}(?:{_S}?[./\u2010-\u2012-]{_S}?|年){_M})"
    rf"(?P<d1>\d{{1,2}}|\d{{4}})(?P<s1>{_M}(?:{_S}?[./\u2010-\u2012-]{_S}?|月|{_S}){_M})(?P<d2>\d{{1,4}})(?!\d)"
)
_TIME = (
    rf"(?P<h>\d{{1,2}})(?P<t0>{_M}(?:[:.]|{_S}?[hH時时시]{_S}?){_M})(?P<m>\d{{2}})"
    rf"(?:(?P<t1>{_M}(?:[:.]|{_S}?(?:min|分|분){_S}?){_M})(?P<s>\d{{2}}))?(?!\d)"
)
_CLOSE = rf"(?:(?P<bracket>\]{_S}?)|(?P<dash>{_M}{_S}[-\u2013\u2014]{_S})|(?P<colon>:{_S}))"
_START = rf"^{_M}(?P<open>\[?){_M}"
_DATE_FIRST = re.compile(rf"{_START}{_DATE}(?P<between>{_GAP}{{1,30}}?){_TIME}(?P<after>{_GAP}{{0,20}}?){_CLOSE}", re.M)
_TIME_FIRST = re.compile(rf"{_START}{_TIME}(?P<between>{_GAP}{{1,30}}?){_DATE}(?P<after>{_GAP}{{0,20}}?){_CLOSE}", re.M)
# The last resort: no dash, bracket or colon at all ("13. 6. 2018. 21:25:15 Name: text").
_BARE = re.compile(
    rf"{_START}{_DATE}(?P<between>{_GAP}{{1,30}}?){_TIME}(?P<after>)(?P<dash>{_S})(?=[^:\n\r]+:{_S})", re.M
)
# What may follow the time besides a marker: the word for "hour", for "seconds", a closing parenthesis, a time zone.
_TAILS = {
    "",
    "ч",
    "s",
    "h",
    "uhr",
    "uur",
    "hrs",
    "hs",
    ")",
    "hodź",
    "น",
    "г",
    "秒",
    "초",
    "分",
    "분",
    "utc",
    "gmt",
    "日",
    "일",
}
_MARKS = re.compile(r"[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\ufeff]")


@dataclass(frozen=True)
class _Header:
    """One line that looks like a header: the key that all of one form share, and the literals as written here."""

    key: tuple[Any, ...]
    literals: tuple[str, ...]
    start: int
    end: int
    after_crlf: bool
    padded: bool


def detect(sample: str, *, whole: bool) -> Form | None:
    """The form of a file's headers from a sample of its text (whole lines), None if there is none.

    The first line of an export is a header, so its form wins unless another is far more frequent.
    """
    found = _read_headers(sample)
    if not found:
        return None
    counts = Counter(header.key for header in found)
    best, most = counts.most_common(1)[0]
    first = found[0] if not sample[: found[0].start].strip("\ufeff\r\n\t \u200e") else None
    if first and counts[first.key] * 200 > most:
        best = first.key
    chosen = [header for header in found if header.key == best]
    inner = [header for header in chosen if header.start]
    after_crlf = sum(header.after_crlf for header in inner)
    crlf = after_crlf > 0 and after_crlf * 2 >= len(inner)
    if crlf:
        chosen = [header for header in chosen if header.after_crlf or not header.start]
    return _make_form(chosen, sample, crlf, whole)


def _read_headers(sample: str) -> list[_Header]:
    """One header a line at most, the strictest pattern first, in the file's order."""
    by_line: dict[int, _Header] = {}
    for pattern in (_DATE_FIRST, _TIME_FIRST, _BARE):
        for match in pattern.finditer(sample):
            if match.start() not in by_line and (header := _read_header(match, sample)):
                by_line[match.start()] = header
    return [by_line[start] for start in sorted(by_line)]


def _read_header(match: re.Match[str], sample: str) -> _Header | None:
    """A match with its literals split from its markers, None where its words are no locale's."""
    part = match.groupdict()
    close = part.get("bracket") or part["dash"] or part.get("colon") or ""
    widths = tuple(len(part[name]) for name in ("d0", "d1", "d2"))
    long = [i for i, width in enumerate(widths) if width > 2]
    zero = _zero(part["d0"] + part["d1"] + part["d2"] + part["h"] + part["m"])
    if bool(part["open"]) != bool(part.get("bracket")) or len(long) > 1 or zero is None:
        return None
    time_first = match.re is _TIME_FIRST
    between, before = ("", "") if time_first else _split_before(part["between"])
    gap, after = _split_after(part["between"] if time_first else part["after"], loose=time_first)
    tail = part["after"] if time_first else ""
    if gap is None or tail.strip(" .") not in _TAILS:
        return None
    if part.get("colon") and after and (int(part["h"]) > 12 or not _names_follow(sample, match.end())):
        return None  # "21:25:15 a: text" is a person called "a"
    clock = [part["t0"], part["t1"]] if part["s"] else [part["t0"]]
    date = [part["s0"], part["s1"]]
    if time_first:
        literals = [part["open"], *clock, after, gap, *date, tail + close]
    else:
        literals = [part["open"], *date, between, before, *clock, after, gap + close]
    slots = [_fold(text) for text in literals]
    for marker, slot in ((before, 4), (after, 1 + len(clock) if time_first else -2)):
        slots[slot] = "*" if marker else slots[slot]
    year = (long[0], widths[long[0]]) if long else (None, 0)
    key = (time_first, len(clock) > 1, *year, bool(before), bool(after), zero, *slots)
    after_crlf = sample[match.start() - 2 : match.start()] == "\r\n"
    fields = [part[name] for i, name in enumerate(("d0", "d1", "d2")) if i != _year(widths)]
    fields = [part[name] for i, name in enumerate(("d0", "d1", "d2")) if i != _year(widths)]
    padded = any(field[0] == zero for field in fields)
    return _Header(key, tuple(literals), match.start(), match.end(), after_crlf, padded)


def _year(widths: tuple[int, ...]) -> int:
    """The place of the year as far as its width tells: a year in two digits may begin with a zero."""
    return next((i for i, width in enumerate(widths) if width > 2), 2)


def _names_follow(sample: str, start: int) -> bool:
    """Whether the rest of the line names a sender."""
    return re.compile(r"[^\n]*?:\s").match(sample, start) is not None


def _zero(digits: str) -> str | None:
    """The zero of the alphabet that all these digits are of."""
    zeros = {chr(ord(char) - unicodedata.digit(char, -1)) for char in digits if unicodedata.digit(char, -1) >= 0}
    return zeros.pop() if len(zeros) == 1 and len(digits) else None


def _fold(text: str) -> str:
    """A literal without direction marks, and with every space alike: phones mix them within one file."""
    return re.sub(r"\s", " ", _MARKS.sub("", text))


def _split_before(between: str) -> tuple[str, str]:
    """What stands between date and time: the literal and, where the locale writes it first, the marker."""
    for start in range(len(between)):
        rest = between[start:]
        edge = start == 0 or not between[start - 1].isalpha()
        if edge and rest[0].isalpha() and is_marker(rest) and not (len(rest.strip()) == 1 and rest[0].isascii()):
            return between[:start], rest
    return between, ""


def _split_after(after: str, *, loose: bool) -> tuple[str | None, str]:
    """What follows the time: (literal, marker); (None, "") where it is neither a marker nor a known word.

    `loose` takes any literal without letters too: the comma between time and date where the time comes first.
    """
    if _fold(after).strip(" .").casefold() in _TAILS:
        return after, ""
    for end in range(len(after), 0, -1):
        if is_marker(after[:end]) and after[end - 1] not in ",، ":
            rest = _fold(after[end:])
            if rest.strip(" .)") in _TAILS or (loose and not any(map(str.isalpha, rest))):
                return after[end:], after[:end]
    if loose and not any(map(str.isalpha, after)):
        return after, ""
    return None, ""


def _make_form(headers: list[_Header], sample: str, crlf: bool, whole: bool) -> Form:
    """The tokens that match every one of these headers."""
    time_first, seconds, year_at, width, before, after, zero = headers[0].key[:7]
    spellings: list[dict[str, None]] = [defaultdict(None) for _ in headers[0].literals]
    for header in headers:
        for slot, text in zip(spellings, header.literals, strict=True):
            slot[text] = None
    numbers = [Token("date", digits=width if i == year_at else 0) for i in range(3)]
    clock = [Token("hour"), Token("minute", digits=2)] + ([Token("second", digits=2)] if seconds else [])
    slots = [_literal(set(slot)) for slot in spellings]
    count = len(clock)
    if time_first:
        marker = _markers(set(spellings[count]), whole) if after else _literal({""})
        row = [
            slots[0],
            *_weave(clock, slots[1:count]),
            marker,
            slots[count + 1],
            *_weave(numbers, slots[count + 2 : -1]),
        ]
    else:
        first = _markers(set(spellings[4]), whole) if before else _literal({""})
        last = _markers(set(spellings[-2]), whole) if after else _literal({""})
        row = [slots[0], *_weave(numbers, slots[1:3]), slots[3], first, *_weave(clock, slots[5:-2]), last]
    row.append(slots[-1])
    tokens = tuple(token for token in row if token.role != "literal" or token.variants != (("", 0),))
    return Form(
        tokens,
        zero,
        year_at,
        crlf,
        any(header.padded for header in headers),
        sample[headers[0].start : headers[0].end].strip("\ufeff\u200e\u200f"),
    )


def _weave(numbers: list[Token], literals: list[Token]) -> list[Token]:
    """number, literal, number, ..."""
    woven = [numbers[0]]
    for literal, number in zip(literals, numbers[1:], strict=True):
        woven += [literal, number]
    return woven


def _literal(spellings: set[str]) -> Token:
    return Token("literal", tuple((text, 0) for text in sorted(spellings, key=len, reverse=True)))


def _markers(spellings: set[str], whole: bool) -> Token:
    codes = read_markers(spellings if whole else complete(spellings))
    return Token("marker", tuple((text, codes[text]) for text in sorted(codes, key=len, reverse=True)))
