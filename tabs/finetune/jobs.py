"""Training on Hugging Face Jobs, a part of the Fine-tune tab: the price before the click, then followed as any run."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from dataclasses import asdict
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from pipeline.errors import ChatError
from tabs.hub import OFF, hub_is_off
from tabs.runs import check_none_goes, new_run_folder, newest_run, runs_stamp
from tabs.visitor import Stage, Visitor, safely, visitor_of
from web.words import duration

if TYPE_CHECKING:
    from pipeline.jobs import Hardware
    from pipeline.planning import TrainingConfig
    from pipeline.runs import Run

__all__ = ["build", "follow_job", "is_better_here", "job_lines", "notice"]

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


def build(
    stage: Stage,
    knobs: list[Any],
    config_of: Callable[..., TrainingConfig],
    shown: list[Any],
    redraw: Callable[[Visitor], list[Any]],
) -> None:
    """The fold's insides: prices unknown, priced, a job under way. A start gives [stage.runs, *shown] by `redraw`."""
    private: dict[str, Any] = {"api_visibility": "private"}
    quiet: dict[str, Any] = {"show_progress": "hidden", **private}
    gr.HTML(ABOUT)
    if os.environ.get("SPACE_ID"):
        gr.LoginButton(size="sm", scale=0, min_width=200)
    with gr.Column(elem_id="job-form") as form:
        look = gr.Button("Show machines and prices", size="sm", scale=0, min_width=220, elem_id="job-prices")
        priced, machine, minutes, cost, consent, start = _form()
    with gr.Column(visible=False, elem_id="job-running") as running:
        about = gr.HTML()
        cancel = gr.Button("Cancel the job", size="sm", scale=0, min_width=160, elem_id="job-cancel")
    offered = gr.State({})

    def begin(
        request: gr.Request, token: gr.OAuthToken | None, name: str | None, minutes: float, consent: bool, *values: Any
    ) -> list[Any]:
        visitor = visitor_of(request)
        _begin(visitor, own_token(request, token), name, int(minutes), consent, config_of(*values))
        return [runs_stamp(visitor), *redraw(visitor)]

    def end(request: gr.Request, token: gr.OAuthToken | None) -> list[Any]:
        visitor = visitor_of(request)
        _end(visitor, own_token(request, token))
        return [runs_stamp(visitor), *redraw(visitor)]

    prices, price = _pricing(config_of)
    asked = [minutes, *knobs]
    look.click(safely(prices), asked, [offered, priced, machine, cost], show_progress="minimal", **private)
    gr.on(
        [machine.change, minutes.release, *(knob.change for knob in knobs)], safely(price), [offered, machine, *asked],
        cost, trigger_mode="always_last", **quiet,
    )  # fmt: skip
    start.click(
        safely(begin), [machine, minutes, consent, *knobs], [stage.runs, *shown], concurrency_id="hub",
        show_progress_on=cost, **private,
    )  # fmt: skip
    cancel.click(safely(end), None, [stage.runs, *shown], concurrency_id="hub", show_progress_on=about, **private)
    stage.runs.change(safely(_draw), None, [form, running, about], **quiet)


def _form() -> tuple[gr.Column, gr.Dropdown, gr.Slider, gr.HTML, gr.Checkbox, gr.Button]:
    """What to choose and to agree to once the prices are known: its column, machine, minutes, cost, consent, start."""
    from pipeline.hub import CONSENT

    with gr.Column(visible=False) as priced:
        with gr.Row():
            machine = gr.Dropdown([], label="Machine", elem_id="job-machine")
            minutes = gr.Slider(15, 480, value=60, step=15, label="Ended after, in minutes", elem_id="job-minutes")
        cost = gr.HTML(elem_id="job-cost")
        consent = gr.Checkbox(False, label=CONSENT, elem_id="job-consent")
        start = gr.Button("Train there", scale=0, min_width=160, elem_id="job-start")
    return priced, machine, minutes, cost, consent, start


def _pricing(config_of: Callable[..., TrainingConfig]) -> tuple[Callable[..., list[Any]], Callable[..., str]]:
    """Handlers: ask for the machines and their prices, and say anew what one of them would cost."""

    def prices(request: gr.Request, token: gr.OAuthToken | None, minutes: float, *values: Any) -> list[Any]:
        from pipeline.jobs import list_hardware

        offers = list_hardware(own_token(request, token))
        if not offers:
            raise ChatError("Hugging Face offers no machine to this account now: try again later.")
        chosen = next((offer for offer in offers if offer.card), offers[0])
        choices = [(offer.label, offer.name) for offer in offers]
        told = _cost(visitor_of(request), chosen, minutes, config_of(*values))
        kept = {offer.name: asdict(offer) for offer in offers}
        return [kept, gr.Column(visible=True), gr.Dropdown(choices, value=chosen.name), told]

    def price(
        request: gr.Request, offers: dict[str, dict[str, Any]], name: str | None, minutes: float, *values: Any
    ) -> str:
        from pipeline.jobs import Hardware

        if name not in offers:
            return ""
        return _cost(visitor_of(request), Hardware(**offers[name]), minutes, config_of(*values))

    return prices, price


