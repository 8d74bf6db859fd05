"""A question, and the moments that answer it."""

from collections.abc import Sequence
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipeline.retrieval.hints import asked_days
from pipeline.retrieval.index import Index
from pipeline.retrieval.meaning import close_question, wide_vectors
from pipeline.retrieval.moments import EVERY, Moment, Said
from pipeline.retrieval.terms import terms

__all__ = ["ask", "best", "by_close", "by_wide", "by_words", "moment", "ways"]

DEEP = 200  # moments that each way of searching names
FIRST_LOOK = 2_000  # moments whose vectors are compared in full
# Reciprocal rank fusion (Cormack and others 2009). Their 60 was for many lists of a thousand: with two or three of two
# hundred, what one way of searching puts first must count for more.
RANK = 10


def ask(index: Index, question: str, top: int = 5) -> list[Moment]:
    """The moments that bear on a question, the best first: by words, by meaning and by the days that it names."""
    return best(index, ways(index, question), top)


def ways(index: Index, question: str) -> list[list[int]]:
    """What each way of searching finds: numbers of moments, the best first."""
    wide, close = wide_vectors([question])[0], close_question(question) if index.close is not None else None
    found = [by_words(index, question), by_wide(index, wide)]
    if close is not None:
        found.append(by_close(index, close))
    if (named := _in_days(index, question)) is not None:
        found.append(by_wide(index, wide, named) if close is None else by_close(index, close, named))
    return found


def best(index: Index, found: Sequence[Sequence[int]], top: int) -> list[Moment]:
    """The moments that stand highest in several rankings; none that shares half its messages with a better one."""
    scores: dict[int, float] = {}
    for ranked in found:
        for rank, number in enumerate(ranked):
            scores[number] = scores.get(number, 0.0) + 1 / (RANK + rank)
    chosen: list[Moment] = []
    taken: set[int] = set()
    for number in sorted(scores, key=lambda n: (-scores[n], n)):
        rows = range(index.moments["first"][number], index.moments["last"][number] + 1)
        if len(taken.intersection(rows)) < EVERY:
            taken.update(rows)
            chosen.append(moment(index, number, scores[number]))
        if len(chosen) == top:
            break
    return chosen


def moment(index: Index, number: int, score: float = 0.0) -> Moment:
    """The moment of this number, quoted."""
    first, last, key = index.moments.row(number)[:3]
    rows = index.said.slice(first, last + 1 - first)
    said = tuple(Said(*row) for row in rows.select("row", "sent_at", "sender", "text").iter_rows())
    return Moment(key, rows["chat"][0], said, score)


def by_words(index: Index, question: str) -> list[int]:
    """Numbers of the moments that share most of the question's rarer words, the best first (BM25)."""
    import tantivy

    wanted = dict.fromkeys(terms(pl.Series([question]))[0])
    schema = index.words.schema
    clauses = [(tantivy.Occur.Should, tantivy.Query.term_query(schema, "terms", term, "freq")) for term in wanted]
    searcher = index.words.searcher()
    hits = searcher.search(tantivy.Query.boolean_query(clauses), DEEP).hits if clauses else []
    return list(searcher.fast_field_values("moment", [address for _, address in hits])) if hits else []


def by_wide(index: Index, vector: NDArray[np.float32], among: NDArray[np.int64] | None = None) -> list[int]:
    """Numbers of the moments (of these alone, where given) closest to a wide vector, the closest first."""
    signs = index.signs if among is None else index.signs[among]
    if len(signs) > FIRST_LOOK:
        apart = np.bitwise_count(signs ^ np.packbits(vector > 0).view(np.uint64)).sum(axis=1, dtype=np.uint16)
        near = np.argpartition(apart, FIRST_LOOK)[:FIRST_LOOK]
    else:
        near = np.arange(len(signs))
    return _closest(index.wide, vector, near if among is None else among[near])


def by_close(index: Index, vector: NDArray[np.float32], among: NDArray[np.int64] | None = None) -> list[int]:
    """Numbers of the moments (of these alone, where given) closest to a close vector, the closest first."""
    assert index.close is not None
    return _closest(index.close, vector, np.arange(len(index.close)) if among is None else among)


def _closest(vectors: NDArray[np.int8], vector: NDArray[np.float32], numbers: NDArray[np.int64]) -> list[int]:
    nearness = vectors[numbers].astype(np.float32) @ vector
    return [int(number) for number in numbers[np.argsort(-nearness, kind="stable")[:DEEP]]]


def _in_days(index: Index, question: str) -> NDArray[np.int64] | None:
    """Numbers of the moments on the days that a question names; None where it names none that the memory knows."""
    starts = index.moments["starts"]
    first, last = starts.min(), starts.max()
    days = asked_days(question, _day(first), _day(last))
    on = starts.dt.date()
    masks = [on.is_between(a, b) for a, b in days]
    if not masks:
        return None
    named: NDArray[np.int64] = _any(masks).arg_true().to_numpy().astype(np.int64)
    return named if len(named) else None


def _day(moment: object) -> date:
    assert hasattr(moment, "date")
    day = moment.date()
    assert isinstance(day, date)
    return day


def _any(masks: Sequence[pl.Series]) -> pl.Series:
    together = masks[0]
    for mask in masks[1:]:
        together = together | mask
    return together
