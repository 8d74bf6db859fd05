"""Sessions become rows: windows that fit a model, in which each reply is learned exactly once."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from pipeline.dataset.config import DatasetConfig, Row
from pipeline.dataset.exchanges import Exchange, Session
from pipeline.dataset.situation import system_prompt
from pipeline.prompt import Message, Template, encode_all

__all__ = ["Counter", "estimate_counter", "pair_lengths", "session_rows", "template_counter"]

# Lengths, in tokens, of a conversation's stretches: up to where a reply begins, the reply with its end, and so on.
Counter = Callable[[Iterable[list[Message]]], list[list[int]]]

BYTES_PER_TOKEN = 3  # of UTF-8, on the safe side for English and about right for most scripts
TOKENS_PER_MESSAGE = 6  # the template's own, around each content
SLACK = 4  # tokens may merge differently where a window begins
LEAST_CONTEXT = 96  # tokens before what a reply answers that are worth their time even for one short reply
LEAST_USER = 32  # tokens of what a reply answers that are always kept


def template_counter(template: Template, tokenizer: Any) -> Counter:
    """Counts with a model's own tokenizer and template."""

    def count(conversations: Iterable[list[Message]]) -> list[list[int]]:
        # Prompts are never learned and replies always are here, so the flags' runs are the stretches.
        encoded = encode_all(template, tokenizer, [(messages, 0) for messages in conversations])
        return [[sum(1 for _ in run) for _, run in groupby(one.learned)] for one in encoded]

    return count


def estimate_counter(conversations: Iterable[list[Message]]) -> list[list[int]]:
    """Counts by length in bytes, for when no model has been chosen yet."""
    made = []
    for messages in conversations:
        lengths: list[int] = []
        head = 0
        for message in messages:
            tokens = len(message["content"].encode()) // BYTES_PER_TOKEN + TOKENS_PER_MESSAGE
            if message["role"] == "system":
                head = tokens
            else:
                lengths.append(tokens + head)
                head = 0
        made.append(lengths)
    return made


def conversation(exchanges: Sequence[Exchange], system: str = "") -> list[Message]:
    messages = [Message(role="system", content=system)] if system else []
    for exchange in exchanges:
        messages.append(Message(role="user", content=exchange.user))
        messages.append(Message(role="assistant", content=exchange.reply))
    return messages


def pair_lengths(sessions: Sequence[Session], count: Counter) -> list[list[tuple[int, int]]]:
    """Tokens of each exchange of each session: (what is said to the person, the reply with its end)."""
    counted = count(conversation(session.exchanges) for session in sessions)
    return [list(zip(lengths[::2], lengths[1::2], strict=True)) for lengths in counted]


def longest_reply(config: DatasetConfig, head: int) -> int:
    """Tokens that a reply may have beside a system prompt of `head` tokens and the end of what it answers."""
    return config.max_tokens - head - LEAST_USER - SLACK


def session_rows(
    sessions: Sequence[Session],
    lengths: Sequence[list[tuple[int, int]]],
    config: DatasetConfig,
    others: Sequence[str],
    count: Counter,
) -> list[Row]:
    """The rows of all sessions, in order. lengths: `pair_lengths` of the same sessions.

    No row is longer than `max_tokens`; replies too long for one must have been skipped before.
    """
    systems = [system_prompt(config, others, session.started_at, session.silence) for session in sessions]
    heads = system_lengths(systems, count)
    planned = []
    for session, pairs, system in zip(sessions, lengths, systems, strict=True):
        room = config.max_tokens - heads[system] - SLACK
        learnable = [exchange.skipped is None for exchange in session.exchanges]
        for start, learn, end in windows(pairs, learnable, room, int(room * config.overlap_share)):
            exchanges = list(session.exchanges[start:end])
            used = sum(user + reply for user, reply in pairs[start:end])
            if used > room:  # only where a single exchange is over-long
                exchanges[0] = shorten(exchanges[0], room - pairs[start][1], count)
            planned.append((session, system, exchanges, learn - start, used - pairs[start][0]))
    firsts = count(conversation(exchanges[:1], system) for _, system, exchanges, _, _ in planned)
    return [
        Row(
            messages=conversation(exchanges, system),
            session=session.number,
            sent_at=exchanges[learn].replied_at,
            learn_from=2 * learn + 1 + bool(system),
            tokens=rest + first[0],
        )
        for (session, system, exchanges, learn, rest), first in zip(planned, firsts, strict=True)
    ]


def system_lengths(systems: Iterable[str], count: Counter) -> dict[str, int]:
    """Tokens by which a row that begins with each system prompt is longer than the same stretch further inside."""
    different = sorted(set(systems))
    user, twin = Message(role="user", content="?"), Message(role="assistant", content="!")
    counted = count(
        [*([Message(role="system", content=system)] if system else []), user, twin, user] for system in different
    )
    return {system: max(0, lengths[0] - lengths[2]) for system, lengths in zip(different, counted, strict=True)}


def windows(
    pairs: Sequence[tuple[int, int]], learnable: Sequence[bool], room: int, overlap: int
) -> Iterator[tuple[int, int, int]]:
    """(start, learn, end) exchange indices: those in learn:end are learned, those in start:learn are context.

    A window ends before what does not fit into `room`, or before a reply that is not to be learned. It begins with up
    to `overlap` tokens of what came before, but where it learns little, with no more of that than it learns.
    """
    costs = [user + reply for user, reply in pairs]
    learn, passed = 0, 0
    while learn < len(costs):
        if not learnable[learn]:
            passed += costs[learn]
            learn += 1
            continue
        end, used = learn + 1, costs[learn]
        reserved = min(overlap, passed)
        while end < len(costs) and learnable[end] and used + costs[end] <= room - reserved:
            used += costs[end]
            end += 1
        start, spare = learn, min(overlap, room - used, max(used, LEAST_CONTEXT))
        while start and costs[start - 1] <= spare:
            start -= 1
            spare -= costs[start]
        yield start, learn, end
        passed += used
        learn = end


def shorten(exchange: Exchange, room: int, count: Counter) -> Exchange:
    """The exchange with the beginning of what was said cut off, so that the prompt takes at most `room` tokens."""
    text = exchange.user
    while text:
        (prompt, *_), *_ = count([[Message(role="user", content=text)]])
        if prompt <= room:
            break
        # Close in from above; each round cuts at least one character.
        text = text[-min(len(text) - 1, max(1, len(text) * room // prompt)) :] if len(text) > 1 else ""
    bubble_start = text.find("\n") + 1
    kept = text[bubble_start:] if 0 < bubble_start < len(text) // 2 else text
    return replace(exchange, user=kept)
