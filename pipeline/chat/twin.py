"""A twin: an engine with the words that were around its replies in training."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import ValidationError

from pipeline.chat.stop_sequences import StopSequences, is_repeating
from pipeline.dataset import OPENER, DatasetConfig, Rhythm, Row, Summary, chat_opening, read_about, read_dataset
from pipeline.errors import ChatError
from pipeline.inference import Engine, GenerationConfig, LoadedModels, load_engine
from pipeline.prompt import Message, Template, encode_all, encode_prompt
from pipeline.runs import RunFolder

__all__ = [
    "FinishReason",
    "Kind",
    "PartialReply",
    "Twin",
    "load_twin",
    "prompt_budget",
    "prompt_messages",
    "stream",
    "with_instruction",
]

Kind = Literal["twin", "base", "prompted base"]

# Why a reply is over: its own end, the most tokens, words of the other side or a loop.
FinishReason = Literal["end_of_turn", "length", "stop_sequence", "repetition"]


INSTRUCTION = (
    "Answer only as {person}, never as an assistant: in {person}'s own words, spelling, punctuation and length, "
    "a line for each message, as in these messages."
)
EXAMPLES = 5


class PartialReply(NamedTuple):
    """The reply's text so far; `finish_reason` says why it is over, None while it grows."""

    text: str
    finish_reason: FinishReason | None = None
    tokens: int = 0


@dataclass(frozen=True)
class Twin:
    """Who answers: an engine, how its prompts are made, and how it samples by default."""

    engine: Engine
    generation: GenerationConfig
    config: DatasetConfig | None = None
    summary: Summary | None = None
    instruction: str = ""  # said after the system prompt, and
    examples: tuple[Message, ...] = ()  # real turns shown before the conversation: how a base model is prompted

    @property
    def person(self) -> str | None:
        """Who is imitated; None for a bare model."""
        return self.config.person if self.config else None

    @property
    def others(self) -> tuple[str, ...]:
        """Who the person wrote with: in a group, those whom the user may choose to be."""
        return self.summary.others if self.summary else ()

    @property
    def rhythm(self) -> Rhythm | None:
        """How fast the person writes, where their chat shows it."""
        return self.summary.rhythm if self.summary else None


def load_twin(
    run_dir: Path | None,
    model: str = "starter",
    *,
    kind: Kind = "twin",
    loaded: LoadedModels | None = None,
) -> Twin:
    """The twin of a finished run, or a model alone (`run_dir` None).

    kind: base is the run's model and prompt without its adapter; prompted base is told to write like the person, too,
    and shown some of their replies. loaded: engines to share and to add to. Raises ChatError.
    """
    get = loaded.get if loaded else load_engine
    if run_dir is None:
        return Twin(get(model), GenerationConfig())
    folder = RunFolder(run_dir)
    config, summary = read_about(folder.dataset.path)
    adapter = folder.adapter.path if kind == "twin" else None
    if adapter and not folder.adapter.exists:
        raise ChatError("This run has no twin yet: wait until it has finished, or train again.")
    engine = get(read_model(run_dir), adapter, read_run_template(run_dir))
    if kind != "prompted base":
        return Twin(engine, read_generation(run_dir) if kind == "twin" else GenerationConfig(), config, summary)
    return Twin(
        engine,
        GenerationConfig(),
        config,
        summary,
        instruction=INSTRUCTION.format(person=config.person),
        examples=tuple(typical_exchanges(read_dataset(folder.dataset.path).train)),
    )


