"""The learning curve: how many messages are enough, and would fewer be better?"""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from pipeline import runs
from pipeline.chat import LoadedModels
from pipeline.dataset import Dataset, Row, read_dataset, write_dataset
from pipeline.errors import ChatError
from pipeline.evaluation.evaluate import evaluate
from pipeline.training import TrainingConfig

__all__ = ["SHARES", "CurvePoint", "CurveStep", "learning_curve", "read_curve", "verdict"]

SHARES = (0.125, 0.25, 0.5, 1.0)
FEWEST_ROWS = 2
POLL_SECONDS = 0.5
FILE = "curve.json"


class CurvePoint(BaseModel):
    """A run on a share of the data: its replies learned from, and how its twin does on the same held-out part."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    share: float
    replies: int
    bits_per_character: float
    base_bits_per_character: float
    ended: float
    told: float | None


class CurveStep(BaseModel):
    """Where a learning curve stands: what is being done, the share done of all, and the points so far."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    doing: str
    done: float
    points: tuple[CurvePoint, ...]


def learning_curve(
    dataset_dir: Path,
    folder: Path,
    config: TrainingConfig,
    *,
    shares: Sequence[float] = SHARES,
    samples: int = 50,
    loaded: LoadedModels | None = None,
) -> Iterator[CurveStep]:
    """Train on growing shares of the data, the latest messages first, and examine each; ends with all points.

    folder: for the runs, one a share, and curve.json. Closing the iterator stops the run that is going. Raises
    ChatError.
    """
    dataset = read_dataset(dataset_dir)
    parts = {share: latest(dataset.train, share) for share in shares}
    parts = {share: rows for share, rows in parts.items() if len(rows) >= FEWEST_ROWS}
    if not parts or not dataset.validation:
        raise ChatError("This dataset is too small for a learning curve: take a longer chat.")
    total = sum(map(len, parts.values()))
    finished = 0
    points: list[CurvePoint] = []
    for share, rows in parts.items():
        run_dir = folder / f"{share:.3f}"
        part = write_dataset(_with_train(dataset, rows), folder / f"{share:.3f}-data")
        for done in _train(part, run_dir, config):
            doing = f"Learning from {share:.0%} of the messages"
            yield CurveStep(doing=doing, done=(finished + len(rows) * done * 0.8) / total, points=tuple(points))
        points.append(_point(share, rows, run_dir, samples, loaded))
        (folder / FILE).write_text(json.dumps([point.model_dump() for point in points]), encoding="utf-8")
        finished += len(rows)
        yield CurveStep(doing=f"Examined {share:.0%}", done=finished / total, points=tuple(points))


def latest(rows: Sequence[Row], share: float) -> list[Row]:
    """The last rows in time that hold about this share of the learned replies."""
    wanted = share * sum(map(replies_in, rows))
    taken = 0
    for start in range(len(rows) - 1, -1, -1):
        taken += replies_in(rows[start])
        if taken >= wanted:
            return list(rows[start:])
    return list(rows)


def replies_in(row: Row) -> int:
    """Replies that are learned in a row."""
    return sum(message["role"] == "assistant" for message in row.messages[row.learn_from :])


def _with_train(dataset: Dataset, rows: list[Row]) -> Dataset:
    summary = dataset.summary.model_copy(
        update={
            "train_rows": len(rows),
            "train_replies": sum(map(replies_in, rows)),
            "train_tokens": sum(row.tokens for row in rows),
        }
    )
    return replace(dataset, train=rows, summary=summary)


def _train(dataset_dir: Path, run_dir: Path, config: TrainingConfig) -> Iterator[float]:
    """Start a run and follow it to its end: the share of its steps done. Stopped where the reader leaves."""
    run = runs.start(dataset_dir, run_dir, config)
    try:
        while run.live:
            yield run.step / run.total_steps if run.total_steps else 0.0
            time.sleep(POLL_SECONDS)
            run = runs.read_run(run_dir)
    finally:
        if runs.read_run(run_dir).live:
            runs.stop(run_dir)
    if run.status not in ("done", "stopped"):
        raise ChatError(run.message or "A run of the learning curve failed: see its log.")


def _point(share: float, rows: list[Row], run_dir: Path, samples: int, loaded: LoadedModels | None) -> CurvePoint:
    exam = evaluate(run_dir, samples=samples, loaded=loaded)
    twin, base = exam.of("twin"), exam.of("base")
    if twin is None or base is None or twin.loss is None or base.loss is None or twin.answers is None:
        raise ChatError("The exam of this run is not complete: run the learning curve again.")
    return CurvePoint(
        share=share,
        replies=sum(map(replies_in, rows)),
        bits_per_character=twin.loss.bits_per_character,
        base_bits_per_character=base.loss.bits_per_character,
        ended=twin.answers.ended,
        told=twin.told.accuracy if twin.told else None,
    )


def read_curve(folder: Path) -> list[CurvePoint]:
    """The points of a learning curve that was made in this folder; none where there is none."""
    try:
        return TypeAdapter(list[CurvePoint]).validate_json((folder / FILE).read_bytes())
    except (OSError, ValidationError):
        return []


def verdict(points: Sequence[CurvePoint]) -> str:
    """What a curve says about more or fewer messages, in a sentence."""
    if len(points) < 2:
        return "One point says nothing yet about more or fewer messages."
    best = min(points, key=lambda point: point.bits_per_character)
    before, last = points[-2], points[-1]
    if best is not last and last.bits_per_character > best.bits_per_character * 1.005:
        return (
            f"Fewer messages were better: {best.replies:,} replies, the latest, did best; "
            "older ones may be written in another style."
        )
    gained = before.bits_per_character - last.bits_per_character
    if gained > 0.01 * before.bits_per_character:
        return f"More messages would help: going from {before.replies:,} to {last.replies:,} replies still did."
    return f"Enough: {before.replies:,} replies do as well as {last.replies:,}."
