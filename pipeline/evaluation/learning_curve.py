"""The learning curve: how many messages are enough, and would fewer be better?"""

import contextlib
import json
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from pipeline import runs
from pipeline.dataset import Dataset, Row, read_dataset, write_dataset
from pipeline.errors import ChatError
from pipeline.evaluation.evaluate import evaluate
from pipeline.evaluation.exam import read_exam
from pipeline.inference import LoadedModels
from pipeline.planning import TrainingConfig
from pipeline.progress import SILENT, Progress
from pipeline.runs import RunFolder
from pipeline.store import locked, replace_text

__all__ = ["SHARES", "LearningCurvePoint", "learning_curve", "read_learning_curve", "verdict"]

SHARES = (0.125, 0.25, 0.5)  # of the replies, beside all of them
FEWEST_ROWS = 2
EXAM_ROWS = 15  # rows that could be learned in the time that an exam takes
POLL_SECONDS = 0.5
LEAST = 0.01  # of the bits a character: smaller differences are chance


class LearningCurvePoint(BaseModel):
    """A run on a share of the data: its replies learned from, and how its twin does on the same held-out part."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    share: float
    replies: int
    bits_per_character: float
    base_bits_per_character: float
    ended: float
    classifier_accuracy: float | None = Field(validation_alias=AliasChoices("classifier_accuracy", "told"))


def learning_curve(
    run_dir: Path,
    *,
    shares: Sequence[float] = SHARES,
    samples: int = 50,
    progress: Progress = SILENT,
    loaded: LoadedModels | None = None,
) -> list[LearningCurvePoint]:
    """Train as a finished run was, on growing shares of its data, the latest messages first, and examine each.

    The run itself is the last point. Runs and points, which come one by one, lie in the run's folder; cancelling stops
    the run that is going, and the next call goes on where this one left off. Nothing else trains on this machine
    meanwhile. Raises ChatError.
    """
    dataset = read_dataset(RunFolder(run_dir).dataset.path)
    parts = {share: latest(dataset.train, share) for share in shares}
    parts = {share: rows for share, rows in parts.items() if FEWEST_ROWS <= len(rows) < len(dataset.train)}
    if not parts or not dataset.validation:
        raise ChatError("This dataset is too small for a learning curve: take a longer chat.")
    folder = RunFolder(run_dir).learning_curve
    folder.path.mkdir(exist_ok=True)
    config = runs.read_run(run_dir).config
    with locked(folder.lock, "This curve is being drawn already: wait for it."):
        total = sum(map(len, parts.values())) + EXAM_ROWS * (len(parts) + 1)
        bars = {share: _bars(share, len(rows) / total, EXAM_ROWS / total, progress) for share, rows in parts.items()}
        for share in parts:  # left by a page that was closed, it is still at it
            if (run := _known(folder.part(share))) is not None and run.live:
                runs.watch(run.directory, bars[share][0])
        points: list[LearningCurvePoint] = []
        with runs.hold_training(run_dir, curve=True) as lock:
            _write_points(run_dir, points)
            for share, rows in parts.items():
                learning, examining = bars[share]
                _train(_with_train(dataset, rows), folder.part(share), config, lock, learning)
                points.append(_point(share, rows, folder.part(share), samples, examining, loaded))
                _write_points(run_dir, points)
            examining = progress.part(EXAM_ROWS / total, "Examining the twin itself")
            points.append(_point(1.0, dataset.train, run_dir, samples, examining, loaded))
            _write_points(run_dir, points)
    return points


def _bars(share: float, learning: float, examining: float, progress: Progress) -> tuple[Progress, Progress]:
    """The progress of a share's training and of its exam, of which each is such a share of the whole."""
    about = f"{share:.0%} of the replies"
    return (
        progress.part(learning, f"Learning from {about}"),
        progress.part(examining, f"Examining what {about} taught"),
    )


def _write_points(run_dir: Path, points: Sequence[LearningCurvePoint]) -> None:
    path = RunFolder(run_dir).learning_curve.points
    replace_text(path, json.dumps([point.model_dump() for point in points]))


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


def _train(dataset: Dataset, run_dir: Path, config: TrainingConfig, lock: int, progress: Progress) -> None:
    """Start a run, or take up one that was left, and wait for its end."""
    progress(0)
    run = _known(run_dir)
    if run is None or not (run.live or run.status == "done"):
        shutil.rmtree(run_dir, ignore_errors=True)  # stopped half way, it would not say what this share teaches
        with tempfile.TemporaryDirectory() as scratch:
            run = runs.start(write_dataset(dataset, Path(scratch)), run_dir, config, training_lock=lock)
    run = runs.watch(run_dir, progress)
    progress(1)
    if run.status != "done":
        raise ChatError(run.message or "A run of the learning curve ended early: start the curve again.")


def _known(run_dir: Path) -> runs.Run | None:
    """The run in this folder, once it is not on its way to a stop; None where there is none."""
    with contextlib.suppress(ChatError):
        run = runs.read_run(run_dir)
        while run.status == "stopping":
            time.sleep(POLL_SECONDS)
            run = runs.read_run(run_dir)
        return run
    return None


def _point(
    share: float, rows: Sequence[Row], run_dir: Path, samples: int, progress: Progress, loaded: LoadedModels | None
) -> LearningCurvePoint:
    progress(0)
    exam = read_exam(run_dir) or evaluate(run_dir, samples=samples, progress=progress, loaded=loaded)
    progress(1)
    twin, base = exam.of("twin"), exam.of("base")
    if twin is None or base is None or twin.loss is None or base.loss is None or twin.answers is None:
        raise ChatError("The exam of this run is not complete: run the learning curve again.")
    return LearningCurvePoint(
        share=share,
        replies=sum(map(replies_in, rows)),
        bits_per_character=twin.loss.bits_per_character,
        base_bits_per_character=base.loss.bits_per_character,
        ended=twin.answers.ended,
        classifier_accuracy=twin.classifier.accuracy if twin.classifier else None,
    )


def read_learning_curve(run_dir: Path) -> list[LearningCurvePoint]:
    """The points of a run's learning curve; none where it was not made."""
    try:
        return TypeAdapter(list[LearningCurvePoint]).validate_json(
            RunFolder(run_dir).learning_curve.points.read_bytes()
        )
    except (OSError, ValidationError):
        return []


def verdict(points: Sequence[LearningCurvePoint]) -> str:
    """What a curve says about more or fewer messages, in a sentence."""
    if len(points) < 2:
        return "One point says nothing yet about more or fewer messages."
    best = min(points, key=lambda point: point.bits_per_character)
    before, last = points[-2], points[-1]
    if best is not last and last.bits_per_character > best.bits_per_character * (1 + LEAST):
        return (
            f"Fewer messages were better: {best.replies:,} replies, the latest, did best; "
            "older ones may be written in another style."
        )
    gained = before.bits_per_character - last.bits_per_character
    if gained > LEAST * before.bits_per_character:
        return f"More messages would help: going from {before.replies:,} to {last.replies:,} replies still did."
    return f"Enough: {before.replies:,} replies do as well as {last.replies:,}."
