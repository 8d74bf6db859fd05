"""Step 3: one button, then watch it learn. Everything shown of a run is read from its folder, so a reload finds it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import gradio as gr
from gradio.blocks import Block

from pipeline.errors import ChatError
from pipeline.runs import RunFolder
from pipeline.visitors import (
    Visitor,
    check_none_goes,
    new_run_folder,
    newest_run,
    own_run,
    run_folders,
    runs_stamp,
    save_choices,
    stamp,
)
from tabs.finetune import compare_runs, explain, forecast, free_t4, jobs, settings
from tabs.form import Form
from tabs.visitor import Stage, safely, visitor_of
from tabs.wiring import PRIVATE, QUIET, Updates, Values
from web.views.run import ready_line, rows_as_tokens, run_log, run_panel

if TYPE_CHECKING:
    from pipeline.planning import TrainingConfig
    from pipeline.runs import Run

__all__ = ["FinetuneTab", "build"]

TICK_SECONDS = 1.5


@dataclass(frozen=True)
class RunPanel:
    """The newest run: how it stands, and what can be done with it."""

    verdict: gr.HTML
    shown: gr.HTML
    onward: gr.Button
    resume: gr.Button
    stop: gr.Button
    pause: gr.Button
    train: gr.Button


@dataclass(frozen=True)
class FinetuneTab:
    """The tab's parts. `planned`: the plan that is shown; `known`: the run whose settings the form
    shows; `seen`: what the timer has drawn already."""

    empty: gr.Column
    go: gr.Column
    run: RunPanel
    form: Form[TrainingConfig]
    several: gr.Row
    rows_fold: gr.Accordion
    rows: gr.HTML
    log: gr.HTML
    timer: gr.Timer
    planned: gr.State
    known: gr.State
    seen: gr.State

    @property
    def drawn(self) -> list[Block]:
        """What follows the newest run."""
        run = self.run
        around = [self.empty, self.go, self.log, self.timer]
        return [*around, run.verdict, run.shown, run.onward, run.resume, run.stop, run.pause, run.train]


def build(stage: Stage) -> FinetuneTab:
    """The tab: empty, ready, running, done (or failed, paused, lost)."""
    with gr.Column(elem_id="finetune-empty") as empty:
        gr.HTML('<div class="empty">No dataset yet. Make one in step 2: it takes a moment.</div>')
    with gr.Column(visible=False, elem_id="finetune-go") as go:
        if jobs.notice():
            gr.HTML(jobs.notice(), elem_id="finetune-notice")
        run, bar = _run_panel()
        with gr.Accordion("Settings", open=False, elem_classes="fold", elem_id="finetune-settings"):
            form, several = settings.build()
        with gr.Accordion("Will it fit, and why so", open=False, elem_classes="fold", elem_id="finetune-fit"):
            planned = forecast.build(stage, bar, form).planned
        with gr.Accordion("What it means", open=False, elem_classes="fold", elem_id="finetune-means") as means:
            explain.build(means, form["model"])
        with gr.Accordion("What the model sees (3 rows)", open=False, elem_classes="fold") as rows_fold:
            rows = gr.HTML()
        with gr.Accordion("Log", open=False, elem_classes="fold"):
            log = gr.HTML()
        timer = gr.Timer(TICK_SECONDS, active=False)
        tab = FinetuneTab(
            empty, go, run, form, several, rows_fold, rows, log, timer, planned, gr.State(""), gr.State("")
        )
        with gr.Accordion(
            "Train on Hugging Face Jobs", open=jobs.is_better_here(), elem_classes="fold", elem_id="jobs"
        ):
            jobs.build(stage, form, tab.drawn, lambda visitor: _drawn(tab, visitor))
        with gr.Accordion("Train on a free T4", open=False, elem_classes="fold", elem_id="free-t4-fold") as free:
            free_t4.build(free)
        with gr.Accordion("All runs: compare two, take one along", open=False, elem_classes="fold", elem_id="all-runs"):
            compare_runs.build(stage)
    _wire(tab, stage)
    return tab


def _run_panel() -> tuple[RunPanel, gr.HTML]:
    """The run's components, and the bar of whether it fits, which stands among them."""
    verdict = gr.HTML(elem_id="finetune-verdict")
    bar = gr.HTML(elem_id="fit")
    shown = gr.HTML(visible=False, elem_id="run")
    with gr.Row(elem_classes="actions"):
        onward = gr.Button("Next: chat", variant="primary", visible=False, scale=0, min_width=180, elem_id="to-chat")
        resume = gr.Button("Resume", variant="primary", visible=False, scale=0, min_width=180, elem_id="resume")
        stop = gr.Button("Stop and keep the best", visible=False, scale=0, min_width=250, elem_id="stop")
        pause = gr.Button("Pause", visible=False, scale=0, min_width=110, elem_id="pause")
        train = gr.Button("Train", variant="primary", scale=0, min_width=180, elem_id="train")
    return RunPanel(verdict, shown, onward, resume, stop, pause, train), bar


