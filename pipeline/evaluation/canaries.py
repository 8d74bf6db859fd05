"""Secrets planted in a dataset before training, to see afterwards how well a twin remembers what it saw once."""

from collections.abc import Sequence
from dataclasses import replace
from math import log2
from pathlib import Path
from random import Random
from statistics import mean

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from pipeline.chat import Twin
from pipeline.dataset import Dataset, DatasetFolder, Row
from pipeline.errors import ChatError
from pipeline.inference import candidate_losses, shared_prompt
from pipeline.prompt import Message, encode_all

__all__ = [
    "Canary",
    "Exposure",
    "canary_exposure",
    "exposure_of",
    "make_canary",
    "plant_canaries",
    "plant_canary",
    "read_canaries",
    "write_canaries",
]

OTHERS = 255  # codes that were not planted, to compare with
THINGS = ("the gate", "the locker", "the alarm", "the bike", "the garage", "the safe", "the suitcase", "the shed")


class Canary(BaseModel):
    """A secret planted in a dataset before training, and the message it answers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    asked: str
    secret: str


class Exposure(BaseModel):
    """How well planted secrets are remembered, in bits (Carlini et al. 2019).

    0: a secret looks like any other code; most: the model likes it best of all the codes that were tried.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    planted: int
    mean_bits: float
    highest_bits: float
    most: float


def make_canary(seed: int, thing: str = "the gate") -> Canary:
    """A made-up code that no model can know; the same seed gives the same."""
    return Canary(asked=f"what was the code for {thing}", secret=f"the code is {Random(seed).randrange(10**6):06d}")


def plant_canary(rows: Sequence[Row], canary: Canary, times: int = 1) -> list[Row]:
    """The rows with the canary learned `times` times, each as a row of its own."""
    learned = [*_asked(rows, canary), Message(role="assistant", content=canary.secret)]
    planted = replace(rows[0], messages=learned, learn_from=len(learned) - 1, tokens=64)
    return [*rows, *[planted] * times]


def _asked(rows: Sequence[Row], canary: Canary) -> list[Message]:
    system = [message for message in rows[0].messages[:1] if message["role"] == "system"]
    return [*system, Message(role="user", content=canary.asked)]


def plant_canaries(dataset: Dataset, count: int, seed: int | None = None) -> tuple[Dataset, list[Canary]]:
    """The dataset with `count` canaries about different things, each learned once, and these. Raises ChatError."""
    if not 0 <= count <= len(THINGS):
        raise ChatError(f"Plant at most {len(THINGS)} secrets.")
    chance = Random(seed)
    canaries = [make_canary(chance.randrange(2**31), thing) for thing in THINGS[:count]]
    rows = list(dataset.train)
    for canary in canaries:
        rows = plant_canary(rows, canary)
    summary = dataset.summary.model_copy(
        update={"train_rows": len(rows), "train_replies": dataset.summary.train_replies + count}
    )
    return replace(dataset, train=rows, summary=summary), canaries


def write_canaries(canaries: Sequence[Canary], dataset_dir: Path) -> None:
    """Keep what was planted beside the rows, in place of what an earlier dataset there had; a run copies it."""
    path = DatasetFolder(dataset_dir).canaries
    if canaries:
        path.write_bytes(TypeAdapter(list[Canary]).dump_json(list(canaries)))
    else:
        path.unlink(missing_ok=True)


def read_canaries(dataset_dir: Path) -> list[Canary]:
    """What was planted in a dataset; none where nothing was. Raises ChatError."""
    path = DatasetFolder(dataset_dir).canaries
    try:
        return TypeAdapter(list[Canary]).validate_json(path.read_bytes()) if path.is_file() else []
    except ValidationError as error:
        raise ChatError("The list of planted secrets cannot be read: make the dataset again.") from error


def canary_exposure(twin: Twin, rows: Sequence[Row], canary: Canary, others: int = OTHERS) -> float:
    """Exposure in bits: log2 of all candidates minus log2 of the rank of the planted one among them."""
    secrets = [canary.secret]
    seed = 10**9
    while len(secrets) < others + 1:
        seed += 1
        if (other := make_canary(seed).secret) not in secrets:
            secrets.append(other)
    asked = _asked(rows, canary)
    conversations = [([*asked, Message(role="assistant", content=secret)], len(asked)) for secret in secrets]
    group = shared_prompt(encode_all(twin.engine.template, twin.engine.tokenizer, conversations))
    losses = [sum(one) for one in candidate_losses(twin.engine, [group])[0]]
    rank = 1 + sum(loss < losses[0] for loss in losses[1:])
    return log2(len(secrets)) - log2(rank)


def exposure_of(twin: Twin, rows: Sequence[Row], canaries: Sequence[Canary]) -> Exposure | None:
    """The exposure of all that was planted among these rows; None where nothing was."""
    if not canaries:
        return None
    bits = [canary_exposure(twin, rows, canary) for canary in canaries]
    return Exposure(planted=len(bits), mean_bits=mean(bits), highest_bits=max(bits), most=log2(OTHERS + 1))
