"""What every figure is made of: its title, its drawing, and how numbers are said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

__all__ = ["STYLE", "Figure", "by_person", "dot", "duration", "isolate", "legend", "many", "number", "percent", "vega"]

Spec = dict[str, Any]
STYLE = Path(__file__).with_name("figures.css")
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif"


@dataclass(frozen=True)
class Figure:
    """One finding. `title` says it in plain text, `note` how to read it; drawn by `spec` (Vega-Lite) or by `html`.

    `legend` is HTML: who has which colour, "" where it needs none. `words` is true where the figure shows words of the
    chat, which a report can hide.
    """

    name: str
    title: str
    note: str = ""
    spec: Spec | None = None
    html: str = ""
    legend: str = ""
    words: bool = False

    def heading(self) -> str:
        """HTML of what stands above the drawing."""
        note = f'<p class="note">{escape(self.note)}</p>' if self.note else ""
        return f'<div class="figure-head"><h3 dir="ltr">{escape(self.title)}</h3>{note}{self.legend}</div>'


def vega(data: Sequence[dict[str, Any]], height: int | Spec = 220, **parts: Any) -> Spec:
    """A Vega-Lite spec in the house's look: as wide as its place, drawn in the colour of the text around it.

    SVG with `currentColor` follows light and dark without being drawn again; it also shapes every script.
    """
    soft = {"labelColor": "currentColor", "titleColor": "currentColor", "labelOpacity": 0.75, "titleOpacity": 0.75}
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "usermeta": {"embedOptions": {"renderer": "svg", "actions": False}},
        "width": "container",
        "height": height,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "background": "transparent",
        "data": {"values": list(data)},
        **parts,
        "config": {
            "font": FONT,
            "view": {"stroke": None},
            "axis": {
                **soft, "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal", "domain": False,
                "ticks": False, "grid": False, "labelPadding": 6, "labelLimit": 150,
            },
            "axisQuantitative": {"grid": True, "gridColor": "currentColor", "gridOpacity": 0.12, "tickCount": 4},
            "bar": {"cornerRadiusEnd": 2},
            "line": {"strokeWidth": 2},
            "legend": {**soft, "labelFontSize": 12},
            "text": {"color": "currentColor", "fontSize": 12},
        },
    }  # fmt: skip


def by_person(people: Sequence[str], colours: dict[str, str]) -> Spec:
    """The colour channel for people, without a legend of its own."""
    return {
        "field": "person",
        "type": "nominal",
        "scale": {"domain": list(people), "range": [colours[name] for name in people]},
        "sort": list(people),
        "legend": None,
    }


def legend(people: Iterable[str], colours: dict[str, str]) -> str:
    """HTML: each person's name beside their colour."""
    chips = "".join(f"<span>{dot(colours[name])}<bdi>{escape(name)}</bdi></span>" for name in people)
    return f'<div class="legend">{chips}</div>'


def dot(colour: str) -> str:
    """HTML: a dot in a colour."""
    return f'<i class="dot" style="background:{colour}"></i>'


def isolate(name: str) -> str:
    """A name inside a sentence: kept apart, so that a right-to-left name does not turn the words around it."""
    return f"\u2068{name}\u2069"


def number(value: float, digits: int = 0) -> str:
    """12,345 or 3.4."""
    return f"{value:,.{digits}f}"


def many(count: int, noun: str) -> str:
    """1 message, 2,345 messages."""
    return f"{count:,} {noun}{'s' * (count != 1)}"


def percent(share: float) -> str:
    """43 %, or "under 1 %" and "over 99 %": what is not all is not called all."""
    if 0.995 <= share < 1:
        return "over 99 %"
    return "under 1 %" if 0 < share < 0.01 else f"{100 * share:.0f} %"


def duration(seconds: float) -> str:
    """A time in words, in the unit that suits it: "14 seconds", "3 minutes", "5 hours", "2 days"."""
    for unit, size, until in (("second", 1, 90), ("minute", 60, 5400), ("hour", 3600, 172800)):
        if seconds < until:
            return many(round(seconds / size), unit)
    return many(round(seconds / 86400), "day")
