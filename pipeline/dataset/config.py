"""What a dataset is made with, what it is made of, and what came out."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from pipeline.dataset.rhythm import Rhythm
from pipeline.prompt import Message
from pipeline.redact import RedactionConfig

__all__ = [
    "FEWEST_REPLIES",
    "FILTERS",
    "FORMATS",
    "Dataset",
    "DatasetConfig",
    "Dropped",
    "Filter",
    "Format",
    "Row",
    "Summary",
]

FEWEST_REPLIES = 30  # with fewer, a held-out share of them says nothing

Format = Literal["messages", "prompt_completion", "sharegpt", "alpaca", "blog", "llama2"]
FORMATS: tuple[Format, ...] = ("messages", "prompt_completion", "sharegpt", "alpaca", "blog", "llama2")


# What can be left out or learned, as one likes; in the order in which they are tried.
Filter = Literal["link", "forwarded", "pasted", "repeated", "only_media", "only_call"]
FILTERS: tuple[Filter, ...] = ("link", "forwarded", "pasted", "repeated", "only_media", "only_call")
USUAL_FILTERS = FILTERS[:4]


class DatasetConfig(BaseModel):
    """How a chat becomes a dataset; the same for the form, the command line, the run's folder and the card."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    person: str = Field(min_length=1, description="Whose replies are learned, as the chat names them.")
    also_named: tuple[str, ...] = Field(
        (), description="Other names of the same person, after a rename or a new phone."
    )
    silence_minutes: float | None = Field(None, gt=0, description="The silence that ends a conversation; null: found.")
    situation: bool = Field(True, description="Whether the prompt says the weekday, the hour and the silence before.")
    system_prompt: str | None = Field(None, description="With {person}, {others}, {situation}; null: by language.")
    language: str | None = Field(None, description="Of the prompt and the situation, such as en; null: the person's.")
    validation_share: float = Field(0.15, ge=0, le=0.5, description="Share of the replies held out, the last in time.")
    max_tokens: int = Field(1024, ge=128, description="Most tokens a row may have.")
    overlap_share: float = Field(0.25, ge=0, le=0.75, description="Share of a row that may repeat the row before.")
    filters: tuple[Filter, ...] = Field(USUAL_FILTERS, description="What is left out of what is learned.")
    wall_characters: int = Field(1000, ge=50, description="Messages longer than this are pasted, not written.")
    max_replies: int | None = Field(None, ge=FEWEST_REPLIES, description="Most replies to learn from; null: all.")
    redaction: RedactionConfig | None = Field(None, description="What is masked before anything else; null: nothing.")

    @field_validator("system_prompt")
    @classmethod
    def known_fields(cls, text: str | None) -> str | None:
        try:
            (text or "").format(person="", others="", situation="")
        except (KeyError, IndexError, ValueError) as error:
            raise ValueError("only {person}, {others} and {situation} may stand in braces") from error
        return text


@dataclass(frozen=True)
class Row:
    """A window of one conversation, ending with a reply of the person.

    Assistant messages from index `learn_from` on, itself the first of them, are learned here; earlier ones are context.
    `sent_at`: when the first learned reply was sent. `tokens`: its length under the tokenizer that `Summary.tokenizer`
    names, or estimated.
    """

    messages: list[Message]
    session: int
    sent_at: datetime
    learn_from: int
    tokens: int


@dataclass(frozen=True)
class Dropped:
    """Messages or replies that are not learned from: how many, why, and a few of them (kept in memory only)."""

    name: str
    reason: str
    count: int
    samples: tuple[str, ...] = ()


class Summary(BaseModel):
    """What a dataset holds. No text of the chat is in it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    others: tuple[str, ...]
    messages: int
    sessions: int
    silence_minutes: float
    typical_silence_minutes: float  # before a session, the median: what chat assumes
    first_at: datetime
    last_at: datetime
    validation_from: datetime | None
    replies: int  # of the person, before filters and cap
    train_replies: int
    validation_replies: int
    train_rows: int
    validation_rows: int
    train_tokens: int
    validation_tokens: int
    tokenizer: str | None  # null: tokens are estimated
    dropped: dict[str, int]
    masked: dict[str, int]  # by kind, with redaction
    hints: tuple[str, ...] = ()
    rhythm: Rhythm | None = None  # of the person; null: the chat does not show it, or was read before it was looked for


@dataclass(frozen=True)
class Dataset:
    """Rows to learn from and rows held out, with how they were made.

    `dropped`: what is not learned from; `spared`: what the filters that are off would leave out as well.
    """

    train: list[Row]
    validation: list[Row]
    config: DatasetConfig
    summary: Summary
    dropped: list[Dropped] = field(default_factory=list)
    spared: list[Dropped] = field(default_factory=list)
