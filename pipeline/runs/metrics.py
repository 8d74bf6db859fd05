"""A run's metrics: a line of JSON a step, appended while it trains."""

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from pipeline.runs.folder import RunFolder
from pipeline.store import replace_text

__all__ = ["METRICS", "add_metrics", "cut_metrics", "metrics_lines", "read_metrics"]

METRICS = {
    "step": pl.Int64,
    "epoch": pl.Float64,
    "loss": pl.Float64,
    "validation_loss": pl.Float64,
    "learning_rate": pl.Float64,
    "tokens_per_second": pl.Float64,
    "memory_gib": pl.Float64,
    "seconds_left": pl.Float64,
    "message": pl.String,
}


def add_metrics(run_dir: Path, line: Mapping[str, Any]) -> None:
    """Append one line."""
    with RunFolder(run_dir).metrics.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def cut_metrics(run_dir: Path, last_step: int) -> None:
    """Drop the lines after `last_step` (and a line cut short by a crash): those steps will be taken again."""
    path = RunFolder(run_dir).metrics
    if path.exists():
        kept = [json.dumps(line) + "\n" for line in metrics_lines(run_dir) if line["step"] <= last_step]
        replace_text(path, "".join(kept))


def metrics_lines(run_dir: Path) -> list[dict[str, Any]]:
    """The whole lines, in order."""
    lines = []
    with contextlib.suppress(OSError):
        for line in RunFolder(run_dir).metrics.read_text("utf-8").splitlines():
            with contextlib.suppress(ValueError):
                lines.append(json.loads(line))
    return lines


def read_metrics(run_dir: Path) -> pl.DataFrame:
    """One row a line, in order; columns as in METRICS, null where a line has none."""
    try:
        text = RunFolder(run_dir).metrics.read_bytes()
    except OSError:
        return pl.DataFrame(schema=METRICS)
    whole = text[: text.rfind(b"\n") + 1]  # the last line may be half written
    if not whole.strip():
        return pl.DataFrame(schema=METRICS)
    return pl.read_ndjson(whole, schema=METRICS)
