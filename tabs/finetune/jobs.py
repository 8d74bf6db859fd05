"""Training on Hugging Face Jobs, a part of the Fine-tune tab: the price before the click, then followed as any run."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import gradio as gr
from gradio.blocks import Block

from pipeline.errors import ChatError
from pipeline.visitors import Visitor, check_none_goes, new_run_folder, newest_run, runs_stamp
from tabs.form import Form
from tabs.hub import OFF, hub_is_off
from tabs.visitor import Stage, safely, visitor_of
from tabs.wiring import PRIVATE, QUIET, Updates, Values
from web.views.jobs import job_cost, job_links

if TYPE_CHECKING:
    from pipeline.jobs import Hardware
    from pipeline.planning import TrainingConfig

__all__ = ["JobPanel", "build", "is_better_here", "look_at_job", "notice"]

DUPLICATE = (
    "duplicate this Space on a T4 (menu at the top right, <b>Duplicate this Space</b>, <b>T4 small</b>, private)"
)
ZERO_GPU = (
    "This Space borrows a GPU for a minute or two at a time (ZeroGPU), which is too short to train. What trains here "
    "trains on its CPU, enough for the starter model. For a larger one, "
)
NO_GPU = "This Space has no GPU: it is enough for the starter model. For a larger one, "

ABOUT = (
    '<p class="quiet">A machine of Hugging Face trains, and your account there pays by the minute. The dataset and '
    "this app's code go to a private repository of your own, the twin comes back from another. Nothing starts "
    "before you have seen the price.</p>"
)


def is_better_here() -> bool:
    """Whether Jobs are the way to train more than the starter model: on a Space without a GPU of its own."""
    return bool(os.environ.get("SPACE_ID")) and (zero_gpu() or os.environ.get("ACCELERATOR", "none") in ("", "none"))


def zero_gpu() -> bool:
    return os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "true")


def notice() -> str:
    """What a visitor of a Space without a GPU of its own should know before they press Train."""
    if not is_better_here():
        return ""
    said = ZERO_GPU if zero_gpu() else NO_GPU
    return f'<p class="ask">{said}train on Hugging Face Jobs (below), or {DUPLICATE}.</p>'


@dataclass(frozen=True)
class JobPanel:
    """Prices unknown, priced, or a job under way. `offers`: the machines that were offered, by name."""

    form: gr.Column
    look: gr.Button
    priced: gr.Column
    machine: gr.Dropdown
    minutes: gr.Slider
    cost: gr.HTML
    consent: gr.Checkbox
    start: gr.Button
    running: gr.Column
    about: gr.HTML
    cancel: gr.Button
    offers: gr.State
    settings: Form[TrainingConfig]

    @property
    def asked(self) -> set[Block]:
        """What is read before a job is priced or started."""
        return {self.machine, self.minutes, self.consent, self.offers, *self.settings.components}


def build(
    stage: Stage, settings: Form[TrainingConfig], changed: Sequence[Block], redraw: Callable[[Visitor], Updates]
) -> JobPanel:
    """The fold's insides; a start changes `changed` by `redraw`, and the runs' stamp."""
    panel = _layout(settings)
    outputs = [stage.runs, *changed]
    priced = [panel.offers, panel.priced, panel.machine, panel.cost]
    panel.look.click(safely(_prices, panel), panel.asked, priced, show_progress="minimal", **PRIVATE)
    gr.on(
        [panel.machine.change, panel.minutes.release, *(setting.change for setting in settings.components)],
        safely(_price, panel), panel.asked, panel.cost, trigger_mode="always_last", **QUIET,
    )  # fmt: skip
    panel.start.click(
        safely(_start, panel, stage, redraw), panel.asked, outputs, concurrency_id="hub", show_progress_on=panel.cost,
        **PRIVATE,
    )  # fmt: skip
    panel.cancel.click(
        safely(_cancel, stage, redraw), None, outputs, concurrency_id="hub", show_progress_on=panel.about, **PRIVATE
    )
    stage.runs.change(safely(_draw, panel), None, [panel.form, panel.running, panel.about], **QUIET)
    return panel


def _layout(settings: Form[TrainingConfig]) -> JobPanel:
    from pipeline.hub import CONSENT

    gr.HTML(ABOUT)
    if os.environ.get("SPACE_ID"):
        gr.LoginButton(size="sm", scale=0, min_width=200)
    with gr.Column(elem_id="job-form") as form:
        look = gr.Button("Show machines and prices", size="sm", scale=0, min_width=220, elem_id="job-prices")
        with gr.Column(visible=False) as priced:
            with gr.Row():
                machine = gr.Dropdown([], label="Machine", elem_id="job-machine")
                minutes = gr.Slider(15, 480, value=60, step=15, label="Ended after, in minutes", elem_id="job-minutes")
            cost = gr.HTML(elem_id="job-cost")
            consent = gr.Checkbox(False, label=CONSENT, elem_id="job-consent")
            start = gr.Button("Train there", scale=0, min_width=160, elem_id="job-start")
    with gr.Column(visible=False, elem_id="job-running") as running:
        about = gr.HTML()
        cancel = gr.Button("Cancel the job", size="sm", scale=0, min_width=160, elem_id="job-cancel")
    return JobPanel(
        form, look, priced, machine, minutes, cost, consent, start, running, about, cancel, gr.State({}), settings
    )  # fmt: skip


def _prices(panel: JobPanel, request: gr.Request, token: gr.OAuthToken | None, values: Values) -> Updates:
    """Ask for the machines and their prices."""
    from pipeline.jobs import list_hardware

    offers = list_hardware(own_token(request, token))
    if not offers:
        raise ChatError("Hugging Face offers no machine to this account now: try again later.")
    chosen = next((offer for offer in offers if offer.card), offers[0])
    config = panel.settings.read(values)
    return {
        panel.offers: {offer.name: asdict(offer) for offer in offers},
        panel.priced: gr.Column(visible=True),
        panel.machine: gr.Dropdown([(offer.label, offer.name) for offer in offers], value=chosen.name),
        panel.cost: _cost(visitor_of(request), chosen, values[panel.minutes], config),
    }


def _price(panel: JobPanel, request: gr.Request, values: Values) -> Updates:
    """Say anew what the chosen machine would cost."""
    from pipeline.jobs import Hardware

    offer = values[panel.offers].get(values[panel.machine])
    if offer is None:
        return {panel.cost: ""}
    config = panel.settings.read(values)
    return {panel.cost: _cost(visitor_of(request), Hardware(**offer), values[panel.minutes], config)}


def _start(
    panel: JobPanel,
    stage: Stage,
    redraw: Callable[[Visitor], Updates],
    request: gr.Request,
    token: gr.OAuthToken | None,
    values: Values,
) -> Updates:
    visitor, config = visitor_of(request), panel.settings.read(values)
    machine, minutes, consent = values[panel.machine], int(values[panel.minutes]), values[panel.consent]
    _begin(visitor, own_token(request, token), machine, minutes, consent, config)
    return {stage.runs: runs_stamp(visitor), **redraw(visitor)}


def _cancel(
    stage: Stage, redraw: Callable[[Visitor], Updates], request: gr.Request, token: gr.OAuthToken | None
) -> Updates:
    visitor = visitor_of(request)
    _end(visitor, own_token(request, token))
    return {stage.runs: runs_stamp(visitor), **redraw(visitor)}


def _begin(
    visitor: Visitor, token: str | None, name: str | None, minutes: int, consent: bool, config: TrainingConfig
) -> None:
    """Start a job on the machine of this name, at the price of now."""
    from pipeline.jobs import list_hardware, start_job
    from pipeline.store import VisitorFolder, locked

    if not visitor.has_dataset:
        raise ChatError("There is no dataset yet: make one in step 2.")
    # A second click, on another page, must not rent a second machine while the first is still asked for.
    with locked(VisitorFolder(visitor.folder).job_lock, "A job is being started already: wait for it."):
        check_none_goes(visitor)
        chosen = next((offer for offer in list_hardware(token) if offer.name == name), None)
        if chosen is None:
            raise ChatError("This machine is not offered any more: look at the prices again.")
        run = new_run_folder(visitor)
        repo = f"chat-twin-{run.name}"
        start_job(visitor.dataset, run, config, chosen, minutes, token, consent=consent, name=repo)


def _end(visitor: Visitor, token: str | None) -> None:
    """Cancel the visitor's job."""
    from pipeline.jobs import cancel

    run = newest_run(visitor)
    if run is None or run.job is None:
        raise ChatError("There is no job to cancel.")
    cancel(run.directory, token)


