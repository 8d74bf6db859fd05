"""Slices of one block of UTF-8 as a column of strings that shares its memory."""

from typing import Any

import numpy as np
import polars as pl

__all__ = ["Array", "Bytes", "slice_strings"]

Array = np.ndarray[Any, np.dtype[Any]]
Bytes = bytes | bytearray


def slice_strings(data: Bytes, starts: Array, ends: Array) -> pl.Series:
    """data[start:end] for each pair, as a String column; nothing is copied.

    The slices must be in order, must not overlap and must begin and end at whole characters of valid UTF-8, else
    ValueError: the column would point outside its memory.
    """
    import pyarrow as pa  # type: ignore[import-untyped]

    # Arrow's strings are one array of offsets, where each ends as the next begins: the gaps become strings too, and
    # every second one is dropped.
    offsets = np.empty(2 * len(starts) + 1, np.int64)
    offsets[:-1:2], offsets[1::2], offsets[-1] = starts, ends, len(data)
    if len(starts) and (offsets[0] < 0 or (np.diff(offsets) < 0).any()):
        raise ValueError("slices out of order")
    if not len(starts):
        return pl.Series(dtype=pl.String)
    array = pa.LargeStringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(data))
    # Handed over by Arrow's C interface alone: polars' from_arrow would import all of pyarrow.compute for it.
    return pl.Series(_Exported(array)).gather_every(2)


class _Exported:
    def __init__(self, array: Any) -> None:
        self.array = array

    def __arrow_c_array__(self, requested_schema: object = None) -> Any:
        return self.array.__arrow_c_array__(requested_schema)