def typical_exchanges(rows: Sequence[Row], most: int = EXAMPLES) -> list[Message]:
    """Exchanges to show a model how somebody writes: from all over the chat, their replies of a usual length."""
    exchanges = [
        (row.messages[i - 1], row.messages[i])
        for row in rows
        for i in range(max(1, row.learn_from), len(row.messages))
        if row.messages[i]["role"] == "assistant" and row.messages[i - 1]["role"] == "user"
    ]
    exchanges = [pair for pair in exchanges if len(pair[0]["content"]) < 400] or exchanges
    by_length = sorted(len(reply["content"]) for _, reply in exchanges)
    low, high = (by_length[len(by_length) * share // 4] for share in (1, 3)) if by_length else (0, 0)
    usual = [pair for pair in exchanges if low <= len(pair[1]["content"]) <= high] or exchanges
    chosen = usual[:: max(1, len(usual) // most)][:most]
    return [message for pair in chosen for message in pair]


def read_model(run_dir: Path) -> str:
    """Which model a run trained."""
    try:
        return str(json.loads(RunFolder(run_dir).config.read_text(encoding="utf-8"))["model"])
    except (OSError, ValueError, KeyError) as error:
        raise ChatError("This run's settings cannot be read: train again.") from error


def read_run_template(run_dir: Path) -> Template | None:
    """The template that a run was trained with; None where it kept none."""
    path = RunFolder(run_dir).template
    try:
        return Template.model_validate_json(path.read_text(encoding="utf-8")) if path.is_file() else None
    except ValidationError as error:
        raise ChatError("This run's template cannot be read: train again.") from error


def read_generation(run_dir: Path) -> GenerationConfig:
    """The sampling that was tuned for a run; the defaults where it has not been."""
    path = RunFolder(run_dir).generation
    try:
        return GenerationConfig.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValidationError):
        return GenerationConfig()


def prompt_messages(
    twin: Twin, history: Sequence[Message], now: datetime | None = None, most_tokens: int | None = None
) -> list[Message]:
    """The messages that a prompt is made of: opening, examples, and as much of the history as fits.

    history: ends with the user. Consecutive messages of one side become one. Oldest exchanges are dropped first, and
    several at once, so that the beginning (and the cache of it) stays the same for some turns.
    """
    opening = chat_opening(twin.config, twin.summary, now or datetime.now()) if twin.config and twin.summary else []
    opening = with_instruction(twin, opening)
    turns = alternate(history)
    if not turns or turns[-1]["role"] != "user":
        raise ChatError("There is nothing to reply to yet: write a message first.")
    engine = twin.engine
    budget = most_tokens or engine.context
    lengths = _exchange_lengths(engine, opening, turns)
    return [*opening, *turns[2 * first_exchange(lengths[1:], budget - lengths[0]) :]]


def _exchange_lengths(engine: Engine, opening: list[Message], turns: list[Message]) -> list[int]:
    """Tokens of the opening, then of each exchange (the last has no reply yet)."""
    probe = [Message(role="user", content="?")]
    starts = [[*opening, *probe], probe]
    pairs = [turns[i : i + 2] for i in range(0, len(turns), 2)]
    counted = [len(e.ids) for e in encode_all(engine.template, engine.tokenizer, [(c, 0) for c in [*starts, *pairs]])]
    return [max(0, counted[0] - counted[1]), *counted[2:]]


def first_exchange(lengths: Sequence[int], budget: int) -> int:
    """Where the window begins: grown turn by turn, and cut to three quarters of the budget when it overflows."""
    start = used = 0
    for index, length in enumerate(lengths):
        used += length
        if used > budget:
            while start < index and used > budget * 3 // 4:
                used -= lengths[start]
                start += 1
    return start


def alternate(history: Sequence[Message]) -> list[Message]:
    """The history as user, assistant, user, ...: runs of one side joined, and an opener where the person began."""
    turns: list[Message] = []
    for message in history:
        if turns and turns[-1]["role"] == message["role"]:
            turns[-1] = Message(role=message["role"], content=f"{turns[-1]['content']}\n{message['content']}")
        else:
            turns.append(Message(role=message["role"], content=message["content"]))
    if turns and turns[0]["role"] == "assistant":
        turns.insert(0, Message(role="user", content=OPENER))
    return turns


def stream(
    twin: Twin,
    history: Sequence[Message],
    generation: GenerationConfig | None = None,
    *,
    now: datetime | None = None,
    cache_key: str | None = None,
) -> Iterator[PartialReply]:
    """The twin's next turn as it grows, last the whole with the reason why it ended; `split_bubbles` makes bubbles.

    history: user and assistant messages, the user's last (bubbles joined by `join_bubbles`). now: when this
    conversation began; keep it the same through a conversation. cache_key: an unguessable key under
    which the conversation's cache is kept for the next turn. Closing the iterator ends the reply. Raises ChatError.
    """
    config = generation or twin.generation
    engine = twin.engine
    messages = prompt_messages(twin, history, now, prompt_budget(twin, config))
    prompt = encode_prompt(engine.template, engine.tokenizer, messages)
    guard = StopSequences(engine.template, twin.others)
    ids: list[int] = []
    text = shown = ""
    for chosen in engine.generate(prompt, config, cache_key=cache_key):
        ids.append(chosen)
        if chosen in engine.stops:
            reason: FinishReason = "end_of_turn" if chosen in engine.ends else "stop_sequence"
            yield PartialReply(text.strip(), reason, len(ids))
            return
        text = engine.text(ids)
        if (cut := guard.find(text)) is not None:
            yield PartialReply(text[:cut].strip(), "stop_sequence", len(ids))
            return
        if is_repeating(ids):
            yield PartialReply(text.strip(), "repetition", len(ids))
            return
        safe = guard.safe(text).strip()
        if safe != shown:
            shown = safe
            yield PartialReply(shown, None, len(ids))
    yield PartialReply(text.strip(), "length", len(ids))


def prompt_budget(twin: Twin, generation: GenerationConfig) -> int:
    """Most tokens of a prompt: with the reply no more than a row had in training, unless the settings say else."""
    trained = twin.config.max_tokens if twin.config else 2048
    return max(64, min(generation.context_tokens or trained, twin.engine.context) - generation.max_new_tokens)


def with_instruction(twin: Twin, opening: Sequence[Message]) -> list[Message]:
    """A conversation's opening (a system message or none) with the twin's instruction and examples."""
    made = [Message(role=m["role"], content=f"{m['content']} {twin.instruction}".strip()) for m in opening]
    if twin.instruction and not made:
        made = [Message(role="system", content=twin.instruction)]
    return [*made, *twin.examples]
