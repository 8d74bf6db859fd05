"""The first tab: what is in the chat. Tables and drawings are the pipeline's; here they only get their places."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import gradio as gr

from pipeline import analysis, charts
from pipeline.analysis import Analysis, Prepared
from pipeline.charts import ORDER
from pipeline.errors import ChatError
from pipeline.visitors import Visitor, chat_stamp, load_chat, load_choices, measured_chat, save_choices
from tabs import figures
from tabs.analyse import ask
from tabs.analyse.date_range import days_range
from tabs.figures import FigurePlace
from tabs.visitor import Stage, download_link, safely, visitor_of
from tabs.wiring import PRIVATE, QUIET, Updates, Values, parts
from web.bubbles import failed

__all__ = ["AnalyseTab", "build"]

BUCKETS: dict[str, analysis.Bucket] = {"Day": "day", "Week": "week", "Month": "month"}
STEPS = ("Auto", *BUCKETS)
FIRST = 1  # figures on the first screen


@dataclass(frozen=True)
class FilterBar:
    """What of the chat is looked at."""

    days: gr.HTML
    people: gr.Dropdown
    step: gr.Radio


@dataclass(frozen=True)
class TakeAlong:
    """The report and the card, of what is shown above them."""

    hidden: gr.Checkbox
    make_report: gr.Button
    whose: gr.Dropdown
    make_card: gr.Button
    taken: gr.HTML


@dataclass(frozen=True)
class AnalyseTab:
    """The tab's parts; `figures` by name, in their order on the page."""

    page: gr.Column
    opening: gr.HTML
    filters: FilterBar
    trouble: gr.HTML
    figures: Mapping[str, FigurePlace]
    person: gr.Dropdown
    onward: gr.Button
    along: TakeAlong


def build(stage: Stage) -> AnalyseTab:
    """Fill the tab; it shows once a chat is loaded, and draws itself anew when the chat or a filter changes."""
    tab = _layout(stage)
    filters, names = {*parts(tab.filters)}, list(tab.figures)
    first = [tab.opening, tab.trouble, *parts([tab.figures[name] for name in names[:FIRST]])]
    rest = [tab.person, tab.along.whose, *parts([tab.figures[name] for name in names[FIRST:]])]
    loading = stage.chat.change(safely(_load, tab), None, [tab.page, *filters, tab.along.taken], **QUIET)
    # The first screen is answered by itself and past the queue, so that it is painted before the rest is drawn.
    at_once: dict[str, Any] = {"queue": False, **QUIET}
    changed = gr.on(
        [tab.filters.days.input, tab.filters.people.input, tab.filters.step.input], safely(_draw_first, tab), filters,
        first, trigger_mode="always_last", **at_once,
    )  # fmt: skip
    for drawn in (loading.then(safely(_draw_first, tab), filters, first, **at_once), changed):
        drawn.then(safely(_draw_rest, tab), filters, rest, **QUIET)
    tab.onward.click(safely(_go_on, stage), tab.person, [stage.chat, stage.tabs], **QUIET)
    along = tab.along
    along.make_report.click(safely(_report, tab), {*filters, along.hidden}, along.taken, **PRIVATE)
    along.make_card.click(safely(_card, tab), {*filters, along.hidden, along.whose}, along.taken, **PRIVATE)
    return tab


def _layout(stage: Stage) -> AnalyseTab:
    with gr.Column(visible=False, elem_id="analysis") as page:
        figures.style()
        opening = gr.HTML(elem_classes="ct")
        with gr.Row(elem_id="analysis-filters", equal_height=False):
            days = days_range(elem_id="analysis-days")
            people = gr.Dropdown(
                [], multiselect=True, label="People (none chosen: everyone)", elem_id="analysis-people", min_width=220
            )
            step = gr.Radio(list(STEPS), value=STEPS[0], label="Step", elem_id="analysis-step", min_width=220)
        trouble = gr.HTML(visible=False)
        places, person, onward = {}, gr.Dropdown(render=False), gr.Button(render=False)
        for name in ORDER:
            places[name] = figures.place(name)
            if len(places) == FIRST:
                ask.build(stage)
            if name == "enough":
                person, onward = _next_step()
        along = _take_along()
    return AnalyseTab(page, opening, FilterBar(days, people, step), trouble, places, person, onward, along)


def _next_step() -> tuple[gr.Dropdown, gr.Button]:
    """From the verdicts to the next tab, with the person in hand."""
    with gr.Row(elem_classes="beside"):
        person = gr.Dropdown([], label="Whose twin", elem_id="analysis-person", scale=0, min_width=260)
        onward = gr.Button("Next: make the dataset", variant="primary", scale=0, min_width=260, elem_id="to-dataset")
    return person, onward


def _take_along() -> TakeAlong:
    with gr.Column(elem_id="take-along", elem_classes="ct figure"):
        gr.HTML(
            '<div class="figure-head"><h3>Take it along</h3><p class="note">Of the days and people chosen above: '
            "a report in one file that opens offline, or one person's style as a picture.</p></div>"
        )
        hidden = gr.Checkbox(label="Hide names and words", value=False, elem_id="take-hidden")
        with gr.Row(elem_classes="beside"):
            make_report = gr.Button("Make the report", scale=0, min_width=180, elem_id="make-report")
            whose = gr.Dropdown([], label="Card of", scale=0, min_width=220, elem_id="card-of")
            make_card = gr.Button("Make the card", scale=0, min_width=180, elem_id="make-card")
        taken = gr.HTML(elem_id="taken")
    return TakeAlong(hidden, make_report, whose, make_card, taken)


