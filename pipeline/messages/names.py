"""Who sent each message: from the headers' first colons to names, and the lines of the app that only look like one."""

import re

import numpy as np
import polars as pl

from pipeline.messages.kinds import Matcher, starts_system_line
from pipeline.messages.scan import Headers
from pipeline.messages.strings import Array, Bytes, slice_strings

__all__ = ["clean_name", "find_names"]


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
    named = np.flatnonzero(end >= 0)
    names = _slice(data, headers, named, end)
    for row in _system_rows(data, headers, named, names, matcher):
        end[row] = -1
    for row, length in _longer_names(data, headers, named, names, end):
        end[row] += length
    if (end != headers.name_end).any():
        named = np.flatnonzero(end >= 0)
        names = _slice(data, headers, named, end)
    distinct = names.unique()
    cleaned = names.replace_strict(distinct, pl.Series([clean_name(name) for name in distinct], dtype=pl.String))
    if len(named) < len(end):
        index = np.full(len(end), -1, np.int64)
        index[named] = np.arange(len(named))
        cleaned = cleaned.gather(pl.Series(index).replace(-1, None))
    return cleaned.rename("sender"), np.where(end >= 0, end + 1, headers.body)


def _slice(data: Bytes, headers: Headers, rows: Array, end: Array) -> pl.Series:
    start = headers.start[rows]
    return slice_strings(data, start + headers.body[rows], start + end[rows])


def _system_rows(data: Bytes, headers: Headers, named: Array, names: pl.Series, matcher: Matcher) -> list[int]:
    """The rows whose "name" is the beginning of a system line."""
    distinct = names.unique()
    suspects = [name for name in distinct if len(name) > _LONGEST_NAME or starts_system_line(clean_name(name))]
    if not suspects:
        return []
    rows = []
    for row in named[names.is_in(suspects).to_numpy()]:
        start = int(headers.start[row])
        body = data[start + int(headers.body[row]) : start + int(headers.line_end[row])].decode()
        quoted = body.count("“") and body.split(": ")[0].count("“") > body.split(": ")[0].count("”")
        if (
            quoted
            or len(body.split(": ")[0]) > _LONGEST_NAME
            or matcher.match(clean_name(body.rstrip("\r")), ("system", "call"))
        ):
            rows.append(int(row))
    return rows


def _longer_names(data: Bytes, headers: Headers, named: Array, names: pl.Series, end: Array) -> list[tuple[int, int]]:
    """(row, bytes by which its name is longer) where a name's first colon is not its end."""
    table = pl.DataFrame({"name": names, "row": named}).filter(pl.Series(end[named] >= 0))
    groups = table.group_by("name", maintain_order=True).agg(pl.col("row").head(3).alias("first"), pl.len())
    longer: list[tuple[int, int]] = []
    for name, first, count in groups.filter(pl.col("len") > 1).iter_rows():
        if not all(_second_part(data, headers, row, end) for row in first):
            continue
        rows = table.filter(pl.col("name") == name)["row"].to_list()
        parts = [_second_part(data, headers, row, end) for row in rows]
        if all(parts) and len(set(parts)) * 2 <= count:
            longer += [(row, len(part) + 2) for row, part in zip(rows, parts, strict=True)]
    return longer


def _second_part(data: Bytes, headers: Headers, row: int, end: Array) -> bytes:
    """What stands between the first colon of a line and its second, if that can be part of a name."""
    start = int(headers.start[row])
    rest = bytes(data[start + int(end[row]) + 2 : start + int(headers.line_end[row])])
    part, colon, _ = rest.partition(b":") if rest.rstrip(b"\r").endswith(b":") else rest.partition(b": ")
    if not colon or len(part) > _LONGEST_NAME or part.startswith(b"\xe2\x80\x8e"):
        return b""
    return b"" if part.decode().strip().casefold() in _OPENINGS else part
