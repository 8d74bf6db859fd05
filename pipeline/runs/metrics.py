"""A run's metrics: a line of JSON a step, appended while it trains."""

import contextlib
import json
import math
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
    """Append one line; what is no number (NaN, infinity) becomes null, as JSON has it."""
    with RunFolder(run_dir).metrics.open("a", encoding="utf-8") as file:
        file.write(json.dumps(_finite(line), allow_nan=False) + "\n")


def cut_metrics(run_dir: Path, last_step: int) -> None:
    """Drop the lines after `last_step` (and a line cut short by a crash): those steps will be taken again."""
    path = RunFolder(run_dir).metrics
    if path.exists():
        kept = [json.dumps(line) + "\n" for line in metrics_lines(run_dir) if line["step"] <= last_step]
        replace_text(path, "".join(kept))


def metrics_lines(run_dir: Path) -> list[dict[str, Any]]:
    """The whole lines, in order, with null for what is no number; lines that are torn are left out."""
    try:
        text = RunFolder(run_dir).metrics.read_text("utf-8", errors="replace")
    except OSError:
        return []
    lines = []
    for written in text.splitlines():
        with contextlib.suppress(ValueError, RecursionError):
            line = json.loads(written)
            if isinstance(line, dict) and isinstance(line.get("step"), int):
                lines.append(_finite(line))
    return lines


def read_metrics(run_dir: Path) -> pl.DataFrame:
    """One row a line, in order; columns as in METRICS, null where a line has none, or no number."""
    try:
        text = RunFolder(run_dir).metrics.read_bytes()
    except OSError:
        return pl.DataFrame(schema=METRICS)
    whole = text[: text.rfind(b"\n") + 1]  # the last line may be half written
    if not whole.strip():
        return pl.DataFrame(schema=METRICS)
    try:
        return pl.read_ndjson(whole, schema=METRICS)
    except pl.exceptions.PolarsError:  # a torn line, or NaN, which is no JSON: line by line, what can be read
        lines = metrics_lines(run_dir)
        rows = [[_fitting(line.get(name), kind) for name, kind in METRICS.items()] for line in lines]
        return pl.DataFrame(rows, schema=METRICS, orient="row")


def _finite(line: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in line.items()
    }


def _fitting(value: Any, kind: Any) -> Any:
    """The value where it is of this kind, else null."""
    if kind == pl.String:
        return value if isinstance(value, str) else None
    whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53
    return value if whole or (kind == pl.Float64 and isinstance(value, float)) else None
