"""How surprising several replies to one message are: the message is read once for all of them.

A stem and its branches are one sequence in which each branch sees the stem and itself. Reading eight replies under a
long prompt so costs little more than reading one.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from pipeline.inference.batch import READ_TOKENS, nats_at, read_and_sample
from pipeline.inference.engine import Engine
from pipeline.inference.prefix_cache import Tree
from pipeline.inference.transformers_decoder import ForeignDecoder
from pipeline.prompt import Encoded

__all__ = ["Stem", "read_branches", "stem_of"]


class Stem(NamedTuple):
    """Token ids of a conversation up to where a reply begins, and the ids (with their end) of replies to it."""

    ids: list[int]
    replies: list[list[int]]


def stem_of(conversations: Sequence[Encoded]) -> Stem:
    """The stem of conversations that differ in their last reply alone, the only one that is learned."""
    start = conversations[0].learned.index(True)
    replies = [[i for i, learned in zip(c.ids, c.learned, strict=True) if learned] for c in conversations]
    return Stem(conversations[0].ids[:start], replies)


def read_branches(
    engine: Engine, stems: Sequence[Stem], progress: Callable[[float], None] = lambda done: None
) -> list[list[list[float]]]:
    """For each stem and each of its replies the loss, in nats, at each of the reply's tokens."""
    import torch

    if isinstance(engine.decoder, ForeignDecoder):
        return _one_by_one(engine, stems)
    nats: list[list[list[float]]] = []
    for number, stem in enumerate(stems):
        found: list[list[float]] = []
        for replies in _parts(stem):
            ids = [*stem.ids, *(i for reply in replies for i in reply)]
            tree = Tree(len(stem.ids), [len(reply) for reply in replies], engine.decoder.device)
            with engine.lock, torch.inference_mode():
                hidden = engine.decoder.forward(torch.tensor([ids], device=engine.decoder.device), tree)[0]
                flat = iter(nats_at(engine, hidden, tree.before, ids[len(stem.ids) :]))
            found += [[next(flat) for _ in reply] for reply in replies]
        nats.append(found)
        progress((number + 1) / len(stems))
    return nats


def _parts(stem: Stem) -> Iterator[list[list[int]]]:
    """The replies of a stem, as many at once as fit into a batch with it."""
    part: list[list[int]] = []
    used = len(stem.ids)
    for reply in stem.replies:
        if part and used + len(reply) > READ_TOKENS:
            yield part
            part, used = [], len(stem.ids)
        part.append(reply)
        used += len(reply)
    if part:
        yield part


def _one_by_one(engine: Engine, stems: Sequence[Stem]) -> list[list[list[float]]]:
    conversations = [
        Encoded([*stem.ids, *reply], [False] * len(stem.ids) + [True] * len(reply))
        for stem in stems
        for reply in stem.replies
    ]
    flat = iter(read_and_sample(engine, conversations).nats)
    return [[next(flat) for _ in stem.replies] for stem in stems]
