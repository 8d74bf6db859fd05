"""Held-out loss by training settings: the sample and three other chats, each setting with each seed.

python benchmarks/settings.py FOLDER [--only cosine,linear] [--seeds 0,1] [--at-once 4]    on the device that is here
"""

import argparse
import logging
import multiprocessing
import tempfile
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from other_chats import CHATS, command, write

AS_T4 = {"act_as": "t4"}  # on a CPU it changes nothing
SETTINGS: dict[str, dict[str, Any]] = {
    "as planned": {},
    "steps of 4,096 tokens": {"tokens_per_step": 4096},
    "steps of 1,024 tokens": {"tokens_per_step": 1024},
    "1,024, 8-bit AdamW": {"tokens_per_step": 1024, "optimiser": "paged_adamw_8bit"},
    "1,024, float32": {"tokens_per_step": 1024, "precision": "fp32"},
    "rate 0.001": {"learning_rate": 1e-3},
    "rate 0.003": {"learning_rate": 3e-3},
    "linear": {"scheduler": "linear"},
    "rank 64": {"rank": 64},
    "two epochs": {"epochs": 2},
    "two epochs at 0.001": {"epochs": 2, "learning_rate": 1e-3},
    "three epochs": {"epochs": 3},
}


@dataclass(frozen=True)
class Trial:
    """One training: a chat's dataset, a setting by name, a seed."""

    chat: str
    dataset: Path
    setting: str
    seed: int


@dataclass(frozen=True)
class Result:
    """Held-out nats a learned token before and at its best, steps, and seconds in all."""

    trial: Trial
    before: float
    best: float
    steps: int
    seconds: float


def datasets(folder: Path) -> dict[str, Path]:
    """The datasets of the sample and of the other chats, made where they are not there yet."""
    from pipeline.sample import PERSON, write_sample

    exports = {"sample": (lambda place: write_sample(place), PERSON)}
    exports |= {
        name: (lambda place, chat=chat: write(chat, place), next(iter(chat.names.values())))
        for name, chat in CHATS.items()
    }
    made = {}
    for name, (export, person) in exports.items():
        made[name] = folder / name / "dataset"
        if not made[name].exists():
            (folder / name).mkdir(parents=True, exist_ok=True)
            command("dataset", export(folder / name), "--as", person, "--out", made[name])
    return made


def run(trial: Trial) -> Result:
    """Train once, in this process."""
    from pipeline.planning import TrainingConfig
    from pipeline.runs import read_state
    from pipeline.training import train

    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        train(trial.dataset, Path(scratch) / "run", TrainingConfig(seed=trial.seed, **AS_T4, **SETTINGS[trial.setting]))
        state = read_state(Path(scratch) / "run")
    assert state is not None
    assert state.base_validation_loss is not None
    assert state.best_validation_loss is not None
    return Result(
        trial, state.base_validation_loss, state.best_validation_loss, state.total_steps, time.monotonic() - began
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default=",".join(SETTINGS))
    parser.add_argument("--seeds", default="0,1")
    parser.add_argument("--at-once", type=int, default=1)
    options = parser.parse_args()
    seeds, wanted, made = (
        [int(seed) for seed in options.seeds.split(",")],
        options.only.split(","),
        datasets(options.folder),
    )
    trials = [Trial(chat, place, setting, seed) for setting in wanted for chat, place in made.items() for seed in seeds]
    print(f"| setting | {' | '.join(made)} | steps of the sample | seconds, all |\n|{' --- |' * (len(made) + 3)}")
    with multiprocessing.get_context("spawn").Pool(options.at_once) as pool:
        results = pool.map(run, trials, chunksize=1)
    for setting in wanted:
        of = [result for result in results if result.trial.setting == setting]
        cells = [" / ".join(f"{r.best:.3f}" for r in of if r.trial.chat == chat) for chat in made]
        steps = next(r.steps for r in of if r.trial.chat == "sample")
        print(f"| {setting} | {' | '.join(cells)} | {steps} | {sum(r.seconds for r in of):.0f} |", flush=True)


if __name__ == "__main__":
    main()