def _load(tab: AnalyseTab, request: gr.Request) -> Updates:
    """Measure the chat once, keep that beside it, and set the filters to the whole of it."""
    prepared = measured_chat(visitor_of(request))
    if prepared is None:
        return {tab.page: gr.Column(visible=False), tab.along.taken: ""}
    first, last = _span(prepared)
    length = (last - first).days
    return {
        tab.page: gr.Column(visible=True),
        tab.filters.days: gr.HTML(value=[0, length], first=first.isoformat(), length=length, visible=length > 0),
        tab.filters.people: gr.Dropdown(list(prepared.people), value=[], visible=len(prepared.people) > 1),
        tab.filters.step: STEPS[0],
        tab.along.taken: "",
    }


def _draw_first(tab: AnalyseTab, request: gr.Request, values: Values) -> Updates:
    """What is on the first screen: the sentence and the first figures; or what is wrong with the choice."""
    visitor = visitor_of(request)
    try:
        found = _analyse(tab, visitor, values, with_words=False)
    except ChatError as error:
        return {tab.trouble: gr.HTML(failed(str(error)), visible=True)}
    quiet: Updates = {tab.trouble: gr.HTML(visible=False)}
    if found is None:
        return {tab.opening: "", **quiet}
    return {tab.opening: charts.opening(found), **quiet, **_figures(tab, visitor, found, list(tab.figures)[:FIRST])}


def _draw_rest(tab: AnalyseTab, request: gr.Request, values: Values) -> Updates:
    """The figures below the first screen, and the people that there are to choose from."""
    visitor = visitor_of(request)
    try:
        found = _analyse(tab, visitor, values)
    except ChatError:
        found = None  # said already
    if found is None:
        return {}
    person = load_choices(visitor).get("person")
    best = person if person in found.people else _most_replies(found)
    return {
        tab.person: gr.Dropdown(list(found.people), value=best),
        tab.along.whose: gr.Dropdown(list(found.people), value=best),
        **_figures(tab, visitor, found, list(tab.figures)[FIRST:]),
    }


def _figures(tab: AnalyseTab, visitor: Visitor, found: Analysis, names: Sequence[str]) -> Updates:
    drawn = charts.figures(found, load_choices(visitor).get("person"), names)
    updates: Updates = {}
    for name in names:
        updates |= figures.filled(tab.figures[name], drawn.get(name))
    return updates


def _most_replies(found: Analysis) -> str:
    return str(found.enough.sort("kept", descending=True, maintain_order=True)["person"][0])


def _go_on(stage: Stage, request: gr.Request, person: str | None) -> Updates:
    """Keep whose twin it shall be and open the next tab; the new stamp makes every tab draw itself for this person."""
    visitor = visitor_of(request)
    prepared = measured_chat(visitor)
    if prepared is None or person not in prepared.people:
        raise ChatError("Choose whose twin it shall be.")
    save_choices(visitor, person=person)
    chosen = f"{chat_stamp(visitor)} person {prepared.people.index(person)}"
    return {stage.chat: chosen, stage.tabs: gr.Tabs(selected="dataset")}


def _report(tab: AnalyseTab, request: gr.Request, values: Values) -> str:
    from pipeline import report

    visitor, found = _chosen(tab, values, request)
    chat, hidden = load_chat(visitor), values[tab.along.hidden] is not False
    path = report.write(found, _shelf(visitor) / "chat report.html", title=chat.title if chat else "", hidden=hidden)
    return f'<p class="done">The report is ready. {download_link(visitor, path, "Download the report")}</p>'


def _card(tab: AnalyseTab, request: gr.Request, values: Values) -> str:
    from pipeline import report

    visitor, found = _chosen(tab, values, request)
    person, hidden = values[tab.along.whose] or "", values[tab.along.hidden] is not False
    path = report.write_card(found, person, _shelf(visitor) / "chat card.png", hidden=hidden)
    picture = base64.b64encode(path.read_bytes()).decode("ascii")
    return (
        f'<p class="done">The card is ready. {download_link(visitor, path, "Download the card")}</p>'
        f'<img class="card-shown" alt="The card" src="data:image/png;base64,{picture}">'
    )


def _chosen(tab: AnalyseTab, values: Values, request: gr.Request) -> tuple[Visitor, Analysis]:
    visitor = visitor_of(request)
    found = _analyse(tab, visitor, values)
    if found is None:
        raise ChatError("There is no chat to take along: bring one first, or try the sample chat.")
    return visitor, found


def _analyse(tab: AnalyseTab, visitor: Visitor, values: Values, *, with_words: bool = True) -> Analysis | None:
    """The tables of what is chosen; None without a chat."""
    prepared = measured_chat(visitor)
    if prepared is None:
        return None
    since, until = _days(prepared, values[tab.filters.days])
    chosen = [name for name in values[tab.filters.people] or [] if isinstance(name, str)]
    bucket = BUCKETS.get(values[tab.filters.step])
    return analysis.analyse(prepared, since=since, until=until, people=chosen, bucket=bucket, with_words=with_words)


def _shelf(visitor: Visitor) -> Path:
    """Where what is taken along lies, for its visitor only; it goes with their folder."""
    shelf = visitor.files.taken_along
    shelf.mkdir(mode=0o700, exist_ok=True)
    return shelf


def _days(prepared: Prepared, days: Any) -> tuple[date | None, date | None]:
    """The first and last day that the slider stands for; None for all of them."""
    first, last = _span(prepared)
    since, until = first, last
    if isinstance(days, list) and len(days) == 2 and all(isinstance(day, int | float) for day in days):
        length = (last - first).days
        since, until = (first + timedelta(days=min(max(0, int(day)), length)) for day in days)
    return (None, None) if since <= first and until >= last else (since, until)


def _span(prepared: Prepared) -> tuple[date, date]:
    times = prepared.messages["sent_at"]
    return times.min().date(), times.max().date()  # type: ignore[union-attr]
