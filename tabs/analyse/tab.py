"""The first tab: what is in the chat. Tables and drawings are the pipeline's; here they only get their places."""

from __future__ import annotations

import base64
import contextlib
import shutil
import tempfile
from datetime import date, timedelta
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from pipeline import analysis, charts
from pipeline.analysis import Analysis, Prepared
from pipeline.charts.figures import ORDER
from pipeline.errors import ChatError
from tabs.analyse import figures
from tabs.analyse.date_range import days_range
from tabs.visitor import (
    Stage,
    Visitor,
    download_link,
    load_chat,
    load_choices,
    safely,
    save_choices,
    stamp,
    visitor_of,
)

__all__ = ["build"]

BUCKETS: dict[str, analysis.Bucket] = {"Day": "day", "Week": "week", "Month": "month"}
STEPS = ("Auto", *BUCKETS)
FIRST = 1  # figures on the first screen


def build(stage: Stage) -> None:
    """Fill the tab; it shows once a chat is loaded, and draws itself anew when the chat or a filter changes."""
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
        places, person, onward = [], gr.Dropdown(render=False), gr.Button(render=False)
        for name in ORDER:
            places.append(figures.place(name))
            if name == "enough":
                person, onward = _next_step()
        hidden, whose, make_report, make_card, taken = _take_along()
    filters = [days, people, step]
    first = [opening, trouble, *[part for place in places[:FIRST] for part in place]]
    rest = [person, whose, *[part for place in places[FIRST:] for part in place]]
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    loading = stage.chat.change(safely(_load), None, [page, *filters, taken], **quiet)
    # The first screen is answered by itself and past the queue, so that it is painted before the rest is drawn.
    at_once: dict[str, Any] = {"queue": False, **quiet}
    loading.then(safely(_draw_first), filters, first, **at_once).then(safely(_draw_rest), filters, rest, **quiet)
    gr.on(
        [days.input, people.input, step.input], safely(_draw_first), filters, first,
        trigger_mode="always_last", **at_once,
    ).then(safely(_draw_rest), filters, rest, **quiet)  # fmt: skip
    onward.click(safely(_go_on), person, [stage.chat, stage.tabs], **quiet)
    make_report.click(safely(_report), [*filters, hidden], taken, api_visibility="private")
    make_card.click(safely(_card), [*filters, hidden, whose], taken, api_visibility="private")


def _next_step() -> tuple[gr.Dropdown, gr.Button]:
    """From the verdicts to the next tab, with the person in hand."""
    with gr.Row(elem_classes="beside"):
        person = gr.Dropdown([], label="Whose twin", elem_id="analysis-person", scale=0, min_width=260)
        onward = gr.Button("Next: make the dataset", variant="primary", scale=0, min_width=260, elem_id="to-dataset")
    return person, onward


def _take_along() -> tuple[gr.Checkbox, gr.Dropdown, gr.Button, gr.Button, gr.HTML]:
    """The report and the card, of what is shown above."""
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
    return hidden, whose, make_report, make_card, taken


def _load(request: gr.Request) -> list[Any]:
    """Measure the chat once, keep that beside it, and set the filters to the whole of it."""
    prepared = _prepared(visitor_of(request))
    if prepared is None:
        return [gr.Column(visible=False), *[gr.skip()] * 3, ""]
    first, last = _span(prepared)
    length = (last - first).days
    days = gr.HTML(value=[0, length], first=first.isoformat(), length=length, visible=length > 0)
    people = gr.Dropdown(list(prepared.people), value=[], visible=len(prepared.people) > 1)
    return [gr.Column(visible=True), days, people, STEPS[0], ""]


def _draw_first(days: Any, people: list[str] | None, step: str, request: gr.Request) -> list[Any]:
    """What is on the first screen: the sentence and the first figures; or what is wrong with the choice."""
    visitor = visitor_of(request)
    blank = [gr.skip()] * (3 * FIRST)
    try:
        found = _analyse(visitor, days, people, step, with_words=False)
    except ChatError as error:
        return [gr.skip(), gr.HTML(f'<p class="failed">{escape(str(error))}</p>', visible=True), *blank]
    if found is None:
        return ["", gr.HTML(visible=False), *blank]
    return [charts.opening(found), gr.HTML(visible=False), *_figures(visitor, found, list(ORDER)[:FIRST])]


