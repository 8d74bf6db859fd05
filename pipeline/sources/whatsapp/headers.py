"""What the headers of one file look like, found by looking at all of them (or, in a large file, at a spread sample).

A form is data: a row of tokens (literals, numbers, a marker for the half of the day). detect() makes it from the file's
own headers, scan.py runs it over the bytes. A line with another form is no header, however much it looks like one.
"""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from pipeline.sources.whatsapp.markers import complete, is_marker, read_markers
from pipeline.sources.whatsapp.months import is_month, read_months

__all__ = ["Form", "Token", "detect"]

Role = Literal["literal", "date", "month", "hour", "minute", "second", "marker"]


@dataclass(frozen=True)
class Token:
    """One piece of a header: a number (date, hour, minute, second), or one of some strings.

    `digits`: how many a number has, 0 for one or two. `padded`: below ten it has a zero in front (True), has none
    (False), or may (None). `variants` pairs each string with its code: the half of the day for a marker, the number of
    a month that is written as a word, else 0.
    """

    role: Role
    variants: tuple[tuple[str, int], ...] = ()
    digits: int = 0
    padded: bool | None = None


@dataclass(frozen=True)
class Form:
    """The one form of a file's headers. `zero` is its digit 0; `year_at` the date's field with three or four digits,
    `month_at` that with a word.

    `crlf`: records end in CRLF, so that a line after a bare LF is inside a message, whatever it looks like.
    `padded`: days and months below ten are written with a zero.
    """

    tokens: tuple[Token, ...]
    zero: str
    year_at: int | None
    month_at: int | None
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
        dates = [i for i, token in enumerate(self.tokens) if token.role in ("date", "month")]
        return _fold(self.tokens[dates[0] + 1].variants[0][0]).strip()

    @property
    def marker_words(self) -> tuple[str, ...]:
        """The words for the halves of the day, as written; none on a 24-hour clock."""
        return next((tuple(v for v, _ in t.variants) for t in self.tokens if t.role == "marker"), ())


_M = r"[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\ufeff]*"
_S = r"[^\S\n\r]"  # a space of any width
_GAP = r"[^\d\n\r\]]"
_DATE = (
    rf"(?P<d0>\d{{1,4}})(?P<s0>{_M}(?:{_S}?[./\u2010-\u2012-]{_S}?|[年년]{_S}?){_M})"
    rf"(?P<d1>\d{{1,2}}|\d{{4}})(?P<s1>{_M}(?:{_S}?[./\u2010-\u2012-]{_S}?|[月월]{_S}?|{_S}){_M})(?P<d2>\d{{1,4}})(?!\d)"
)
_TIME = (
    rf"(?P<h>\d{{1,2}})(?P<t0>{_M}(?:[:.]|{_S}?[hH時时시]{_S}?){_M})(?P<m>\d{{1,2}})"
    rf"(?:(?P<t1>{_M}(?:[:.]|{_S}?(?:min|分|분){_S}?){_M})(?P<s>\d{{1,2}}))?(?!\d)"
)
_CLOSE = rf"(?:(?P<bracket>\]{_S}?)|(?P<dash>{_M}{_S}[-\u2013\u2014]{_S})|(?P<colon>:{_S}))"
_START = rf"^{_M}(?P<open>\[?){_M}"
_DATE_FIRST = re.compile(rf"{_START}{_DATE}(?P<between>{_GAP}{{1,30}}?){_TIME}(?P<after>{_GAP}{{0,20}}?){_CLOSE}", re.M)
_TIME_FIRST = re.compile(rf"{_START}{_TIME}(?P<between>{_GAP}{{1,30}}?){_DATE}(?P<after>{_GAP}{{0,20}}?){_CLOSE}", re.M)
# The last resort: no dash, bracket or colon at all ("13. 6. 2018. 21:25:15 Name: text").
_BARE = re.compile(
    rf"{_START}{_DATE}(?P<between>{_GAP}{{1,30}}?){_TIME}(?P<after>)(?P<dash>{_S})(?=[^:\n\r]+:{_S})", re.M
)
# A month's name in place of its number, for files without any header of numbers.
_WORD = r"[^\W\d_][^\s\d,:;<>()\[\]/-]{0,19}"
_JOIN = rf"(?:{_M}{_S}?[./,-]?{_S}?(?:(?:de|of|di){_S})?{_M})"
_NAMED = [
    re.compile(_DATE_FIRST.pattern.replace(_DATE, date), re.M)
    for date in (
        rf"(?P<d0>\d{{1,2}})(?P<s0>{_JOIN})(?P<d1>{_WORD})(?P<s1>{_JOIN})(?P<d2>\d{{4}}|\d{{2}})(?!\d)",
        rf"(?P<d0>{_WORD})(?P<s0>{_JOIN})(?P<d1>\d{{1,2}})(?P<s1>{_JOIN})(?P<d2>\d{{4}}|\d{{2}})(?!\d)",
        rf"(?P<d0>\d{{4}})(?P<s0>{_JOIN})(?P<d1>{_WORD})(?P<s1>{_JOIN})(?P<d2>\d{{1,2}})(?!\d)",
    )
]
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


