"""What will be trained, with nothing left open: made once, saved with the run, read by whoever shows or does it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from pipeline.machine import Machine
from pipeline.planning.config import Precision, TrainingConfig
from pipeline.planning.forecast import Forecast, Weights

__all__ = ["KEPT_ON_RESUME", "Attention", "Choice", "DatasetShape", "DatasetSize", "Plan"]

Value = TypeVar("Value")
Attention = Literal["documents", "own", "alone", "padded"]
# What a run that has begun stays with, whatever machine it goes on on.
KEPT_ON_RESUME = ("rank", "learning_rate", "epochs", "tokens_per_step")


@dataclass(frozen=True)
class Choice(Generic[Value]):
    """A setting and why it was chosen, in a sentence for the user."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    value: Value
    reason: str


@dataclass(frozen=True)
class DatasetSize:
    """How much there is to learn from. estimated: counted by another tokenizer than the model's."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    rows: int
    tokens: int
    estimated: bool = False


@dataclass(frozen=True)
class DatasetShape:
    """The rows that are learned from, as their lengths in tokens."""

    lengths: tuple[int, ...]
    estimated: bool = False

    @property
    def size(self) -> DatasetSize:
        return DatasetSize(len(self.lengths), sum(self.lengths), self.estimated)

    @classmethod
    def even(cls, tokens: int, rows: int) -> "DatasetShape":
        """So many tokens in rows of like length: a guess where there is no dataset yet."""
        return cls(tuple(tokens // rows + (row < tokens % rows) for row in range(rows)), estimated=True)


class Plan(BaseModel):
    """How one run trains. `config` is what was asked for; all else is what that came to on `machine` for `dataset`.

    batch_limit: most tokens that go through the model at once, which held-out rows use whole.
    tokens_per_batch: those that do so while it learns. rows_per_batch: the same for padded rows.
    shards: GPUs over which the frozen weights are split. forecast: None where it is not known.
    changed: how it differs from the plan that the run had before, in a sentence.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    config: TrainingConfig
    machine: Machine
    dataset: DatasetSize
    parameters: int
    lora_parameters: int
    processes: Choice[int]
    shards: int
    dtype: Choice[Precision]
    weights: Choice[Weights]
    attention: Choice[Attention]
    optimiser: Choice[str]
    checkpointing: Choice[Literal["on", "off"]]
    longest_row: int
    batch_limit: int
    tokens_per_batch: Choice[int]
    rows_per_batch: int
    tokens_per_step: Choice[int]
    rank: Choice[int]
    learning_rate: Choice[float]
    epochs: Choice[float]
    steps: int
    forecast: Forecast | None
    changed: str = ""

    @property
    def settled(self) -> TrainingConfig:
        """What was asked for, with what was left open of how the run learns filled in."""
        return self.config.model_copy(update={name: getattr(self, name).value for name in KEPT_ON_RESUME})

    @property
    def fits(self) -> bool:
        """Whether the memory that was free is enough, as far as that is known."""
        return self.forecast is None or self.forecast.fits

    @property
    def sentence(self) -> str:
        """The plan in a line for the terminal."""
        step = f"{self.config.rows_per_step} rows"
        if self.config.batching == "tokens":
            step = f"{self.tokens_per_step.value:,} tokens"
        about = "about " if self.dataset.estimated else ""
        need = "" if self.forecast is None else f", about {self.forecast.peak:.1f} GB"
        return (
            f"{about}{self.steps:,} steps of {step} on {self.machine.name}, {self.dtype.value}, weights "
            f"{self.weights.value}, rank {self.rank.value}, rate {self.learning_rate.value:g}{need}"
        )

    def reasons(self) -> list[tuple[str, str, str]]:
        """(setting, value, reason) for the user, in the order in which they matter."""
        return list(self._reasons())

    def _reasons(self) -> Iterator[tuple[str, str, str]]:
        if self.processes.value > 1:
            split = ", weights split" if self.shards > 1 else ""
            yield "GPUs together", f"{self.processes.value}{split}", self.processes.reason
        for name, choice in (
            ("Precision", self.dtype),
            ("Base weights", self.weights),
            ("Attention", self.attention),
            ("Optimiser", self.optimiser),
            ("Checkpointing", self.checkpointing),
        ):
            yield name, choice.value, choice.reason
        yield "Tokens at once", f"{self.tokens_per_batch.value:,}", self.tokens_per_batch.reason
        if self.config.batching == "rows":
            yield "Rows a step", str(self.config.rows_per_step), self.tokens_per_step.reason
        else:
            yield "Tokens a step", f"{self.tokens_per_step.value:,}", self.tokens_per_step.reason
        yield "Times each reply is seen", f"{self.epochs.value:g}", self.epochs.reason
        about, by = ("about ", ", by another tokenizer than the model's") if self.dataset.estimated else ("", "")
        size = f"{about}{self.dataset.tokens:,} tokens in {self.dataset.rows:,} rows to learn from{by}"
        yield "Steps", f"{about}{self.steps:,}", size
        yield "Rank", str(self.rank.value), self.rank.reason
        yield "Learning rate", f"{self.learning_rate.value:g}", self.learning_rate.reason
