"""How surprising several replies to one message are: the message is read once for all of them.

A prompt and its candidates are one sequence in which each candidate sees the prompt and itself. Reading eight replies
under a long prompt so costs little more than reading one.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pipeline.inference.batch import READ_TOKENS, read_and_sample, token_losses
from pipeline.inference.caches import TreeAttentionCache
from pipeline.inference.engine import Engine
from pipeline.inference.transformers_decoder import TransformersDecoder
from pipeline.progress import SILENT, Progress
from pipeline.prompt import Encoded

__all__ = ["CandidateReplies", "candidate_losses", "shared_prompt"]


class CandidateReplies(NamedTuple):
    """Token ids of a conversation up to where a reply begins, and the ids (with their end) of replies to it."""

    prompt: list[int]
    replies: list[list[int]]


def shared_prompt(conversations: Sequence[Encoded]) -> CandidateReplies:
    """The common prompt of conversations that differ in their last reply alone, the only one that is learned."""
    start = conversations[0].learned.index(True)
    replies = [[i for i, learned in zip(c.ids, c.learned, strict=True) if learned] for c in conversations]
    return CandidateReplies(conversations[0].ids[:start], replies)


def candidate_losses(
    engine: Engine, groups: Sequence[CandidateReplies], progress: Progress = SILENT
) -> list[list[list[float]]]:
    """For each prompt and each of its replies the loss, in nats, at each of the reply's tokens."""
    import torch

    if isinstance(engine.decoder, TransformersDecoder):
        return _one_by_one(engine, groups)
    nats: list[list[list[float]]] = []
    for number, group in enumerate(groups):
        found: list[list[float]] = []
        for replies in _parts(group):
            ids = [*group.prompt, *(i for reply in replies for i in reply)]
            tree = TreeAttentionCache(len(group.prompt), [len(reply) for reply in replies], engine.decoder.device)
            with engine.lock, torch.inference_mode():
                hidden = engine.decoder.forward(torch.tensor([ids], device=engine.decoder.device), tree)[0]
                flat = iter(token_losses(engine, hidden, tree.before, ids[len(group.prompt) :]))
            found += [[next(flat) for _ in reply] for reply in replies]
        nats.append(found)
        progress(number + 1, len(groups))
    return nats


def _parts(group: CandidateReplies) -> Iterator[list[list[int]]]:
    """The replies to a prompt, as many at once as fit into a batch with it."""
    part: list[list[int]] = []
    used = len(group.prompt)
    for reply in group.replies:
        if part and used + len(reply) > READ_TOKENS:
            yield part
            part, used = [], len(group.prompt)
        part.append(reply)
        used += len(reply)
    if part:
        yield part


def _one_by_one(engine: Engine, groups: Sequence[CandidateReplies]) -> list[list[list[float]]]:
    conversations = [
        Encoded([*group.prompt, *reply], [False] * len(group.prompt) + [True] * len(reply))
        for group in groups
        for reply in group.replies
    ]
    flat = iter(read_and_sample(engine, conversations).nats)
    return [[next(flat) for _ in group.replies] for group in groups]