class _Header(NamedTuple):
    """One line that looks like a header: the key that all of one form share, and the literals as written here.

    `styles`: how the date's numbers, the hour and the minute are padded. `month`: its name, "" where it is a number.
    """

    key: tuple[Any, ...]
    literals: tuple[str, ...]
    start: int
    end: int
    after_crlf: bool
    styles: tuple[int, ...]
    month: str


def detect(sample: str, *, whole: bool) -> Form | None:
    """The form of a file's headers from a sample of its text (whole lines), None if there is none.

    The first line of an export is a header, so its form wins unless another is far more frequent.
    """
    found = _read_headers(sample, (_DATE_FIRST, _TIME_FIRST, _BARE))
    if not found or not _opens(found[0], sample):
        found = sorted(found + _read_headers(sample, _NAMED), key=lambda header: header.start)
    if not found:
        return None
    counts = Counter(header.key for header in found)
    best, most = counts.most_common(1)[0]
    first = found[0] if _opens(found[0], sample) else None
    if first and counts[first.key] * 200 > most:
        best = first.key
    chosen = [header for header in found if header.key == best]
    inner = [header for header in chosen if header.start]
    after_crlf = sum(header.after_crlf for header in inner)
    crlf = after_crlf > 0 and after_crlf * 2 >= len(inner)
    if crlf:
        chosen = [header for header in chosen if header.after_crlf or not header.start]
    return _make_form(chosen, sample, crlf, whole)


def _opens(header: _Header, sample: str) -> bool:
    """Whether nothing stands before this header."""
    return not sample[: header.start].strip("\ufeff\r\n\t \u200e")


def _read_headers(sample: str, patterns: Iterable[re.Pattern[str]]) -> list[_Header]:
    """One header a line at most, the strictest pattern first, in the file's order."""
    by_line: dict[int, _Header] = {}
    for pattern in patterns:
        for match in pattern.finditer(sample):
            if match.start() not in by_line and (header := _read_header(match, sample)):
                by_line[match.start()] = header
    return [by_line[start] for start in sorted(by_line)]


def _read_header(match: re.Match[str], sample: str) -> _Header | None:
    """A match with its literals split from its markers, None where its words are no locale's."""
    numbers = match.group("d0", "d1", "d2", "h", "m")
    date, hour = numbers[:3], numbers[3]
    words = [i for i, piece in enumerate(date) if not piece.isdecimal()]
    month_at = words[0] if words else None
    long = [i for i, piece in enumerate(date) if len(piece) > 2 and i != month_at]
    zero = _zero("".join([piece for piece in numbers if piece.isdecimal()]))
    pieces = _split(match.re is _TIME_FIRST, *match.group("open", "s0", "s1", "between", "t0"), *_ending(match))
    if pieces is None or zero is None or len(long) > 1 or (month_at is not None and not is_month(date[month_at])):
        return None
    literals, slots, before, after = pieces
    if after and literals[-1].startswith(":") and (int(hour) > 12 or not _names_follow(sample, match.end())):
        return None  # "21:25:15 a: text" is a person called "a"
    year = (long[0], len(numbers[long[0]])) if long else (None, 0)
    key = (match.re is _TIME_FIRST, match.group("s") is not None, *year, month_at, before, after, zero, *slots)
    after_crlf = sample[match.start() - 2 : match.start()] == "\r\n"
    styles = tuple([_style(number, zero) for number in numbers])
    month = "" if month_at is None else date[month_at]
    return _Header(key, literals, match.start(), match.end(), after_crlf, styles, month)


def _ending(match: re.Match[str]) -> tuple[str | None, str, str]:
    """What stands between minutes and seconds, what follows the last number, what closes the header."""
    if match.re is _BARE:
        return match["t1"] if match["s"] else None, match["after"], match["dash"]
    seconds, t1, after, bracket, dash, colon = match.group("s", "t1", "after", "bracket", "dash", "colon")
    return t1 if seconds else None, after, bracket or dash or colon or ""


