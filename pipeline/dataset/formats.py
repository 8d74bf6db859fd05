"""A row in the forms that other trainers read.

The forms that can say what is context (messages, prompt_completion, alpaca) keep it. The others are trained on whole,
so there a row begins where its learned replies begin: each reply is in a file once, in every form.
"""

from collections.abc import Callable, Iterator
from typing import Any

from pipeline.dataset.config import Format, Row
from pipeline.prompt import Message

__all__ = ["format_row"]

Record = dict[str, Any]


def format_row(row: Row, form: Format) -> list[Record]:
    """The row's records in this form: one, or one for each learned reply (prompt_completion, alpaca)."""
    return list(WRITERS[form](row))


def learned(row: Row) -> Iterator[int]:
    """Indices of the replies that this row learns."""
    return (i for i, message in enumerate(row.messages) if message["role"] == "assistant" and i >= row.learn_from)


def split_system(row: Row) -> tuple[str, list[Message], int]:
    """The system prompt (or nothing), the other messages, and at which of these learning begins."""
    system = [message["content"] for message in row.messages if message["role"] == "system"]
    return (system or [""])[0], row.messages[len(system) :], row.learn_from - len(system)


def without_context(row: Row) -> tuple[str, list[tuple[str, str]]]:
    """The system prompt, and (user, reply) pairs from what the first learned reply answers on."""
    system, turns, learn_from = split_system(row)
    first = learn_from - learn_from % 2
    contents = [message["content"] for message in turns[first:]]
    return system, list(zip(contents[::2], contents[1::2], strict=True))


def as_messages(row: Row) -> Iterator[Record]:
    yield {
        "messages": row.messages,
        "session": row.session,
        "sent_at": row.sent_at.isoformat(),
        "learn_from": row.learn_from,
        "tokens": row.tokens,
    }


def as_prompt_completion(row: Row) -> Iterator[Record]:
    for index in learned(row):
        yield {"prompt": row.messages[:index], "completion": row.messages[index : index + 1]}


def as_sharegpt(row: Row) -> Iterator[Record]:
    system, pairs = without_context(row)
    said = [({"from": "human", "value": user}, {"from": "gpt", "value": reply}) for user, reply in pairs]
    yield {"system": system, "conversations": [turn for pair in said for turn in pair]}


def as_alpaca(row: Row) -> Iterator[Record]:
    system, turns, learn_from = split_system(row)
    contents = [message["content"] for message in turns]
    pairs = list(zip(contents[::2], contents[1::2], strict=True))
    for place, (user, reply) in enumerate(pairs):
        if 2 * place + 1 >= learn_from:
            history = [list(pair) for pair in pairs[:place]]
            yield {"system": system, "instruction": user, "input": "", "output": reply, "history": history}


def as_blog(row: Row) -> Iterator[Record]:
    system, pairs = without_context(row)
    turns = [f"### Home: {user}\n### Assistant: {reply}" for user, reply in pairs]
    yield {"text": "\n".join([*([system] if system else []), *turns])}


def as_llama2(row: Row) -> Iterator[Record]:
    """Llama 2's own form, as its reference code writes it: each exchange in its own `<s> </s>`."""
    system, pairs = without_context(row)
    head = f"<<SYS>>\n{system}\n<</SYS>>\n\n" if system else ""
    turns = [
        f"<s>[INST] {head if place == 0 else ''}{user} [/INST] {reply} </s>"
        for place, (user, reply) in enumerate(pairs)
    ]
    yield {"text": "".join(turns)}


WRITERS: dict[Format, Callable[[Row], Iterator[Record]]] = {
    "messages": as_messages,
    "prompt_completion": as_prompt_completion,
    "sharegpt": as_sharegpt,
    "alpaca": as_alpaca,
    "blog": as_blog,
    "llama2": as_llama2,
}