def _draw_rest(days: Any, people: list[str] | None, step: str, request: gr.Request) -> list[Any]:
    """The figures below the first screen, and the people that there are to choose from."""
    visitor = visitor_of(request)
    names = list(ORDER)[FIRST:]
    try:
        found = _analyse(visitor, days, people, step)
    except ChatError:
        found = None  # said already
    if found is None:
        return [gr.skip()] * (2 + 3 * len(names))
    person = load_choices(visitor).get("person")
    best = person if person in found.people else _most_replies(found)
    pickers = [gr.Dropdown(list(found.people), value=best) for _ in range(2)]
    return [*pickers, *_figures(visitor, found, names)]


def _figures(visitor: Visitor, found: Analysis, names: list[str]) -> list[Any]:
    drawn = charts.figures(found, load_choices(visitor).get("person"), names)
    return [part for name in names for part in figures.filled(drawn.get(name))]


def _most_replies(found: Analysis) -> str:
    return str(found.enough.sort("kept", descending=True, maintain_order=True)["person"][0])


def _go_on(person: str | None, request: gr.Request) -> list[Any]:
    """Keep whose twin it shall be and open the next tab; the new stamp makes every tab draw itself for this person."""
    visitor = visitor_of(request)
    prepared = _prepared(visitor)
    if prepared is None or person not in prepared.people:
        raise ChatError("Choose whose twin it shall be.")
    save_choices(visitor, person=person)
    chosen = f"{stamp(visitor, 'chat/chat.json')} person {prepared.people.index(person)}"
    return [chosen, gr.Tabs(selected="dataset")]


def _report(days: Any, people: list[str] | None, step: str, hidden: bool, request: gr.Request) -> str:
    from pipeline import report

    visitor, found = _chosen(days, people, step, request)
    chat = load_chat(visitor)
    path = report.write(
        found, _shelf(visitor) / "chat report.html", title=chat.title if chat else "", hidden=hidden is not False
    )
    return f'<p class="done">The report is ready. {download_link(visitor, path, "Download the report")}</p>'


def _card(days: Any, people: list[str] | None, step: str, hidden: bool, person: str | None, request: gr.Request) -> str:
    from pipeline import report

    visitor, found = _chosen(days, people, step, request)
    path = report.write_card(found, person or "", _shelf(visitor) / "chat card.png", hidden=hidden is not False)
    picture = base64.b64encode(path.read_bytes()).decode("ascii")
    return (
        f'<p class="done">The card is ready. {download_link(visitor, path, "Download the card")}</p>'
        f'<img class="card-shown" alt="The card" src="data:image/png;base64,{picture}">'
    )


def _chosen(days: Any, people: list[str] | None, step: str, request: gr.Request) -> tuple[Visitor, Analysis]:
    visitor = visitor_of(request)
    found = _analyse(visitor, days, people, step)
    if found is None:
        raise ChatError("There is no chat to take along: bring one first, or try the sample chat.")
    return visitor, found


def _analyse(
    visitor: Visitor, days: Any, people: list[str] | None, step: str, *, with_words: bool = True
) -> Analysis | None:
    """The tables of what is chosen; None without a chat."""
    prepared = _prepared(visitor)
    if prepared is None:
        return None
    since, until = _days(prepared, days)
    chosen = [name for name in people or [] if isinstance(name, str)]
    return analysis.analyse(
        prepared, since=since, until=until, people=chosen, bucket=BUCKETS.get(step), with_words=with_words
    )


def _shelf(visitor: Visitor) -> Path:
    """Where what is taken along lies, for its visitor only; it goes with their folder."""
    shelf = visitor.folder / "takeaway"
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
