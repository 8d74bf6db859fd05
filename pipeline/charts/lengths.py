"""Figures of a dataset: where a conversation ends, and how long its rows are."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import polars as pl

from pipeline.charts.colours import FIRST, GREY
from pipeline.charts.figure import Figure, many, number, percent, vega
from pipeline.charts.when import COUNTS, TEAL
from pipeline.turns import GapHistogram

__all__ = ["gaps", "row_lengths", "silence_name"]

SHORTEST, LONGEST = 60, 4 * 7 * 86400  # seconds between which gaps are drawn
TICKS = [60, 600, 3600, 6 * 3600, 86400, 7 * 86400]
TICK_NAMES = (
    "datum.value < 3600 ? datum.value / 60 + ' min' : datum.value < 86400 ? datum.value / 3600 + ' h' : "
    "datum.value < 604800 ? datum.value / 86400 + ' day' : '1 week'"
)
HELD_OUT = FIRST[1]


def gaps(histogram: GapHistogram, *, found: bool) -> Figure:
    """The silences of a chat with the cut on them; `found`: it was read from the chat itself."""
    cut, table = histogram.silence.total_seconds(), histogram.table
    quick = int(table.filter(pl.col("seconds") <= SHORTEST)["gaps"].sum())
    x = {
        "field": "from", "type": "quantitative", "title": None,
        "scale": {"type": "log", "domain": [SHORTEST, LONGEST], "nice": False},
        "axis": {"values": TICKS, "labelExpr": TICK_NAMES, "tickCount": 50, "labelOverlap": False, "grid": False},
    }  # fmt: skip
    y = {
        "field": "gaps",
        "type": "quantitative",
        "title": None,
        "axis": COUNTS,
        "scale": {"type": "sqrt", "zero": True},
    }
    tooltip = [
        {"field": "up_to", "title": "up to"},
        {"field": "gaps", "type": "quantitative", "format": ",", "title": "times"},
        {"field": "does", "title": "it is"},
    ]  # fmt: skip
    colour = {"condition": {"test": "datum.ends", "value": GREY}, "value": TEAL}
    spec = vega(
        _bars(table),
        height=170,
        layer=[
            {
                "mark": {"type": "bar", "orient": "vertical", "cornerRadiusEnd": 0, "stroke": None},
                "encoding": {"x": x, "x2": {"field": "to"}, "y": y, "color": colour, "tooltip": tooltip},
            },
            *_line(cut, silence_name(cut), "left"),
        ],
    )
    kept = f", {percent(histogram.kept_replies)} of the answers inside one" if histogram.kept_replies else ""
    title = f"A silence of {silence_name(cut)} ends a conversation: {many(histogram.sessions, 'conversation')}{kept}"
    how = "Read from the chat's own silences" if found else "Set by hand"
    note = f"{how}. How often nobody wrote for so long; grey ends a conversation. Heights go by the square root"
    note += f"; {number(quick)} silences of a minute at most are left out." if quick else "."
    return Figure("gaps", title, note, spec)


def _bars(table: pl.DataFrame) -> list[dict[str, Any]]:
    edges = [1.0, *table["seconds"].drop_nulls().to_list(), float(LONGEST)]
    columns = (table[name].to_list() for name in ("up_to", "gaps", "cut"))
    return [
        {
            "from": low, "to": high, "up_to": up_to, "gaps": count, "ends": beyond,
            "does": "ends a conversation" if beyond else "inside one",
        }
        for (low, high), up_to, count, beyond in zip(pairwise(edges), *columns, strict=True)
        if high > SHORTEST
    ]  # fmt: skip


def row_lengths(table: pl.DataFrame, most: int, window: int, *, exact: bool) -> Figure | None:
    """Rows by their length (`pipeline.dataset.token_histogram`) against the most that a row may have.

    `window`: what the smallest of the models can read; `exact`: counted with a tokenizer.
    """
    total = int(table["train"].sum()) + int(table["validation"].sum())
    if not total:
        return None
    rows = [
        {
            "from": row["from"], "to": row["to"] - 0.06 * (row["to"] - row["from"]), "rows": row[part], "part": name,
            "tokens": f"{row['from']:,} to {row['to'] - 1:,}",
        }
        for row in table.to_dicts()
        for part, name in (("train", "learned from"), ("validation", "held out"))
        if row[part]
    ]  # fmt: skip
    spec = vega(
        rows,
        height=170,
        layer=[
            {
                "mark": {"type": "bar", "orient": "vertical", "cornerRadiusEnd": 0},
                "encoding": {
                    "x": {
                        "field": "from", "type": "quantitative", "title": None, "axis": {"format": ",d", "grid": False},
                        "scale": {"domain": [0, int(table["to"].max())], "nice": False},  # type: ignore[arg-type]
                    },
                    "x2": {"field": "to"},
                    "y": {"field": "rows", "type": "quantitative", "stack": "zero", "title": None, "axis": COUNTS},
                    "color": {
                        "field": "part", "type": "nominal", "legend": None,
                        "scale": {"domain": ["learned from", "held out"], "range": [TEAL, HELD_OUT]},
                    },
                    "order": {"field": "part", "type": "nominal", "sort": "descending"},
                    "tooltip": [
                        {"field": "tokens"}, {"field": "part", "title": "it is"},
                        {"field": "rows", "type": "quantitative", "format": ",", "title": "rows"},
                    ],
                },
            },
            *_line(most, "the most", "right"),
        ],
    )  # fmt: skip
    middle = _middle(table)
    title = f"Half of the rows have under {number(middle)} tokens, none more than {number(most)}"
    counted = "Counted with the starter model's tokenizer" if exact else "Estimated until the dataset is made"
    note = f"{counted}: {many(total, 'row')} by their tokens. Every model on the list reads {number(window)} or more."
    return Figure("row_lengths", title, note, spec, legend=KEY)


KEY = (
    '<div class="legend"><span><i class="dot" style="background:var(--ct-accent)"></i>learned from</span>'
    f'<span><i class="dot" style="background:{HELD_OUT}"></i>held out</span></div>'
)


def _line(at: float, name: str, align: str) -> list[dict[str, Any]]:
    """A dashed line at a place of the x axis, with its name to the left or right of it."""
    data, x = {"values": [{"from": at, "name": name}]}, {"field": "from", "type": "quantitative"}
    side = {"align": align, "dx": 6 if align == "left" else -6}
    label = {"type": "text", "baseline": "top", "fontWeight": 600, **side}
    return [
        {"data": data, "mark": {"type": "rule", "strokeDash": [4, 3], "color": "currentColor"}, "encoding": {"x": x}},
        {"data": data, "mark": label, "encoding": {"x": x, "y": {"value": -12}, "text": {"field": "name"}}},
    ]


def _middle(table: pl.DataFrame) -> int:
    """The upper edge of the bin that the middle row is in."""
    running = (table["train"] + table["validation"]).cum_sum()
    return int(table.filter(running * 2 >= running[-1])["to"][0])


def silence_name(seconds: float) -> str:
    """2.5 hours, 45 minutes, 65 minutes."""
    minutes = round(seconds / 60)
    if (minutes < 180 and minutes % 30) or minutes < 60:
        return many(minutes, "minute")
    return "1 hour" if minutes == 60 else f"{minutes / 60:.2f}".rstrip("0").rstrip(".") + " hours"
