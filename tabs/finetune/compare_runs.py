"""All runs, a part of the Fine-tune tab: the list, two of them side by side, and a twin to take along."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from pipeline.visitors import finished_runs, own_run, run_folders
from tabs.visitor import Stage, download_link, safely, visitor_of
from tabs.wiring import PRIVATE, QUIET, Updates, Values, parts
from web.views.run_comparison import every_run, started, two_runs

__all__ = ["AllRunsPanel", "build"]


@dataclass(frozen=True)
class AllRunsPanel:
    """The list; two to compare where there are two; a twin to take along where there is one."""

    every: gr.HTML
    choice: gr.Row
    first: gr.Dropdown
    second: gr.Dropdown
    beside: gr.HTML
    keeping: gr.Row
    keep: gr.Dropdown
    pack: gr.Button
    link: gr.HTML
    known: gr.State


def build(stage: Stage) -> AllRunsPanel:
    """The fold's insides: none yet, one, several."""
    every = gr.HTML(elem_id="every-run")
    with gr.Row(visible=False, elem_id="compare-choice") as choice:
        first = gr.Dropdown([], label="Compare", elem_id="compare-first", min_width=230)
        second = gr.Dropdown([], label="With", elem_id="compare-second", min_width=230)
    beside = gr.HTML(elem_id="compare-runs")
    with gr.Row(visible=False, elem_classes="actions") as keeping:
        keep = gr.Dropdown([], label="Take a twin along", elem_id="keep-run", min_width=220)
        pack = gr.Button("Make a zip", scale=0, min_width=140, elem_id="keep-zip")
    link = gr.HTML(elem_id="keep-link")
    panel = AllRunsPanel(every, choice, first, second, beside, keeping, keep, pack, link, gr.State(""))
    changed = [stage.runs.change, stage.dataset.change]
    gr.on(changed, safely(_draw, panel), {first, second, panel.known}, parts(panel), **QUIET)
    # A run that still learns has more to show each time.
    gr.on([first.change, second.change, stage.runs.change], safely(_compare), [first, second], beside, **QUIET)
    pack.click(safely(_take_along), keep, link, show_progress="minimal", **PRIVATE)
    return panel


def _draw(panel: AllRunsPanel, request: gr.Request, values: Values) -> Updates:
    """The list always, the choices only where others are there, so that none is lost; a pair that is there stays."""
    visitor = visitor_of(request)
    folders, done = run_folders(visitor), finished_runs(visitor)
    now = " ".join(f"{folder.name}{folder in done}" for folder in folders)
    if now == values[panel.known]:
        return {panel.every: every_run(folders)}
    names = [(started(folder), folder.name) for folder in folders]
    kept = [(started(folder), folder.name) for folder in done]
    pair = [values[panel.first], values[panel.second]]
    if not set(pair) <= {folder.name for folder in folders}:
        pair = [names[1][1], names[0][1]] if len(names) > 1 else [None, None]
    return {
        panel.every: every_run(folders),
        panel.choice: gr.Row(visible=len(names) > 1),
        panel.first: gr.Dropdown(names, value=pair[0]),
        panel.second: gr.Dropdown(names, value=pair[1]),
        panel.keeping: gr.Row(visible=bool(kept)),
        panel.keep: gr.Dropdown(kept, value=kept[0][1] if kept else None),
        panel.link: "",
        panel.known: now,
    }


def _compare(request: gr.Request, one: str | None, other: str | None) -> str:
    visitor = visitor_of(request)
    if not one or not other or one == other:
        return ""
    return two_runs(own_run(visitor, one), own_run(visitor, other))


def _take_along(request: gr.Request, name: str | None) -> str:
    from pipeline.hub import pack_adapter

    visitor = visitor_of(request)
    run_dir = own_run(visitor, name)
    path = pack_adapter(run_dir, run_dir / "twin.zip")
    size = path.stat().st_size / 1e6
    said = "Adapter, template, sampling, exam, recipe and card; nothing of the chat."
    label = f"Download twin.zip, {size:,.1f} MB"
    return f'<p>{download_link(visitor, path, label)}</p><p class="quiet">{said}</p>'
