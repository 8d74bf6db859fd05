"""Who sent each message: from the headers' first colons to names, and the lines of the app that only look like one."""

import re
from dataclasses import dataclass

import numpy as np
import polars as pl

from pipeline.sources.source import Bytes
from pipeline.sources.whatsapp.kinds import Matcher, starts_system_line
from pipeline.sources.whatsapp.scan import Headers
from pipeline.sources.whatsapp.strings import Array, column, slice_strings

__all__ = ["clean_name", "find_names"]


_BLOCK = 1 << 16  # headers at a time
_LONGEST_NAME = 100  # characters; WhatsApp's own names end at 25, a phone's contacts may be longer
_EDGE = r"[\s\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069\ufeff]+"
_EDGES = re.compile(rf"^{_EDGE}|{_EDGE}$")
# Openings of messages that are no second part of a name, however often they come.
_OPENINGS = {
    "q",
    "a",
    "re",
    "fw",
    "fwd",
    "ps",
    "p.s.",
    "note",
    "fyi",
    "todo",
    "edit",
    "update",
    "http",
    "https",
    "ok",
    "nb",
    "tl;dr",
}


def clean_name(name: str) -> str:
    """A name without the spaces and direction marks around it."""
    return _EDGES.sub("", name)


def find_names(data: Bytes, headers: Headers, matcher: Matcher) -> tuple[pl.Series, Array]:
    """(sender of each header, null for a line of the app; offset from the header's start at which its text begins).

    A first colon ends the name, but for two cases: a system line that quotes a colon ("changed the subject to “a: b”"),
    and a name that holds one ("Work: Alice"), seen where all the messages of one name go on with the same second name.
    """
    end = headers.name_end.copy()
    groups = _group(data, headers, end)
    for row in _system_rows(data, headers, groups, matcher):
        end[row] = -1
    longer, system = _longer_names(data, headers, groups, end, matcher)
    for row, length in longer:
        end[row] += length
    end[system] = -1
    if longer:
        groups = _group(data, headers, end)
    elif (end != headers.name_end).any():
        named = end[groups.rows] >= 0
        groups = _Groups(groups.rows[named], groups.codes[named], groups.names)
    cleaned = pl.Series("sender", [clean_name(name) for name in groups.names], dtype=pl.String)
    codes = np.full(len(end), len(cleaned), np.uint32)
    codes[groups.rows] = groups.codes
    senders = pl.concat([cleaned, pl.Series("sender", [None], dtype=pl.String)]).gather(column(codes))
    return senders, np.where(end >= 0, end + 1, headers.body)


@dataclass(frozen=True)
class _Groups:
    """The headers (`rows`) that have a name, and which of the distinct names each one has."""

    rows: Array
    codes: Array
    names: list[str]

    def by_name(self) -> list[Array]:
        """The rows of each name, in file order."""
        ends = np.cumsum(np.bincount(self.codes, minlength=len(self.names)))
        return np.split(self.rows[np.argsort(self.codes, kind="stable")], ends)[:-1]


def _group(data: Bytes, headers: Headers, end: Array) -> _Groups:
    rows = np.flatnonzero(end >= 0).astype(np.int32)
    codes = np.empty(len(rows), np.uint32)
    known: dict[str, int] = {}
    for begin in range(0, len(rows), _BLOCK):
        block = rows[begin : begin + _BLOCK]
        start = headers.start[block]
        names = slice_strings(data, start + headers.body[block], start + end[block]).to_series()
        # Categories of our own, so that no name outlives its chat in the process's shared ones.
        here = names.cast(pl.Categorical(pl.Categories.random())).to_physical().to_numpy()
        first = np.zeros(int(here.max()) + 1, np.int32)
        first[here[::-1]] = np.arange(len(here))[::-1]
        numbers = [known.setdefault(name, len(known)) for name in names.gather(column(first)).to_list()]
        codes[begin : begin + _BLOCK] = np.array(numbers, np.uint32)[here]
    return _Groups(rows, codes, list(known))


