"""The first tab: what is in the chat. Tables and drawings are the pipeline's; here they only get their places."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from datetime import date, timedelta
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components.plot import PlotData

from pipeline import analysis, charts
from pipeline.analysis import Analysis, Prepared
from pipeline.charts import Figure
from pipeline.charts.figures import ORDER
from pipeline.errors import ChatError
from tabs.range import days_range
from tabs.visitor import Stage, Visitor, load_chat, load_choices, safely, visitor_of

__all__ = ["build"]

STEPS = ("Auto", "Day", "Week", "Month")
PRIVATE: dict[str, Any] = {"api_visibility": "private"}


def build(stage: Stage) -> None:
    """Fill the tab; it shows once a chat is loaded, and draws itself anew when the chat or a filter changes."""
    style = charts.STYLE.read_text(encoding="utf-8")
    with gr.Column(visible=False, elem_id="analysis") as page:
        gr.HTML(f"<style>{style}</style>")
        opening = gr.HTML(elem_classes="ct")
        with gr.Row(elem_id="analysis-filters", equal_height=False):
            days = days_range(elem_id="analysis-days")
            people = gr.Dropdown(
                [], multiselect=True, label="People (none chosen: everyone)", elem_id="analysis-people", min_width=220
            )
            step = gr.Radio(list(STEPS), value=STEPS[0], label="Step", elem_id="analysis-step", min_width=220)
        trouble = gr.HTML(visible=False)
        places = [_place(name) for name in ORDER]
    drawing = [part for place in places for part in place]
    filters = [days, people, step]
    gr.on([stage.chat.change], safely(_load), None, [page, *filters], show_progress="hidden", **PRIVATE).then(
        safely(_draw), filters, [opening, trouble, *drawing], show_progress="hidden", **PRIVATE
    )
    gr.on(
        [days.input, people.input, step.input], safely(_draw), filters, [opening, trouble, *drawing],
        show_progress="hidden", trigger_mode="always_last", **PRIVATE,
    )  # fmt: skip


def _place(name: str) -> tuple[gr.Column, gr.HTML, gr.Plot, gr.HTML]:
    """Where a figure goes: its heading, its chart and its HTML."""
    with gr.Column(visible=False, elem_id=f"figure-{name}", elem_classes="ct figure") as column:
        heading = gr.HTML()
        plot = gr.Plot(show_label=False, container=False, buttons=[])
        body = gr.HTML()
    return column, heading, plot, body


def _load(request: gr.Request) -> list[Any]:
    """Measure the chat once, keep that beside it, and set the filters to the whole of it."""
    prepared = _prepared(visitor_of(request))
    if prepared is None:
        return [gr.Column(visible=False), *[gr.skip()] * 3]
    first, last = _span(prepared)
    length = (last - first).days
    days = gr.HTML(value=[0, length], first=first.isoformat(), length=length, visible=length > 0)
    people = gr.Dropdown(list(prepared.people), value=[], visible=len(prepared.people) > 1)
    return [gr.Column(visible=True), days, people, STEPS[0]]


def _draw(days: Any, people: list[str] | None, step: str, request: gr.Request) -> list[Any]:
    visitor = visitor_of(request)
    prepared = _prepared(visitor)
    blank = [gr.skip()] * (4 * len(ORDER))
    if prepared is None:
        return ["", gr.HTML(visible=False), *blank]
    try:
        found = _analyse(prepared, days, people, step)
    except ChatError as error:
        return [gr.skip(), gr.HTML(f'<p class="failed">{escape(str(error))}</p>', visible=True), *blank]
    drawn = charts.figures(found, load_choices(visitor).get("person"))
    shown = [part for name in ORDER for part in _filled(drawn.get(name))]
    return [charts.opening(found), gr.HTML(visible=False), *shown]


def _filled(figure: Figure | None) -> list[Any]:
    """The values of a figure's place; Altair's own checks are left out, since they cost more than all the tables."""
    if figure is None:
        return [gr.Column(visible=False), *[gr.skip()] * 3]
    plot = PlotData(type="altair", plot=json.dumps(figure.spec)) if figure.spec else None
    return [
        gr.Column(visible=True),
        figure.heading(),
        gr.Plot(plot, visible=plot is not None),
        gr.HTML(figure.html, visible=bool(figure.html)),
    ]


def _analyse(prepared: Prepared, days: Any, people: list[str] | None, step: str) -> Analysis:
    first, last = _span(prepared)
    since, until = first, last
    if isinstance(days, list) and len(days) == 2 and all(isinstance(day, int | float) for day in days):
        length = (last - first).days
        since, until = (first + timedelta(days=min(max(0, int(day)), length)) for day in days)
    whole = since <= first and until >= last
    bucket = {"Day": "day", "Week": "week", "Month": "month"}.get(step)
    return analysis.analyse(
        prepared,
        since=None if whole else since,
        until=None if whole else until,
        people=[name for name in people or [] if isinstance(name, str)],
        bucket=bucket,  # type: ignore[arg-type]
    )


def _span(prepared: Prepared) -> tuple[date, date]:
    times = prepared.messages["sent_at"]
    return times.min().date(), times.max().date()  # type: ignore[union-attr]


def _prepared(visitor: Visitor) -> Prepared | None:
    """The visitor's chat as it was measured, measured now if it was not; None without a chat.

    What was measured lies beside the chat, under a name that tells which reading of it was measured.
    """
    folder = visitor.folder / "chat"
    try:
        read_at = (folder / "messages.parquet").stat().st_mtime_ns
    except OSError:
        return None
    kept = folder / f"measured-{read_at}"
    known = analysis.load(kept)
    if known is not None:
        return known
    chat = load_chat(visitor)
    if chat is None:
        return None
    for stale in folder.glob("measured-*"):
        shutil.rmtree(stale, ignore_errors=True)
    prepared = analysis.prepare(chat.messages)
    with tempfile.TemporaryDirectory(dir=folder, prefix="measuring-") as half:
        analysis.save(prepared, Path(half))
        with contextlib.suppress(OSError):  # another page of the same visitor was faster
            Path(half).rename(kept)
            Path(half).mkdir()
    return prepared
