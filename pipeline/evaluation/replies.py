"""The held-out replies: what was really said at each, how surprising it is to a model, and what a model says there."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import log
from statistics import mean

from pydantic import BaseModel, ConfigDict

from pipeline.chat import FinishReason, StopSequences, Twin, is_repeating, with_instruction
from pipeline.dataset import Row
from pipeline.inference import GenerationConfig, Place, Prompts, sample
from pipeline.progress import SILENT, Progress
from pipeline.prompt import Encoded, Message, encode_all, split_bubbles

__all__ = [
    "Answers",
    "HeldOut",
    "Loss",
    "Moment",
    "Reply",
    "answers_of",
    "even_sample",
    "held_out",
    "loss_of",
    "losses_at",
    "prompts_at",
    "row_opening",
    "sample_replies",
]


class Loss(BaseModel):
    """How surprised a model is by what the person really replied; lower is better.

    Nats a token and bits a character of the replies with their end-of-turn tokens, the same of the words alone, and
    nats of the end-of-turn tokens alone.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    replies: int
    tokens: int
    characters: int
    nats_per_token: float
    bits_per_character: float
    words_nats_per_token: float
    words_bits_per_character: float
    end_of_turn_nats: float


class Answers(BaseModel):
    """What sampled replies do. Shares from 0 to 1; lengths in characters."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sampled: int
    most_tokens: int | None  # that a reply could have; None for people
    ended: float  # by an end-of-turn token
    other_side: float  # begin to speak for the other side
    repeats: float  # fall into a loop
    mean_characters: float
    mean_bubbles: float


@dataclass(frozen=True)
class Moment:
    """A place in the held-out chat where the person replied: the row, and the index of the reply in its messages."""

    row: Row
    index: int

    @property
    def history(self) -> list[Message]:
        """What had been said before, without the system message."""
        return [m for m in self.row.messages[: self.index] if m["role"] != "system"]

    @property
    def reply(self) -> str:
        """What the person really replied."""
        return self.row.messages[self.index]["content"]


@dataclass(frozen=True)
class HeldOut:
    """Rows as a model's tokens, and the moments in them: for each the row's number and the reply's token span."""

    rows: Sequence[Row]
    encoded: Sequence[Encoded]

    @cached_property
    def moments(self) -> list[tuple[Moment, int, int, int]]:
        """(moment, row number, first token, token after the last), in the order of the chat."""
        made = []
        for number, (row, encoded) in enumerate(zip(self.rows, self.encoded, strict=True)):
            indices = [i for i, m in enumerate(row.messages) if m["role"] == "assistant" and i >= row.learn_from]
            for index, (start, end) in zip(indices, _spans(encoded.learned), strict=True):
                made.append((Moment(row, index), number, start, end))
        return made


def _spans(flags: Sequence[bool]) -> list[tuple[int, int]]:
    """(start, end) of each run of True."""
    edges = [i for i in range(len(flags) + 1) if (i < len(flags) and flags[i]) != (i > 0 and flags[i - 1])]
    return list(zip(edges[::2], edges[1::2], strict=True))


def row_opening(twin: Twin, row: Row) -> list[Message]:
    """What stands before a row's conversation, as this twin gets it."""
    return with_instruction(twin, row.messages[: _first(row)])


def _first(row: Row) -> int:
    return 1 if row.messages[0]["role"] == "system" else 0


def held_out(twin: Twin, rows: Sequence[Row]) -> HeldOut:
    """The rows as the twin reads them: with its template, instruction and examples."""
    conversations = []
    for row in rows:
        before, first = row_opening(twin, row), _first(row)
        conversations.append(([*before, *row.messages[first:]], row.learn_from - first + len(before)))
    return HeldOut(rows, encode_all(twin.engine.template, twin.engine.tokenizer, conversations))


@dataclass(frozen=True)
class Reply:
    """A sampled reply: its text, why it ended, and its length in tokens."""

    text: str
    finish_reason: FinishReason
    tokens: int


def even_sample(count: int, most: int) -> list[int]:
    """At most `most` indices spread evenly over `count`."""
    if count <= most:
        return list(range(count))
    return [i * count // most for i in range(most)]


def prompts_at(twin: Twin, held: HeldOut, chosen: Sequence[int] = ()) -> Prompts:
    """The held-out rows for the twin to read, with the moments `chosen` as places at which it may reply."""
    return Prompts(twin.engine, held.encoded, [_place(held, i) for i in chosen])


def _place(held: HeldOut, number: int) -> Place:
    _, row, start, _ = held.moments[number]
    return row, start


def losses_at(held: HeldOut, nats: Sequence[Sequence[float]]) -> list[list[float]]:
    """The loss of each moment's real reply token by token, out of those of each row's learned tokens."""
    left = [list(row) for row in nats]
    made = []
    for _, row, start, end in held.moments:
        made.append(left[row][: end - start])
        left[row] = left[row][end - start :]
    return made


def sample_replies(
    twin: Twin,
    held: HeldOut,
    prompts: Prompts,
    chosen: Sequence[int],
    configs: Sequence[GenerationConfig],
    progress: Progress = SILENT,
) -> list[list[Reply]]:
    """For each config the twin's reply at each of the moments `chosen`."""
    places = [_place(held, i) for i in chosen]
    said = sample(prompts, configs, places, progress)
    return [[finish(twin, replies[place]) for place in places] for replies in said]


def finish(twin: Twin, ids: Sequence[int]) -> Reply:
    """A sampled reply as a reader would get it, cut where chat would have cut it."""
    engine = twin.engine
    text = engine.text(ids)
    reason: FinishReason = "length"
    if ids and ids[-1] in engine.stops:
        reason = "end_of_turn" if ids[-1] in engine.ends else "stop_sequence"
    cut = StopSequences(engine.template, twin.others).find(text)
    if cut is not None:
        text, reason = text[:cut], "stop_sequence"
    elif any(is_repeating(ids[:end]) for end in range(24, len(ids) + 1)):
        reason = "repetition"
    return Reply(text.strip(), reason, len(ids))


def loss_of(held: HeldOut, nats: Sequence[Sequence[float]]) -> Loss:
    """The loss over all moments. nats: as `losses_at` gives them, the end-of-turn token last in each."""
    words = sum(sum(reply[:-1]) for reply in nats)
    ends = sum(reply[-1] for reply in nats)
    tokens = sum(len(reply) for reply in nats)
    characters = sum(len(moment.reply) for moment, *_ in held.moments)
    return Loss(
        replies=len(nats),
        tokens=tokens,
        characters=characters,
        nats_per_token=(words + ends) / tokens,
        bits_per_character=(words + ends) / log(2) / characters,
        words_nats_per_token=words / max(1, tokens - len(nats)),
        words_bits_per_character=words / log(2) / characters,
        end_of_turn_nats=ends / len(nats),
    )


def answers_of(replies: Sequence[Reply], most_tokens: int | None) -> Answers:
    """What a set of sampled replies does."""
    return Answers(
        sampled=len(replies),
        most_tokens=most_tokens,
        ended=mean(reply.finish_reason == "end_of_turn" for reply in replies),
        other_side=mean(reply.finish_reason == "stop_sequence" for reply in replies),
        repeats=mean(reply.finish_reason == "repetition" for reply in replies),
        mean_characters=mean(len(reply.text) for reply in replies),
        mean_bubbles=mean(len(split_bubbles(reply.text)) for reply in replies),
    )
