"""WhatsApp's text exports: bytes to the table of messages, and how they were read."""

import re
from datetime import date

import numpy as np
import polars as pl

from pipeline.errors import ChatError
from pipeline.messages import SCHEMA, Chat, Layout
from pipeline.progress import SILENT, Progress
from pipeline.sources.source import Bytes, Evidence
from pipeline.sources.whatsapp.bodies import Bodies, describe
from pipeline.sources.whatsapp.headers import Form, detect
from pipeline.sources.whatsapp.hints import find_hints
from pipeline.sources.whatsapp.kinds import Matcher, is_phrase
from pipeline.sources.whatsapp.names import find_names
from pipeline.sources.whatsapp.order import Order, find_order
from pipeline.sources.whatsapp.scan import Headers, scan, unpack
from pipeline.sources.whatsapp.strings import Array, column, slice_strings

__all__ = ["parse", "recognises"]

_WHOLE = 1 << 19  # bytes; the headers of a larger file are learned from a spread sample
_WINDOW = 1 << 12
_NO_CHAT = "There is no chat in this file: use the .txt or .zip that WhatsApp makes under “Export chat”."
_STAMP = re.compile(rb"-(20\d{2})(\d{2})(\d{2})-WA\d|-(20\d{2})-(\d{2})-(\d{2})-\d{2}-\d{2}-\d{2}\.")


def recognises(start: str, name: str) -> Evidence | None:
    """Whether a text begins with headers of an export. `name`: phones name their exports in too many ways to tell."""
    form = detect(start[:_WHOLE], whole=False)
    return Evidence(0.9, f"its messages begin as in {form.example.strip()}") if form else None


def parse(data: Bytes, *, chat: str | None = None, date_order: str | None = None, progress: Progress = SILENT) -> Chat:
    """The messages of one export in valid UTF-8; a text is one chat, and its file's name alone tells with whom.

    A text is as written, with inner newlines and "<attached: f>", but for the app's own direction mark in front and its
    "<This message was edited>" behind, which becomes `edited`. Lines of the app itself have no sender, even where iOS
    writes one.
    """
    form = detect(_sample(data), whole=len(data) <= _WHOLE)
    headers = scan(data, form, progress) if form else None
    if form is None or headers is None or not len(headers):
        raise ChatError(_NO_CHAT)
    runs = np.concatenate([[0], np.flatnonzero(np.diff(headers.date)) + 1])
    lengths = np.diff(np.append(runs, len(headers)))
    order = _order(data, form, headers, runs, lengths, date_order)
    days = np.repeat(np.array([-(2**31) if day is None else day for day in order.days], np.int64), lengths)
    real = days > -(2**31)
    if not real.any():
        raise ChatError(_NO_CHAT)
    if not real.all():
        headers, days = headers.filter(real), days[real]
    matcher = Matcher()
    table = _table(data, form, headers, matcher)
    sent_at = column((days * 86_400 + headers.second) * 1_000_000).cast(SCHEMA["sent_at"]).alias("sent_at")
    stray = sum(1 for line in data[: headers.start[0]].split(b"\n") if line.strip(b"\r \t\xef\xbb\xbf"))
    return Chat(table.select(sent_at, *list(SCHEMA)[1:]), _layout(form, order, matcher, stray), "")


def _sample(data: Bytes) -> str:
    """All of a small file; of a large one its beginning and 64 windows of whole lines spread over it."""
    if len(data) <= _WHOLE:
        return data.decode("utf-8", "ignore")
    windows = [data[: data.find(b"\n", _WINDOW * 16) + 1]]
    for begin in np.linspace(_WINDOW * 20, len(data) - _WINDOW, 64).astype(int).tolist():
        window = data[begin : begin + _WINDOW]
        windows.append(window[window.find(b"\n") + 1 : window.rfind(b"\n") + 1])
    return b"".join(windows).decode("utf-8", "ignore")


def _order(data: Bytes, form: Form, headers: Headers, runs: Array, lengths: Array, forced: str | None) -> Order:
    fields = unpack(headers.date[runs], form.year_at)
    dates = list(zip(*(field.tolist() for field in fields), strict=True))

    def find_stamps() -> list[tuple[int, date]]:
        stamps = []
        for match in _STAMP.finditer(data):
            header = int(np.searchsorted(headers.start, match.start(), "right")) - 1
            try:
                day = date(*(int(part) for part in match.groups() if part))
            except ValueError:
                continue
            if header >= 0:
                stamps.append((int(np.searchsorted(runs, header, "right")) - 1, day))
        return stamps

    return find_order(
        dates,
        lengths.tolist(),
        form.year_at,
        month_at=form.month_at,
        zero=form.zero,
        forced=forced,
        find_stamps=find_stamps,
        find_hints=lambda: find_hints(form, _first_bodies(data, headers)),
    )


