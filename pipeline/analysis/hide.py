"""An analysis to show around: without anybody's name or words."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import polars as pl

from pipeline.analysis.tables import Analysis

__all__ = ["hide"]

SPEAKING = ("words", "phrases", "laughter", "greetings")  # tables that hold what was written


def hide(analysis: Analysis) -> Analysis:
    """The same figures with "Person 1", "Person 2", ... (by how much each wrote) for the names, and no words.

    Emoji and languages stay.
    """
    names = {name: f"Person {place}" for place, name in enumerate(analysis.everyone, start=1)}
    # Somebody's own name may be another's new one.
    person = pl.Enum([names[name] for name in analysis.everyone])
    changed: dict[str, Any] = {
        "people": tuple(names[name] for name in analysis.people),
        "everyone": tuple(names[name] for name in analysis.everyone),
    }
    for field in fields(analysis):
        table = getattr(analysis, field.name)
        if isinstance(table, pl.DataFrame):
            columns = [
                pl.col(column).cast(pl.String).replace_strict(names, return_dtype=pl.String).cast(person)
                for column, kind in table.schema.items()
                if isinstance(kind, pl.Enum)  # people are the only ones
            ]
            shown = table.clear() if field.name in SPEAKING else table
            changed[field.name] = shown.with_columns(columns)
    return replace(analysis, **changed)
