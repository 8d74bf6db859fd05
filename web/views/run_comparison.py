"""A visitor's runs as a list, and two of them side by side: curves, settings that differ, what came out, exams."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.charts import two_curves
from pipeline.errors import ChatError
from pipeline.runs import RunFolder
from web.words import duration

if TYPE_CHECKING:
    from pipeline.runs import Run

__all__ = ["every_run", "started", "two_runs"]

NAMELESS = ("seed",)  # settings that say nothing about a run by themselves


def every_run(folders: Sequence[Path]) -> str:
    """All runs as a list, newest first."""
    from pipeline.runs import read_run

    rows = []
    for folder in folders:
        run = read_run(folder)
        before, best = run.base_validation_loss, run.best_validation_loss
        losses = f"{before:.2f} → {best:.2f}" if before is not None and best is not None else ""
        where = "" if run.job is None else f" · {escape(run.job.hardware)}"
        rows.append(
            f"<tr><td>{started(folder)}</td><td>{escape(run.status)}{where}</td>"
            f'<td class="number">{run.step:,} of {run.total_steps:,} steps</td><td class="number">{losses}</td>'
            f"<td>{', '.join(filter(None, (_took(run), _cost(run))))}</td></tr>"
        )
    if not rows:
        return '<p class="quiet">None yet.</p>'
    head = (
        '<tr><th>Started</th><th>State</th><th class="number">Steps</th><th class="number">Held-out loss</th>'
        "<th>Took</th></tr>"
    )
    return f'<table class="list"><thead>{head}</thead><tbody>{"".join(rows)}</tbody></table>'


def started(folder: Path) -> str:
    """When a run began, from its folder's name."""
    try:
        return f"{datetime.strptime(folder.name[:15], '%Y%m%d-%H%M%S'):%d %B, %H:%M}".lstrip("0")
    except ValueError:
        return escape(folder.name)


def _took(run: Run) -> str:
    return duration(run.seconds) if run.seconds > 0 else ""


def _cost(run: Run) -> str:
    return "" if run.spent is None else f"${run.spent:,.2f}"


def two_runs(one: Path, other: Path) -> str:
    """Two runs: their curves in one picture, then what differs, what came out, and their exams."""
    from pipeline.runs import read_metrics, read_run

    runs = (read_run(one), read_run(other))
    names = (started(one), started(other))
    first, second = (_points(read_metrics(run.directory)) for run in runs)
    picture = two_curves(first, second, names)
    parts: list[tuple[str, list[tuple[str, str, str]]]] = [
        ("Settings that differ", _differences(*runs)),
        ("What came out", [(name, show(runs[0]), show(runs[1])) for name, show in RESULTS]),
        ("Exam of the twin", _exams(one, other)),
    ]
    head = f"<tr><th></th><th>{names[0]}</th><th>{names[1]}</th></tr>"
    tables = "".join(
        f'<p class="moment">{title}</p><table class="list beside"><thead>{head}</thead><tbody>{_rows(rows, names)}'
        "</tbody></table>"
        for title, rows in parts
        if any(any(row[1:]) for row in rows)
    )
    same = "" if parts[0][1] else '<p class="quiet">Both were trained with the same settings.</p>'
    return f"{picture}{same}{tables}"


def _rows(rows: list[tuple[str, str, str]], names: tuple[str, str]) -> str:
    return "".join(
        f'<tr><td>{escape(name)}</td><td data-of="{names[0]}">{escape(one)}</td>'
        f'<td data-of="{names[1]}">{escape(other)}</td></tr>'
        for name, one, other in rows
        if one or other
    )


def _differences(one: Run, other: Run) -> list[tuple[str, str, str]]:
    fields = type(one.config).model_fields
    rows = []
    for name, field in fields.items():
        values = getattr(one.config, name), getattr(other.config, name)
        if values[0] != values[1] and name not in NAMELESS:
            label = (field.description or name.replace("_", " ")).split(";")[0].split(", ")[0]
            rows.append((label[0].upper() + label[1:], _written(values[0]), _written(values[1])))
    replies = _replies(one), _replies(other)
    if replies[0] != replies[1]:
        rows.append(("Replies learned from", *replies))
    return rows


def _written(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(value) or "all linear layers"
    if isinstance(value, float):
        return f"{value:g}"
    return "chosen" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


def _replies(run: Run) -> str:
    from pipeline.dataset import read_about

    try:
        return f"{read_about(RunFolder(run.directory).dataset.path)[1].train_replies:,}"
    except ChatError:
        return ""


def _size(run: Run) -> str:
    path = RunFolder(run.directory).adapter.weights
    return f"{path.stat().st_size / 1e6:,.1f} MB" if path.is_file() else ""


def _loss(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


RESULTS: tuple[tuple[str, Any], ...] = (
    ("Held-out loss before training", lambda run: _loss(run.base_validation_loss)),
    ("Best held-out loss", lambda run: _loss(run.best_validation_loss)),
    ("at step", lambda run: f"{run.best_step:,} of {run.total_steps:,}" if run.best_step is not None else ""),
    ("Took", _took),
    ("Tokens a second", lambda run: f"{run.tokens_per_second:,.0f}" if run.tokens_per_second else ""),
    ("Memory", lambda run: f"{run.memory_gib:,.1f} GB" if run.memory_gib else ""),
    ("Size of the adapter", _size),
    ("Cost, about", _cost),
)


def _exams(one: Path, other: Path) -> list[tuple[str, str, str]]:
    """The figures of both twins, those that either has; empty where neither was examined."""
    from pipeline.evaluation import exam_rows, read_exam

    columns: list[dict[str, str]] = []
    for run_dir in (one, other):
        try:
            exam = read_exam(run_dir)
        except ChatError:
            exam = None
        header, rows = exam_rows(exam) if exam is not None else ([], [])
        at = header.index("twin") if "twin" in header else None
        columns.append({row[0]: row[at] for row in rows} if at is not None else {})
    labels = list(dict.fromkeys([*columns[0], *columns[1]]))
    return [(label.strip(), columns[0].get(label, ""), columns[1].get(label, "")) for label in labels]


def _points(metrics: Any) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    """(loss, held-out loss) against how often each reply was seen."""
    return tuple(
        [point for point in metrics.select("epoch", column).drop_nulls().iter_rows() if point[1] == point[1]]
        for column in ("loss", "validation_loss")
    )  # type: ignore[return-value]
