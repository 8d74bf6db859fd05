"""A run's folder: what lies in it under what name, in which version, laid out, found again.

config.json plan.json      what was asked for, and what it means on this machine
format                     the version of all this; a folder without it is of version 1
dataset/                   a copy of the dataset
state.json metrics.jsonl   how it goes: replaced whole, and a line a step
control killed job.json    what it is asked, why its worker is gone, which job elsewhere trains it
worker.lock log.txt        held while its worker lives; what the worker prints
checkpoints/ adapter/ template.json trackio/
generation.json exam.json exam.png learning curve and blind test
"""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

from pipeline.dataset import DatasetFolder
from pipeline.errors import ChatError
from pipeline.models import AdapterFolder
from pipeline.planning import Plan, TrainingConfig
from pipeline.store import Entry, Folder, replace_text

__all__ = [
    "FORMAT",
    "BlindTestFolder",
    "LearningCurveFolder",
    "RunFolder",
    "last_checkpoint",
    "lay_out",
    "read_config",
    "read_plan",
    "require_trackio",
    "write_config",
    "write_plan",
]

FORMAT = 2  # raised where an older app could not read what this one writes; 1 is what came before there was a number
CHECKPOINT = "checkpoint-"  # and the step: what the trainer calls them


class BlindTestFolder(Folder):
    """A blind test of a run: its rounds, who was invited, and the games."""

    rounds = Entry("rounds.json")
    invitation = Entry("invitation.json")
    guesses = Entry("guesses.jsonl")
    games = Entry("games")

    def game(self, id: str) -> Path:
        """The game of this id."""
        return self.games / f"{id}.json"


class LearningCurveFolder(Folder):
    """A learning curve of a run: its points, and the runs on parts of the data."""

    points = Entry("curve.json")
    lock = Entry("going.lock")
    runs = Entry("runs")

    def part(self, share: float) -> Path:
        """The run on this share of the replies."""
        return self.runs / f"{share:.3f}"


class RunFolder(Folder):
    """Where everything of one run lies."""

    format = Entry("format")
    config = Entry("config.json")
    plan = Entry("plan.json")
    state = Entry("state.json")
    metrics = Entry("metrics.jsonl")
    control = Entry("control")
    killed = Entry("killed")
    job = Entry("job.json")
    lock = Entry("worker.lock")
    log = Entry("log.txt")
    checkpoints = Entry("checkpoints")
    template = Entry("template.json")
    trackio = Entry("trackio")
    generation = Entry("generation.json")
    exam = Entry("exam.json")
    picture = Entry("exam.png")
    _dataset = Entry("dataset")
    _adapter = Entry("adapter")
    _learning_curve = Entry("curve")
    _blind_test = Entry("blind")

    @property
    def dataset(self) -> DatasetFolder:
        """The dataset that it learns from, its own copy."""
        return DatasetFolder(self._dataset)

    @property
    def adapter(self) -> AdapterFolder:
        """The best adapter so far."""
        return AdapterFolder(self._adapter)

    @property
    def learning_curve(self) -> LearningCurveFolder:
        """Its learning curve."""
        return LearningCurveFolder(self._learning_curve)

    @property
    def blind_test(self) -> BlindTestFolder:
        """Its blind test."""
        return BlindTestFolder(self._blind_test)

    @property
    def exists(self) -> bool:
        """Whether a run lies here."""
        return self.config.is_file()

    @property
    def told(self) -> tuple[Path, ...]:
        """What tells how a run goes, the state last, which says what the others are; a job sends these home."""
        return self.log, self.template, self.config, self.plan, self.metrics, self.state

    @property
    def version(self) -> int:
        """The version of its layout."""
        try:
            return int(self.format.read_text("utf-8"))
        except (OSError, ValueError):
            return 1

    def checkpoint(self, step: int) -> Path:
        """Where the checkpoint of a step lies."""
        return self.checkpoints / f"{CHECKPOINT}{step}"

    @staticmethod
    def whole(checkpoint: Path) -> Path:
        """The file that is written last into a checkpoint: without it a kill cut the writing short."""
        return checkpoint / "complete.json"

    def replace_adapter(self, made: Path) -> None:
        """Put an adapter that lies whole on the same disk in its place; between two renames there is none."""
        old = self.path / ".adapter-old"
        shutil.rmtree(old, ignore_errors=True)
        if self._adapter.exists():
            self._adapter.rename(old)
        made.rename(self._adapter)
        shutil.rmtree(old, ignore_errors=True)


def lay_out(dataset_dir: Path, run_dir: Path, config: TrainingConfig, plan: Plan | None = None) -> None:
    """Make a run's folder: its config, a copy of the dataset, state "starting". Raises ChatError if one is there.

    plan: what this configuration was said to come to on this machine; none: the worker makes it.
    """
    from pipeline.runs.state import write_control, write_state

    folder = RunFolder(run_dir)
    if folder.config.exists():
        raise ChatError("There is a run in this folder already: resume it, or choose another folder.")
    if not DatasetFolder(dataset_dir).exists:
        raise ChatError(f"The folder {dataset_dir.name} holds no dataset: build one first.")
    if config.trackio:
        require_trackio()
    run_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    shutil.copytree(dataset_dir, folder.dataset.path, dirs_exist_ok=True)
    replace_text(folder.format, str(FORMAT))
    write_state(run_dir, status="starting")
    write_control(run_dir, "")
    if plan is not None:
        write_plan(run_dir, plan)
    write_config(run_dir, config)


def read_config(run_dir: Path) -> TrainingConfig:
    """The run's configuration. Raises ChatError where the folder holds no run."""
    folder = RunFolder(run_dir)
    if folder.version > FORMAT:
        raise ChatError(f"The run in {run_dir.name} was made by a newer version of Chat Twin: update this one.")
    try:
        return TrainingConfig.model_validate_json(folder.config.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ChatError(f"The folder {run_dir.name} holds no run, or one of another version: train anew.") from error


def write_config(run_dir: Path, config: TrainingConfig) -> None:
    """Keep the run's configuration."""
    replace_text(RunFolder(run_dir).config, config.model_dump_json(indent=1))


def read_plan(run_dir: Path) -> Plan | None:
    """The run's plan, or None where it has none (yet), or one of another version."""
    try:
        return Plan.model_validate_json(RunFolder(run_dir).plan.read_text("utf-8"))
    except (OSError, ValueError):
        return None


def write_plan(run_dir: Path, plan: Plan) -> None:
    """Keep the run's plan."""
    replace_text(RunFolder(run_dir).plan, plan.model_dump_json(indent=1))


def last_checkpoint(run_dir: Path) -> Path | None:
    """The newest checkpoint that was written to its end."""
    folder = RunFolder(run_dir)
    found = [path for path in folder.checkpoints.glob(f"{CHECKPOINT}*") if folder.whole(path).exists()]
    return max(found, key=step_of, default=None)


def step_of(checkpoint: Path) -> int:
    """The step after which a checkpoint was taken."""
    return int(checkpoint.name.removeprefix(CHECKPOINT))


def require_trackio() -> None:
    """Raises ChatError where trackio is not installed."""
    if importlib.util.find_spec("trackio") is None:
        raise ChatError("trackio is not installed here: run `pip install trackio`, or leave it off.")