@lru_cache(4096)
def _split(
    time_first: bool, opening: str, s0: str, s1: str, between: str, t0: str, t1: str | None, after: str, close: str
) -> tuple[tuple[str, ...], tuple[str, ...], bool, bool] | None:
    """(literals, the same folded, a marker before the time, one after it); None where the words are no locale's."""
    if (opening == "[") != close.startswith("]"):
        return None
    clock = (t0,) if t1 is None else (t0, t1)
    if time_first:
        gap, marker = _split_after(between, loose=True)
        if gap is None or after.strip(" .") not in _TAILS:
            return None
        literals = (opening, *clock, marker, gap, s0, s1, after + close)
        places = {1 + len(clock): marker}
    else:
        gap, marker = _split_after(after, loose=False)
        if gap is None:
            return None
        between, before = _split_before(between)
        literals = (opening, s0, s1, between, before, *clock, marker, gap + close)
        places = {4: before, len(literals) - 2: marker}
    slots = tuple("*" if places.get(i) else _fold(text) for i, text in enumerate(literals))
    return literals, slots, not time_first and bool(before), bool(marker)


def _style(number: str, zero: str) -> int:
    """1 for a number padded with a zero, -1 for one that is not, 0 where it does not show, as for a word."""
    return 1 if number[0] == zero and len(number) == 2 else -1 if len(number) == 1 and number.isdecimal() else 0


def _names_follow(sample: str, start: int) -> bool:
    """Whether the rest of the line names a sender."""
    return ": " in sample[start : start + 200].partition("\n")[0]


def _zero(digits: str) -> str | None:
    """The zero of the alphabet that all these digits are of."""
    if digits.isascii():
        return "0"
    zeros = {chr(ord(char) - unicodedata.digit(char, -1)) for char in digits if unicodedata.digit(char, -1) >= 0}
    return zeros.pop() if len(zeros) == 1 and len(digits) else None


def _fold(text: str) -> str:
    """A literal without direction marks, and with every space alike: phones mix them within one file."""
    return re.sub(r"\s", " ", _MARKS.sub("", text))


def _split_before(between: str) -> tuple[str, str]:
    """What stands between date and time: the literal and, where the locale writes it first, the marker."""
    for start in range(len(between)):
        rest = between[start:]
        edge = start == 0 or not between[start - 1].isalpha() or between[start - 1] in "日일"
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
    time_first, seconds, year_at, width, month_at, before, after, zero = headers[0].key[:8]
    spellings: list[dict[str, None]] = [defaultdict(None) for _ in headers[0].literals]
    for header in headers:
        for slot, text in zip(spellings, header.literals, strict=True):
            slot[text] = None
    styles = [_common(header.styles[i] for header in headers) for i in range(5)]
    numbers = [
        _months({header.month for header in headers})
        if i == month_at
        else Token("date", digits=width)
        if i == year_at
        else Token("date", padded=styles[i] if year_at is not None else None)
        for i in range(3)
    ]
    short = 2 if styles[4] is not False else 0  # "0:7" is how Yoruba phones write 0:07
    clock = [Token("hour", padded=styles[3]), Token("minute", digits=short), Token("second", digits=short)]
    clock = clock if seconds else clock[:2]
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
        month_at,
        crlf,
        any(style > 0 for header in headers for style in header.styles[: 3 if year_at is not None else 2]),
        sample[headers[0].start : headers[0].end].strip("\ufeff\u200e\u200f"),
    )


def _common(styles: Iterable[int]) -> bool | None:
    """Whether the file pads a number, where three of four headers agree: the others are look-alikes."""
    counts = Counter(styles)
    padded, bare = counts[1], counts[-1]
    return True if padded > 3 * bare else False if bare > 3 * padded else None


def _weave(numbers: list[Token], literals: list[Token]) -> list[Token]:
    """number, literal, number, ..."""
    woven = [numbers[0]]
    for literal, number in zip(literals, numbers[1:], strict=True):
        woven += [literal, number]
    return woven


def _literal(spellings: set[str]) -> Token:
    return Token("literal", tuple((text, 0) for text in sorted(spellings, key=len, reverse=True)))


def _months(words: set[str]) -> Token:
    names = read_months(words)
    return Token("month", tuple((name, names[name]) for name in sorted(names, key=len, reverse=True)))


def _markers(spellings: set[str], whole: bool) -> Token:
    codes = read_markers(spellings if whole else complete(spellings))
    return Token("marker", tuple((text, codes[text]) for text in sorted(codes, key=len, reverse=True)))
