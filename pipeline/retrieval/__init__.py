"""A memory of raw moments: found by their words, their meaning and their dates, quoted, never summarised."""

from pipeline.retrieval.index import Index, build_index, open_index
from pipeline.retrieval.moments import Moment
from pipeline.retrieval.search import ask

__all__ = ["Index", "Moment", "ask", "build_index", "open_index"]
