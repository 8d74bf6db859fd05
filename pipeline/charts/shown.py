"""Who is told apart in the charts of one analysis, and how the others are drawn together."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from pipeline.analysis import Analysis
from pipeline.charts.colours import FEATURED, GREY, people_colours

__all__ = ["Shown", "fold", "shown"]


@dataclass(frozen=True)
class Shown:
    """`featured`: people with a colour of their own; `series`: those and, if there are more, `others` as one more."""

    analysis: Analysis
    featured: tuple[str, ...]
    others: str | None
    colours: dict[str, str]

    @property
    def series(self) -> tuple[str, ...]:
        return (*self.featured, self.others) if self.others else self.featured


def shown(analysis: Analysis, first: str | None = None) -> Shown:
    """Choose who is told apart: the six who write most of those in the analysis; `first` gets the first colour."""
    ranked = sorted(analysis.everyone, key=lambda name: name != first)
    colours = people_colours(ranked)
    people = sorted(analysis.people, key=lambda name: name != first)
    featured = tuple(people[:FEATURED])
    rest = len(people) - len(featured)
    others = f"{rest} other{'s' * (rest > 1)}" if rest else None
    if others:
        colours = {**colours, others: GREY}
    # In a crowd the six may be grey by rank: they are told apart all the same.
    if len({colours[name] for name in featured}) < len(featured):
        colours = {**colours, **people_colours(featured)}
    return Shown(analysis, featured, others, colours)


def fold(table: pl.DataFrame, by: list[str], amount: str, view: Shown) -> pl.DataFrame:
    """Sum `amount` by the columns `by` and person (String), with all who are not told apart as one."""
    name = pl.col("person").cast(pl.String)
    if view.others:
        name = pl.when(name.is_in(list(view.featured))).then(name).otherwise(pl.lit(view.others))
    return (
        table.with_columns(name.alias("person"))
        .group_by([*by, "person"])
        .agg(pl.col(amount).sum())
        .sort([*by, "person"])
    )
