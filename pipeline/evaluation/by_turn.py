"""By turn: conversations that a twin holds, to see where it drifts.

The other side's turns are the real ones of the held-out part, or another person's twin writes them; the twin's own
earlier replies stand in the place of the person's.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import log
from pathlib import Path
from statistics import mean

from pydantic import BaseModel, ConfigDict

from pipeline.chat import Twin, load_twin, prompt_budget, prompt_messages
from pipeline.dataset import Row, read_dataset
from pipeline.errors import ChatError
from pipeline.evaluation.classifier_accuracy import ClassifierAccuracy, classifier_accuracy
from pipeline.evaluation.replies import Reply, even_sample, finish
from pipeline.inference import LoadedModels, Prompts, sample
from pipeline.progress import SILENT, Progress
from pipeline.prompt import Message, encode_all
from pipeline.runs import RunFolder

__all__ = ["TURNS", "ByTurn", "TurnFigures", "by_turn"]

TURNS = (1, 3, 5, 10)
CONVERSATIONS = 24
FEWEST_TO_CLASSIFY = 20


class TurnFigures(BaseModel):
    """What a twin does at one turn of its conversations. Shares from 0 to 1; lengths in characters.

    bits_per_character: its surprise at what the person really replied there; None where the other side is a twin.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    turn: int
    conversations: int
    ended: float
    repeats: float
    mean_characters: float
    bits_per_character: float | None
    classifier: ClassifierAccuracy | None


class ByTurn(BaseModel):
    """A twin at the first, third, fifth and tenth turn: with the other side's real turns, and with another twin."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    real: tuple[TurnFigures, ...]
    twin: tuple[TurnFigures, ...] = ()
    other: str | None = None  # whose twin that is


@dataclass
class _Conversation:
    """A held-out stretch: what the other side wrote and the person replied, and what the twin has replied so far."""

    began_at: datetime
    said: list[str]
    real: list[str]
    replies: list[Reply] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)  # of another twin, in the place of `said` from the second on

    def history(self) -> list[Message]:
        """The messages up to where the twin's next reply begins."""
        turn = len(self.replies)
        others = [self.said[0], *self.answers] if self.answers else self.said
        messages: list[Message] = []
        for text, reply in zip(others, self.replies, strict=False):
            messages += [Message(role="user", content=text), Message(role="assistant", content=reply.text or "…")]
        return [*messages, Message(role="user", content=others[turn])]

    def from_the_other_side(self) -> list[Message]:
        """The same as the other twin has it, up to where its next answer begins."""
        flipped = {"user": "assistant", "assistant": "user"}
        others = [self.said[0], *self.answers]
        messages: list[Message] = []
        for text, reply in zip(others, self.replies, strict=True):
            messages += [Message(role="user", content=text), Message(role="assistant", content=reply.text or "…")]
        return [Message(role=flipped[m["role"]], content=m["content"]) for m in messages]  # type: ignore[typeddict-item]


def by_turn(
    run_dir: Path,
    other_dir: Path | None = None,
    *,
    conversations: int = CONVERSATIONS,
    progress: Progress = SILENT,
    loaded: LoadedModels | None = None,
) -> ByTurn:
    """Hold conversations of ten turns, as long as the held-out ones last, and look at some of the turns.

    other_dir: a run of another person, whose twin also holds as many with this one. Raises ChatError.
    """
    loaded = loaded or LoadedModels()
    twin, rows = load_twin(run_dir, loaded=loaded), read_dataset(RunFolder(run_dir).dataset.path).validation
    held = held_conversations(rows, conversations)
    if not held:
        raise ChatError("No replies were held out of this dataset: give it a validation share and train again.")
    share = 1.0 if other_dir is None else 0.4
    real = _hold(twin, held, None, progress.part(share, "Examining how the twin holds a conversation"))
    if other_dir is None:
        return ByTurn(real=real)
    other = load_twin(other_dir, loaded=loaded)
    again = [_Conversation(one.began_at, one.said, one.real) for one in held]
    talk = _hold(twin, again, other, progress.part(1 - share, "Examining how the twin talks to the other"))
    return ByTurn(real=real, twin=talk, other=other.person)