def _wire(tab: FinetuneTab, stage: Stage) -> None:
    run, outputs = tab.run, [stage.runs, *tab.drawn]
    gr.on([stage.dataset.change, stage.runs.change], safely(_draw, tab), None, tab.drawn, **QUIET)
    gr.on(
        [stage.dataset.change, stage.runs.change], safely(_draw_settings, tab), tab.known,
        [*tab.form.components, tab.several, tab.known], **QUIET,
    )  # fmt: skip
    tab.timer.tick(safely(_tick, tab, stage), tab.seen, [stage.runs, run.shown, tab.log, tab.seen], **QUIET)
    asked = {tab.planned, *tab.form.components}
    run.train.click(safely(_train, tab, stage), asked, outputs, show_progress="minimal", **PRIVATE)
    for button, order in ((run.stop, "stop"), (run.pause, "pause"), (run.resume, "resume")):
        button.click(safely(_order, tab, stage, order), None, outputs, **QUIET)
    run.onward.click(safely(_go_on, stage), None, [stage.runs, stage.tabs], **QUIET)
    tab.rows_fold.expand(safely(_rows, tab), tab.form["model"], tab.rows, show_progress="minimal", **PRIVATE)


def _draw_settings(tab: FinetuneTab, request: gr.Request, known: str) -> Updates:
    """The settings as the newest run has them, once; and those that make sense here.

    Behind a link nobody could open trackio's dashboard.
    """
    from pipeline.machine import this_machine

    run = newest_run(visitor_of(request))
    far = bool(os.environ.get("SPACE_ID")) or os.environ.get("GRADIO_SHARE", "").lower() in ("1", "true")
    trackio = tab.form["trackio"]
    updates: Updates = {tab.several: gr.Row(visible=this_machine().gpus > 1), trackio: gr.Checkbox(visible=not far)}
    name = "" if run is None else run.directory.name
    if run is not None and name != known:
        updates = settings.settings_of(tab.form, run.asked) | updates | {tab.known: name}
        updates[trackio] = gr.Checkbox(value=run.config.trackio, visible=not far)
    return updates


def _train(tab: FinetuneTab, stage: Stage, request: gr.Request, values: Values) -> Updates:
    from pipeline.runs import start
    from pipeline.training import keep_shown

    visitor = visitor_of(request)
    config = tab.form.read(values)
    if not visitor.has_dataset:
        raise ChatError("There is no dataset yet: make one in step 2.")
    check_none_goes(visitor)
    plan = keep_shown(values[tab.planned], forecast.plan_shown(visitor, config, "here"))
    start(visitor.dataset, new_run_folder(visitor), config, plan)
    return {stage.runs: runs_stamp(visitor), **_drawn(tab, visitor)}


