"""Training on Hugging Face Jobs, as HTML: what it costs at most and likely, and what a run says of its job."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from web.words import duration

if TYPE_CHECKING:
    from pipeline.jobs import Estimate
    from pipeline.runs import Run

__all__ = ["job_cost", "job_lines", "job_links"]


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
            lines.append(f"<p>{job_links(run.job)}</p>")
    return lines


def job_links(job: Any) -> str:
    """Where its log, its adapter and its dataset are."""

    def link(url: str, words: str) -> str:
        return f'<a class="download" href="{escape(url)}" target="_blank" rel="noopener">{words}</a>'

    site = job.url.split("/jobs/")[0]
    return (
        link(job.url, "Its log")
        + link(f"{site}/{job.repo}", "What it learned")
        + link(f"{site}/datasets/{job.data_repo}", "The dataset there (delete it when done)")
    )


def job_cost(estimate: Estimate, minutes: float) -> str:
    """The price of a job that is ended after so many minutes: at most, and likely."""
    most = f'<p class="lead">At most ${estimate.most:,.2f}</p>'
    if estimate.minutes is None or estimate.likely is None:
        return f'{most}<p class="quiet">How long it will take cannot be guessed for this machine and model.</p>'
    late = estimate.minutes > minutes
    guess = (
        f"It would likely take {duration(60 * estimate.minutes)}: give it more time than that."
        if late
        else f"Likely about {duration(60 * estimate.minutes)} and ${estimate.likely:,.2f}."
    )
    css = "ask" if late else "quiet"
    return f'{most}<p class="{css}">{guess} A guess from the card\'s data sheet, with five minutes to set up.</p>'
