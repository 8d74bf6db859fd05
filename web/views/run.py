"""A training run as the page shows it: its panel, its label in a list, its log, and what it learns from."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.charts import loss_curve
from pipeline.runs import RunFolder
from web.bubbles import failed
from web.views.jobs import job_lines
from web.words import count, time_left

if TYPE_CHECKING:
    from pipeline.dataset import DatasetConfig, Preview, Summary
    from pipeline.runs import Run

LOG_CHARACTERS = 6000

__all__ = ["ready_line", "rows_as_tokens", "run_label", "run_log", "run_panel"]


def run_label(folder: Path) -> str:
    """A run in a list: whose twin, learned from how much, when."""
    from pipeline.dataset import read_about

    config, summary = read_about(RunFolder(folder).dataset.path)
    when = f"{folder.name[9:11]}:{folder.name[11:13]}" if folder.name[8:9] == "-" else folder.name
    return f"Twin of {config.person}  ·  {count(summary.train_replies, 'reply', 'replies')}  ·  {when}"


def ready_line(config: DatasetConfig, summary: Summary) -> str:
    """The verdict before training: what will be learned."""
    return (
        f'<p class="lead" dir="auto">Ready to learn from {count(summary.train_replies, "reply", "replies")} '
        f"of {escape(config.person)}.</p>"
    )


def rows_as_tokens(rows: Sequence[Preview]) -> str:
    """Rows as the tokens that the model will see; what it learns from is marked."""
    parts = []
    for row in rows:
        text = ""
        for learned, tokens in itertools.groupby(row.tokens, key=lambda token: token.learned):
            words = escape("".join(token.text for token in tokens))
            text += f"<mark>{words}</mark>" if learned else words
        parts.append(
            f'<p class="quiet">{row.learned_count:,} of {row.token_count:,} tokens are learned from</p>'
            f'<div class="tokens" dir="auto">{text}</div>'
        )
    return "".join(parts)


def run_log(run: Run | None) -> str:
    """The end of the log that the run's worker writes."""
    if run is None:
        return '<p class="quiet">Nothing yet.</p>'
    try:
        text = RunFolder(run.directory).log.read_text(encoding="utf-8", errors="replace")[-LOG_CHARACTERS:]
    except OSError:
        text = ""
    return f'<pre class="log">{escape(text) or "Nothing yet."}</pre>'


def run_panel(run: Run) -> str:
    """The run as it stands: curve, state in words, figures."""
    from pipeline.runs import read_metrics
    from pipeline.training import dashboard_command

    metrics = read_metrics(run.directory)
    train, held_out, speed, memory = _series(metrics)
    last = run.step if run.status in ("done", "stopped") else run.total_steps  # the steps that will not come take room
    curve = loss_curve(train, [point for point in held_out if point[0] > 0], last, _before(held_out))
    share = 100 * run.step / max(run.total_steps, 1)
    waiting = run.status == "starting" and run.message
    lines = [f'<p class="state">{escape(run.message) if waiting else _state_line(run)}</p>']
    if run.live:
        lines.append(f'<div class="meter"><i style="width:{share:.0f}%"></i></div>')
        left = "" if run.status == "stopping" else f"{time_left(run.seconds_left)} · "
        lines.append(f"<p><b>{left}step {run.step:,} of {run.total_steps:,}</b></p>" if run.total_steps else "")
        lines.append(f'<p class="quiet">{escape(run.message)}</p>' if run.message and not waiting else "")
    lines.append(_loss_line(train, held_out))
    figures = [f"{speed:,.0f} tokens a second" if speed else "", f"{memory:.1f} GB of memory" if memory else ""]
    if any(figures):
        lines.append(f"<p>{' · '.join(filter(None, figures))}</p>")
    lines += job_lines(run)
    if run.config.trackio:
        shown = f"<code>{escape(dashboard_command(run.directory))}</code>"
        lines.append(f'<p class="quiet" style="overflow-wrap: anywhere">Its dashboard: {shown}</p>')
    # Of a run that was asked to end the state has said the first sentence already.
    message = run.message.partition(". ")[2] if run.status in ("stopped", "paused") else run.message
    if message and not run.live:
        lines.append(failed(message) if run.status in ("failed", "lost") else f"<p>{escape(message)}</p>")
    return f'<div class="run"><div>{curve}</div><div>{"".join(lines)}</div></div>'


def _state_line(run: Run) -> str:
    return {
        "starting": "Loading the model",
        "running": f"Learning · {100 * run.step // max(run.total_steps, 1)} %",
        "stopping": "Stopping, and keeping the best so far",
        "paused": "Paused. Resume goes on from where it was.",
        "done": "Done. The twin is ready to talk.",
        "stopped": "Stopped. The best so far is kept, and ready to talk.",
        "failed": "The training failed.",
        "lost": "The training was cut off.",
    }[run.status]


def _loss_line(train: list[tuple[float, float]], held_out: list[tuple[float, float]]) -> str:
    if held_out and len(held_out) > 1:
        before, best = held_out[0][1], min(loss for _, loss in held_out[1:])
        better = 100 * (1 - best / before) if before else 0
        how = f"{better:.0f} % below before training" if better >= 0.5 else "no better than before training"
        return f"<p>Loss on held-out replies <b>{before:.2f} → {best:.2f}</b>, {how}</p>"
    if train:
        return f"<p>Loss <b>{train[0][1]:.2f} → {train[-1][1]:.2f}</b>, held-out replies not looked at yet</p>"
    return "<p>The first steps take a moment.</p>"


def _series(metrics: Any) -> tuple[list[tuple[float, float]], list[tuple[float, float]], float | None, float | None]:
    """(train points, held-out points, last tokens a second, last memory in GiB) of a run's metrics."""

    def points(column: str) -> list[tuple[float, float]]:
        if column not in metrics.columns or "step" not in metrics.columns:
            return []
        return [(step, loss) for step, loss in metrics.select("step", column).drop_nulls().iter_rows() if loss == loss]

    def last(column: str) -> float | None:
        found = points(column)
        return found[-1][1] if found else None

    return points("loss"), points("validation_loss"), last("tokens_per_second"), last("memory_gib")


def _before(held_out: list[tuple[float, float]]) -> float | None:
    return held_out[0][1] if held_out and held_out[0][0] == 0 else None
