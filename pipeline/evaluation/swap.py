"""The swap test: two twins of two people, each beside the other's. Does every reply find its own?"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from pipeline.chat import Twin, load_twin
from pipeline.dataset import Row, chat_opening, read_dataset
from pipeline.errors import ChatError
from pipeline.evaluation.classifier import logistic_regression, text_features
from pipeline.evaluation.intervals import interval
from pipeline.evaluation.replies import even_sample, held_out, losses_at, prompts_at, sample_replies
from pipeline.inference import LoadedModels
from pipeline.progress import SILENT, Progress
from pipeline.runs import RunFolder

__all__ = ["SwapSide", "SwapTest", "swap_test"]

MOST_TEXTS = 600  # replies of each person that the classifier learns from
READING = 0.3  # of the time goes to what each twin makes of the real replies, the rest to replies of their own


class SwapSide(BaseModel):
    """One person in a swap test. Shares from 0 to 1.

    own: of their held-out replies, those that surprise their own twin less than the other's. recognised: of their
    twin's replies, those that a classifier of the two people's earlier replies gives to them; recognised_person: of
    their real held-out replies, the mark to reach.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    replies: int
    own: float
    recognised: float
    recognised_person: float


class SwapTest(BaseModel):
    """How well two twins are told apart: this one, the other person's, and all replies of both with a 95 % interval."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    other: str
    this_side: SwapSide
    other_side: SwapSide
    own: float
    low: float
    high: float


@dataclass(frozen=True)
class _Side:
    """A twin, what was held out of its person's chat, and their earlier replies."""

    twin: Twin
    rows: Sequence[Row]
    earlier: list[str]


def swap_test(
    run_dir: Path,
    other_dir: Path,
    *,
    samples: int = 100,
    progress: Progress = SILENT,
    loaded: LoadedModels | None = None,
) -> SwapTest:
    """Every held-out reply of two people read by both twins, and replies of each twin given to one of the two.

    samples: moments at which each twin replies. Raises ChatError.
    """
    if run_dir.resolve() == other_dir.resolve():
        raise ChatError("A twin cannot be swapped with itself: choose the run of another person.")
    loaded = loaded or LoadedModels()
    sides = [_side(folder, loaded) for folder in (run_dir, other_dir)]
    if not all(side.rows for side in sides):
        raise ChatError("No replies were held out of one of these datasets: give it a validation share, train again.")
    progress(0, what="Examining whose replies are whose")
    nats = [[_nats(side, twin, progress.part(READING / 4)) for twin in (side.twin, other.twin)]
            for side, other in zip(sides, reversed(sides), strict=True)]  # fmt: skip
    found = [[own < others for own, others in zip(*pair, strict=True)] for pair in nats]
    said = [_replies(side, samples, progress.part((1 - READING) / 2)) for side in sides]
    made = [
        SwapSide(replies=len(right), own=sum(right) / len(right), recognised=shares[0], recognised_person=shares[1])
        for right, shares in zip(found, _recognised(sides, said), strict=True)
    ]
    right, of = sum(map(sum, found)), sum(map(len, found))
    low, high = interval(right, of)
    return SwapTest(
        other=sides[1].twin.person or "", this_side=made[0], other_side=made[1], own=right / of, low=low, high=high
    )


def _side(run_dir: Path, loaded: LoadedModels) -> _Side:
    dataset = read_dataset(RunFolder(run_dir).dataset.path)
    earlier = [
        message["content"]
        for row in dataset.train
        for message in row.messages[row.learn_from :]
        if message["role"] == "assistant"
    ]
    return _Side(load_twin(run_dir, loaded=loaded), dataset.validation, earlier)


def _nats(side: _Side, twin: Twin, progress: Progress) -> list[float]:
    """How surprised a twin is by each held-out reply, in nats with its end. Each reads under the name of its own."""
    held = held_out(twin, [_addressed(row, twin) for row in side.rows])
    return [sum(reply) for reply in losses_at(held, prompts_at(twin, held).read(progress))]


def _addressed(row: Row, twin: Twin) -> Row:
    """The row with the opening that this twin knows, whoever it was made for."""
    before = 1 if row.messages[0]["role"] == "system" else 0
    opening = chat_opening(twin.config, twin.summary, row.sent_at) if twin.config and twin.summary else []
    shift = len(opening) - before
    return replace(row, messages=[*opening, *row.messages[before:]], learn_from=row.learn_from + shift)


def _replies(side: _Side, samples: int, progress: Progress) -> tuple[list[str], list[str]]:
    """(what the twin replies at held-out moments, what the person did)."""
    held = held_out(side.twin, side.rows)
    chosen = even_sample(len(held.moments), samples)
    prompts = prompts_at(side.twin, held, chosen)
    config = side.twin.generation.model_copy(update={"seed": 0})
    (said,) = sample_replies(side.twin, held, prompts, chosen, [config], progress)
    return [reply.text for reply in said], [held.moments[i][0].reply for i in chosen]


def _recognised(sides: Sequence[_Side], said: Sequence[tuple[list[str], list[str]]]) -> list[tuple[float, float]]:
    """For each side the share of its twin's, and of its person's replies that a classifier gives to the right one."""
    import numpy as np
    from sklearn.pipeline import make_pipeline

    count = min(MOST_TEXTS, *(len(side.earlier) for side in sides))  # as many of each: who wrote more must not decide
    texts = [side.earlier[i] for side in sides for i in even_sample(len(side.earlier), count)]
    classifier = make_pipeline(text_features(), logistic_regression(len(texts)))
    classifier.fit(texts, np.repeat([0, 1], count))
    return [
        (float(np.mean(classifier.predict(twin) == label)), float(np.mean(classifier.predict(person) == label)))
        for label, (twin, person) in enumerate(said)
    ]