def held_conversations(rows: Sequence[Row], most: int) -> list[_Conversation]:
    """Stretches of the held-out sessions, of ten turns or as many as the longest session has, spread evenly."""
    sessions: dict[int, list[tuple[str, str, datetime]]] = {}
    for row in rows:
        for index in range(max(1, row.learn_from), len(row.messages)):
            before, message = row.messages[index - 1], row.messages[index]
            if message["role"] == "assistant" and before["role"] == "user":
                sessions.setdefault(row.session, []).append((before["content"], message["content"], row.sent_at))
    turns = min(TURNS[-1], max(map(len, sessions.values()), default=0))
    starts = [
        (turn, at) for session in sessions.values() for at in range(len(session) - turns + 1) for turn in [session]
    ]
    made = []
    for session, at in (starts[i] for i in even_sample(len(starts), most)):
        said, real, began_at = zip(*session[at : at + turns], strict=True)
        made.append(_Conversation(began_at[0], list(said), list(real)))
    return made


def _hold(
    twin: Twin, conversations: Sequence[_Conversation], other: Twin | None, progress: Progress
) -> tuple[TurnFigures, ...]:
    """Let all conversations grow turn by turn; the figures of the turns that are looked at."""
    turns = len(conversations[0].real)
    made = []
    for turn in range(turns):
        nats, replies = _reply(twin, [(one.history(), one.real[turn], one.began_at) for one in conversations], turn)
        for one, reply in zip(conversations, replies, strict=True):
            one.replies.append(reply)
        if turn + 1 in TURNS:
            made.append(_figures(turn, conversations, nats if other is None else None))
        if other is not None and turn + 1 < turns:
            asked = [(one.from_the_other_side(), "", one.began_at) for one in conversations]
            for one, reply in zip(conversations, _reply(other, asked, turn)[1], strict=True):
                one.answers.append(reply.text or "…")
        progress(turn + 1, turns)
    return tuple(made)


def _reply(
    twin: Twin, asked: Sequence[tuple[list[Message], str, datetime]], seed: int
) -> tuple[list[list[float]], list[Reply]]:
    """(the loss of each real reply, token by token; the twin's own) after each history, as chat would prompt it."""
    config = twin.generation.model_copy(update={"seed": seed})
    made = []
    for history, real, now in asked:
        messages = prompt_messages(twin, history, now, prompt_budget(twin, config))
        made.append(([*messages, Message(role="assistant", content=real)], len(messages)))
    encoded = encode_all(twin.engine.template, twin.engine.tokenizer, made)
    places = [(number, one.learned.index(True)) for number, one in enumerate(encoded)]
    prompts = Prompts(twin.engine, encoded, places)
    nats = prompts.read()
    (said,) = sample(prompts, [config])
    return nats, [finish(twin, said[place]) for place in places]


def _figures(turn: int, conversations: Sequence[_Conversation], nats: Sequence[Sequence[float]] | None) -> TurnFigures:
    replies, real = [one.replies[turn] for one in conversations], [one.real[turn] for one in conversations]
    enough = len(replies) >= FEWEST_TO_CLASSIFY
    return TurnFigures(
        turn=turn + 1,
        conversations=len(replies),
        ended=mean(reply.finish_reason == "end_of_turn" for reply in replies),
        repeats=mean(reply.finish_reason == "repetition" for reply in replies),
        mean_characters=mean(len(reply.text) for reply in replies),
        bits_per_character=None if nats is None else sum(map(sum, nats)) / log(2) / sum(map(len, real)),
        classifier=classifier_accuracy([reply.text for reply in replies], real) if enough else None,
    )
