"""Columns of polars that share the memory of bytes and arrays, handed over by Arrow's C interface.

polars' own constructors copy, and load numpy.ma and pyarrow.compute for it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from pipeline.sources.source import Bytes

__all__ = ["Array", "Strings", "column", "slice_strings"]

Array = np.ndarray[Any, np.dtype[Any]]

_INLINE = 12  # bytes; a longer string is kept as its first four and where it lies
_BLOCK = 1 << 16  # strings at a time, so that what is in between stays in the CPU's cache


class _Exported:
    def __init__(self, array: Any) -> None:
        self.array = array

    def __arrow_c_array__(self, requested_schema: object = None) -> Any:
        return self.array.__arrow_c_array__(requested_schema)


def column(values: Array) -> pl.Series:
    """A column of these numbers or truth values, without nulls; numbers are not copied."""
    import pyarrow as pa  # type: ignore[import-untyped]

    kind = pa.from_numpy_dtype(values.dtype)
    buffer = np.packbits(values, bitorder="little") if values.dtype == np.bool_ else np.ascontiguousarray(values)
    return pl.Series(_Exported(pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(buffer)])))


@dataclass(frozen=True)
class Strings:
    """Strings as polars keeps them: 16 bytes each (`views`), of which those longer than 12 point into a buffer."""

    views: Array  # n x 4 of int32: length, first four bytes, which buffer, offset; or length and up to twelve bytes
    buffers: tuple[Bytes, ...]

    def to_series(self) -> pl.Series:
        import pyarrow as pa

        buffers = [None, pa.py_buffer(self.views), *map(pa.py_buffer, self.buffers)]
        return pl.Series(_Exported(pa.Array.from_buffers(pa.string_view(), len(self.views), buffers)))

    def replace(self, rows: Array, texts: list[str]) -> "Strings":
        """With these texts in the place of those rows."""
        encoded = [text.encode() for text in texts]
        lengths = np.array([len(text) for text in encoded], np.int64)
        ends = np.cumsum(lengths)
        data = b"".join(encoded) + b"\0" * 4
        views = self.views.copy()
        views[rows] = _views(data, ends - lengths, ends, len(self.buffers))
        return Strings(views, (*self.buffers, data))


def slice_strings(data: Bytes, starts: Array, ends: Array) -> Strings:
    """data[start:end] for each pair; `data`, at most 2 GB, is not copied.

    The slices must be inside it, else ValueError: the strings would point outside its memory; and they must begin and
    end at whole characters of valid UTF-8, which is not checked.
    """
    if len(starts) and (starts.min() < 0 or (ends < starts).any() or ends.max() > len(data)):
        raise ValueError("slices outside the data")
    if len(data) < 4:
        data = bytes(data) + b"\0" * 4
    return Strings(_views(data, starts, ends, 0), (data,))


def _views(data: Bytes, starts: Array, ends: Array, buffer: int) -> Array:
    views = np.zeros((len(starts), 4), np.int32)
    for begin in range(0, len(starts), _BLOCK):
        part = slice(begin, begin + _BLOCK)
        _fill(views[part], data, starts[part], ends[part] - starts[part], buffer)
    return views


def _fill(views: Array, data: Bytes, starts: Array, lengths: Array, buffer: int) -> None:
    views[:, 0] = lengths
    words = np.ndarray((len(data) - 3,), "<u4", data, strides=(1,))  # the four bytes from each offset on
    rows = np.flatnonzero(lengths > _INLINE)
    views[rows, 1], views[rows, 2], views[rows, 3] = words[starts[rows]].view(np.int32), buffer, starts[rows]
    for i in range(3):
        rows = np.flatnonzero((lengths <= _INLINE) & (lengths > 4 * i))
        at, left = starts[rows] + 4 * i, np.minimum(lengths[rows] - 4 * i, 4)
        back = np.minimum(at, len(data) - 4)  # the last three bytes have no word of their own
        shifted = words[back].astype(np.uint64) >> (8 * (at - back)).astype(np.uint64)
        kept = shifted & ((np.uint64(1) << (8 * left).astype(np.uint64)) - np.uint64(1))
        views[rows, 1 + i] = kept.astype(np.uint32).view(np.int32)