def _first_bodies(data: Bytes, headers: Headers, count: int = 500) -> list[str]:
    """What of the first messages may be the app's: the first line, behind name and colon."""
    rows = range(min(count, len(headers)))
    begins = [int(headers.start[i]) + max(int(headers.name_end[i]) + 1, int(headers.body[i])) for i in rows]
    ends = [int(headers.start[i]) + int(headers.line_end[i]) for i in rows]
    bodies = [data[begin:end].decode().strip() for begin, end in zip(begins, ends, strict=True)]
    nameless = headers.name_end < 0
    return [
        body for i, body in enumerate(bodies) if nameless[i] or body.startswith(("\u200e", "<", "‹")) or is_phrase(body)
    ]


def _table(data: Bytes, form: Form, headers: Headers, matcher: Matcher) -> pl.DataFrame:
    """All columns but the time."""
    buffer = np.frombuffer(data, np.uint8)
    sender, text_at = find_names(data, headers, matcher)
    start, end = _text_bounds(buffer, headers, text_at, sender.is_not_null().to_numpy())
    marked = np.zeros(len(start), bool)
    rows = np.flatnonzero(end - start >= 3)
    while len(rows := rows[_has_mark(buffer, start[rows])]):
        start[rows] += 3
        marked[rows] = True
        rows = rows[end[rows] - start[rows] >= 3]
    first, last = _first_and_last(buffer, start, end)
    strings = slice_strings(data, start, end)
    text = strings.to_series()
    if form.crlf and (inner := text.str.contains("\r\n", literal=True)).any():
        lines = inner.arg_true()
        strings = strings.replace(lines.to_numpy(), text.gather(lines).str.replace_all("\r\n", "\n").to_list())
        text = strings.to_series()
    bodies = Bodies(
        sender,
        strings,
        text,
        marked,
        first,
        last,
        _line_last(buffer, headers),
        form.bracketed,
    )
    return describe(bodies, matcher)


def _first_and_last(buffer: Array, start: Array, end: Array) -> tuple[Array, Array]:
    """The first and the last byte of each text, 0 where it is empty."""
    empty, limit = end == start, len(buffer) - 1
    at, before = np.minimum(start, limit), np.maximum(end - 1, 0)
    first = _bracket(buffer[at], buffer[np.minimum(at + 1, limit)])
    last = _bracket(buffer[before], buffer[np.maximum(before - 1, 0)])
    return np.where(empty, np.uint8(0), first), np.where(empty, np.uint8(0), last)


def _line_last(buffer: Array, headers: Headers) -> Array:
    """The last byte of each header's line."""
    line_end = headers.start + headers.line_end
    last: Array = buffer[np.maximum(line_end - 1, 0)]
    if (last == 13).any():
        last = np.where(last == 13, buffer[np.maximum(line_end - 2, 0)], last)
    return last


def _bracket(byte: Array, neighbour: Array) -> Array:
    """The byte, or 0 where it only looks like an angle bracket's (‹ is E2 80 B9, › E2 80 BA), as a heart's does."""
    return np.where((byte >= 0x80) & (neighbour != 0x80), np.uint8(0), byte)


def _text_bounds(buffer: Array, headers: Headers, text_at: Array, named: Array) -> tuple[Array, Array]:
    """Where each text begins and ends: after the name's colon and one space, before the newline of the next header.

    The newlines at the end of the file belong to no message.
    """
    last = len(buffer)
    while last > headers.start[-1] and buffer[last - 1] in (10, 13):
        last -= 1
    end = np.append(headers.start[1:] - 1, last)
    end = end - (buffer[np.maximum(end - 1, 0)] == 13)
    start = headers.start + text_at
    space = named & (start < end) & (buffer[np.minimum(start, len(buffer) - 1)] == 32)
    return np.minimum(start + space, end), end


def _has_mark(buffer: Array, start: Array) -> Array:
    """Whether U+200E, which iOS puts before all that the app says (once or twice), stands there."""
    found: Array = buffer[start] == 0xE2
    at = start[found]
    found[found] = (buffer[at + 1] == 0x80) & (buffer[at + 2] == 0x8E)
    return found


def _layout(form: Form, order: Order, matcher: Matcher, stray: int) -> Layout:
    return Layout(
        source="whatsapp",
        header=form.example.strip(),
        date_order=order.name,
        clock=12 if form.marker_words else 24,
        calendar=order.calendar,
        language=matcher.language,
        certain=order.certain,
        evidence=order.evidence,
        stray_lines=stray,
    )