def _draw(panel: JobPanel, request: gr.Request) -> Updates:
    """One of the two columns."""
    run = newest_run(visitor_of(request))
    job = run.job if run is not None and run.live else None
    stays = '<p class="quiet">It is yours, on your account: deleting your data here does not end it.</p>'
    told = "" if job is None else f"<p>{job_links(job)}</p>{stays}"
    return {
        panel.form: gr.Column(visible=job is None),
        panel.running: gr.Column(visible=job is not None),
        panel.about: told,
    }


def own_token(request: gr.Request, token: gr.OAuthToken | None) -> str | None:
    """The visitor's own token, for this call. Raises ChatError where it would be another's."""
    from pipeline.hub import find_token

    if hub_is_off(request):
        raise ChatError(OFF)
    return find_token(token.token if token is not None else None)


def look_at_job(request: gr.Request, token: gr.OAuthToken | None, run_dir: Path) -> None:
    """Fetch what the run's job has sent, if it is a job and time to look."""
    from pipeline.jobs import poll_job
    from pipeline.runs import read_job

    job = read_job(run_dir)
    if job is not None and not job.over and not hub_is_off(request):
        poll_job(run_dir, own_token(request, token))


def _cost(visitor: Visitor, chosen: Hardware, minutes: float, config: TrainingConfig) -> str:
    """The price of a job in words: at most, and likely."""
    from pipeline.jobs import estimate
    from pipeline.machine import T4
    from pipeline.training import plan_for

    parameters, tokens = None, 0.0
    with contextlib.suppress(ChatError):  # a shape that cannot be read from here: what it costs at most is known
        plan = plan_for(visitor.dataset, config, T4)  # how much is learned is the same on any card
        parameters, tokens = plan.parameters, plan.dataset.tokens * plan.epochs.value
    estimated = estimate(chosen, int(minutes), parameters=parameters, tokens=tokens)
    return job_cost(estimated, minutes)