def _system_rows(data: Bytes, headers: Headers, groups: _Groups, matcher: Matcher) -> list[int]:
    """The rows whose "name" is the beginning of a system line."""
    suspects = np.array(
        [len(name) > _LONGEST_NAME or starts_system_line(clean_name(name)) for name in groups.names], bool
    )
    if not suspects.any():
        return []
    known: dict[str, bool] = {}
    rows = []
    for row in groups.rows[suspects[groups.codes]].tolist():
        body = _body(data, headers, row)
        if body not in known:
            name = body.partition(": ")[0]
            known[body] = _quotes(name, body) or len(name) > _LONGEST_NAME or _is_system(body, matcher)
        if known[body]:
            rows.append(row)
    return rows


def _quotes(name: str, body: str) -> bool:
    """Whether a quotation that the body ends opens before the first colon: no name does that."""
    pairs = (("“", "”"), ("„", "“"), ("«", "»"), ("「", "」"), ("『", "』"), ("‘", "’"))
    return any(name.count(a) > name.count(b) and b in body[len(name) :] for a, b in pairs)


def _body(data: Bytes, headers: Headers, row: int) -> str:
    """The first line behind a header, with the name in front."""
    start = int(headers.start[row])
    body = data[start + int(headers.body[row]) : start + int(headers.line_end[row])]
    return clean_name(body.decode().rstrip("\r"))


def _is_system(body: str, matcher: Matcher) -> bool:
    return matcher.match(body, ("system", "call")) is not None


def _longer_names(
    data: Bytes, headers: Headers, groups: _Groups, end: Array, matcher: Matcher
) -> tuple[list[tuple[int, int]], list[int]]:
    """Where a name's first colon is not its end: (row, bytes more), and system lines about people with such names."""
    longer: list[tuple[int, int]] = []
    system: list[int] = []
    told = _told_by_the_app(data, headers, end)
    for name, rows in zip(groups.names, groups.by_name(), strict=True):
        row = int(rows[0]) if len(rows) > (not told) else -1
        if row < 0 or end[row] < 0 or _is_marked(data, headers, row, end):
            continue
        if not _second_part(data, headers, row, end) and not _is_system(_body(data, headers, row), matcher):
            continue
        said: dict[int, bytes] = {}
        about: list[int] = []
        for row in rows[end[rows] >= 0].tolist():
            if part := _second_part(data, headers, row, end):
                said[row] = part
            elif not _is_marked(data, headers, row, end) and _is_system(_body(data, headers, row), matcher):
                about.append(row)
            else:
                break
        else:
            parts = set(said.values())
            links = all(_is_link(data, headers, row, end, part) for row, part in said.items())  # shared places
            often = len(said) > 1 and len(parts) * 2 <= len(said) + len(said) % 2 and not links
            if often or any(name.encode() + b": " + part in told for part in parts):
                longer += [(row, len(part) + 2) for row, part in said.items()]
                system += about
    return longer, system


def _told_by_the_app(data: Bytes, headers: Headers, end: Array) -> bytes:
    """The system lines that hold a colon, which may be that of a name ("You added Work: Ann")."""
    lines = []
    for row in np.flatnonzero((end < 0) & (headers.name_end >= 0))[:_BLOCK].tolist():
        start = int(headers.start[row])
        lines.append(data[start + int(headers.body[row]) : start + int(headers.line_end[row])])
    return b"\n".join(lines)


def _is_marked(data: Bytes, headers: Headers, row: int, end: Array) -> bool:
    """Whether the app's own mark follows the first colon, so that the name surely ends there."""
    start = int(headers.start[row]) + int(end[row]) + 2
    return data[start : start + 3] == b"\xe2\x80\x8e"


def _is_link(data: Bytes, headers: Headers, row: int, end: Array, part: bytes) -> bool:
    """Whether nothing but a web address follows a second part."""
    start = int(headers.start[row])
    rest = data[start + int(end[row]) + 2 + len(part) : start + int(headers.line_end[row])]
    return re.fullmatch(rb":\s+https?://\S+\s*", rest) is not None


def _second_part(data: Bytes, headers: Headers, row: int, end: Array) -> bytes:
    """What stands between the first colon of a line and its second, if that can be part of a name."""
    start = int(headers.start[row])
    rest = bytes(data[start + int(end[row]) + 2 : start + int(headers.line_end[row])])
    part, colon, _ = rest.partition(b":") if rest.rstrip(b"\r").endswith(b":") else rest.partition(b": ")
    if not colon or len(part) > _LONGEST_NAME or part.startswith(b"\xe2\x80\x8e"):
        return b""
    return b"" if part.decode().strip().casefold() in _OPENINGS else part