def _begin(
    visitor: Visitor, token: str | None, name: str | None, minutes: int, consent: bool, config: TrainingConfig
) -> None:
    """Start a job on the machine of this name, at the price of now."""
    from pipeline.jobs import list_hardware, start_job
    from pipeline.store import VisitorFolder, locked

    if not visitor.has_dataset:
        raise ChatError("There is no dataset yet: make one in step 2.")
    # A second click, on another page, must not hire a second machine while the first is still asked for.
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


def _draw(request: gr.Request) -> list[Any]:
    """Outputs [form, running, about]: one of the two columns."""
    run = newest_run(visitor_of(request))
    job = run.job if run is not None and run.live else None
    stays = '<p class="quiet">It is yours, on your account: deleting your data here does not end it.</p>'
    told = "" if job is None else f"<p>{_links(job)}</p>{stays}"
    return [gr.Column(visible=job is None), gr.Column(visible=job is not None), told]


def own_token(request: gr.Request, token: gr.OAuthToken | None) -> str | None:
    """The visitor's own token, for this call. Raises ChatError where it would be another's."""
    from pipeline.hub import find_token

    if hub_is_off(request):
        raise ChatError(OFF)
    return find_token(token.token if token is not None else None)


def follow_job(request: gr.Request, token: gr.OAuthToken | None, run_dir: Path) -> None:
    """Fetch what the run's job has sent, if it is a job and time to look."""
    from pipeline.jobs import look
    from pipeline.runs import read_job

    job = read_job(run_dir)
    if job is not None and not job.over and not hub_is_off(request):
        look(run_dir, own_token(request, token))


def job_lines(run: Run) -> list[str]:
    """What the panel of a run says of its job, and of money wherever the machine is rented."""
    lines = []
    if run.spent is not None:
        lines.append(f"<p>About <b>${run.spent:,.2f}</b> {'so far' if run.live else 'in all'}</p>")
    if run.job is not None:
        most = run.job.price_per_hour * run.job.minutes / 60
        lines.append(
            f"<p>On {escape(run.job.hardware)} at Hugging Face, ended after {duration(60 * run.job.minutes)} and "
            f"${most:,.2f} at the most</p>"
        )
        if run.job.note:
            lines.append(f'<p class="ask">{escape(run.job.note)}</p>')
        if not run.live:
            lines.append(f"<p>{_links(run.job)}</p>")
    return lines


def _links(job: Any) -> str:
    def link(url: str, words: str) -> str:
        return f'<a class="download" href="{escape(url)}" target="_blank" rel="noopener">{words}</a>'

    site = job.url.split("/jobs/")[0]
    return (
        link(job.url, "Its log")
        + link(f"{site}/{job.repo}", "What it learned")
        + link(f"{site}/datasets/{job.data_repo}", "The dataset there (delete it when done)")
    )


def _cost(visitor: Visitor, chosen: Hardware, minutes: float, config: TrainingConfig) -> str:
    """The price of a job in words: at most, and likely."""
    from pipeline.dataset import read_about
    from pipeline.jobs import estimate
    from pipeline.planning import choose_epochs
    from pipeline.planning.forecast import shape_of

    parameters: int | None = None
    with contextlib.suppress(ChatError):  # a shape that cannot be read from here: what it costs at most is known
        parameters = shape_of(config.model).parameters
    tokens = read_about(visitor.dataset)[1].train_tokens
    epochs = config.epochs or choose_epochs(tokens)[0]
    told = estimate(chosen, int(minutes), parameters=parameters, tokens=tokens * epochs)
    most = f'<p class="lead">At most ${told.most:,.2f}</p>'
    if told.minutes is None or told.likely is None:
        return f'{most}<p class="quiet">How long it will take cannot be guessed for this machine and model.</p>'
    late = told.minutes > minutes
    guess = (
        f"It would likely take {duration(60 * told.minutes)}: give it more time than that."
        if late
        else f"Likely about {duration(60 * told.minutes)} and ${told.likely:,.2f}."
    )
    css = "ask" if late else "quiet"
    return f'{most}<p class="{css}">{guess} A guess from the card\'s data sheet, with five minutes to set up.</p>'