def _order(tab: FinetuneTab, stage: Stage, order: str, request: gr.Request) -> Updates:
    """Stop, pause or resume the newest run."""
    from pipeline import runs

    visitor = visitor_of(request)
    folders = run_folders(visitor)
    run_dir = own_run(visitor, folders[0].name if folders else None)
    {"stop": runs.stop, "pause": runs.pause, "resume": runs.resume}[order](run_dir)
    return {stage.runs: runs_stamp(visitor), **_drawn(tab, visitor)}


def _go_on(stage: Stage, request: gr.Request) -> Updates:
    """To the chat with the twin that has just learned; the new stamp makes the tab there draw itself for it."""
    visitor = visitor_of(request)
    run = newest_run(visitor)
    name = run.directory.name if run is not None and run.has_adapter else None
    save_choices(visitor, twin=name)
    return {stage.runs: f"{runs_stamp(visitor)} twin {name}", stage.tabs: gr.Tabs(selected="chat")}


def _draw(tab: FinetuneTab, request: gr.Request) -> Updates:
    return _drawn(tab, visitor_of(request))


def _tick(tab: FinetuneTab, stage: Stage, request: gr.Request, token: gr.OAuthToken | None, seen: str) -> Updates:
    """What changed in the run's folder since the last look; a page that redraws for nothing slows the training down."""
    visitor = visitor_of(request)
    folders = run_folders(visitor)
    now = ""
    if folders:
        jobs.look_at_job(request, token, folders[0])
        run_folder = RunFolder(folders[0])
        followed = (run_folder.metrics, run_folder.state, run_folder.job)
        now = stamp(*followed)
    updates: Updates = {stage.runs: runs_stamp(visitor), tab.seen: now}
    run = newest_run(visitor) if now != seen else None
    return updates if run is None else {**updates, tab.run.shown: run_panel(run), tab.log: run_log(run)}


def _rows(tab: FinetuneTab, request: gr.Request, model: str) -> Updates:
    """A few rows as the tokens that the model will see."""
    from pipeline.dataset import preview_rows, read_dataset
    from pipeline.models import load_tokenizer
    from pipeline.training import without_repeats

    rows = without_repeats(read_dataset(visitor_of(request).dataset).train)
    return {tab.rows: rows_as_tokens(preview_rows(rows, load_tokenizer(model)))}


def _drawn(tab: FinetuneTab, visitor: Visitor) -> Updates:
    """The whole tab from the visitor's folder."""
    run = newest_run(visitor)
    if run is None and not visitor.has_dataset:
        return {
            tab.empty: gr.Column(visible=True),
            tab.go: gr.Column(visible=False),
            tab.timer: gr.Timer(active=False),
        }
    followed = run is not None and (run.live or (run.job is not None and not run.job.over))
    return {
        tab.empty: gr.Column(visible=False),
        tab.go: gr.Column(visible=True),
        tab.run.verdict: gr.HTML(_ready(visitor) if run is None else "", visible=run is None),
        tab.run.shown: gr.HTML(run_panel(run) if run is not None else "", visible=run is not None),
        tab.log: run_log(run),
        tab.timer: gr.Timer(active=followed),
        **_buttons(tab.run, run, visitor.has_dataset),
    }


def _buttons(panel: RunPanel, run: Run | None, has_dataset: bool) -> Updates:
    """What can be done now: train, or with the run that there is."""
    status = run.status if run is not None else None
    live, resumable = run is not None and run.live, run is not None and run.resumable and status != "stopped"
    finished = status in ("done", "stopped") and run is not None and run.has_adapter
    return {
        panel.onward: gr.Button(visible=finished),
        panel.resume: gr.Button(visible=resumable),
        panel.stop: gr.Button(visible=live, interactive=status == "running"),
        panel.pause: gr.Button(visible=live and run is not None and run.job is None, interactive=status == "running"),
        panel.train: gr.Button(
            "Train" if run is None else "Train again",
            variant="secondary" if finished or resumable else "primary",
            visible=not live and has_dataset,
        ),
    }


def _ready(visitor: Visitor) -> str:
    from pipeline.dataset import read_about

    return ready_line(*read_about(visitor.dataset))
