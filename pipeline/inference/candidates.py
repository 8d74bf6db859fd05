"""How surprising several replies to one message are: the message is read once for all of them.

A prompt and its candidates are one sequence in which each candidate sees the prompt and itself. Reading eight replies
under a long prompt so costs little more than reading one.
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from pipeline.inference.caches import KVCache, TreeAttentionCache
from pipeline.inference.engine import Engine
from pipeline.inference.reading import READ_TOKENS, Prompts, read_prefix, shared_prefixes, token_losses
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
    parts = [(number, part) for number, group in enumerate(groups) for part in _parts(group)]
    prompts = [groups[number].prompt for number, _ in parts]
    sizes = [len(prompt) + sum(map(len, part)) for prompt, (_, part) in zip(prompts, parts, strict=True)]
    losses: dict[int, list[list[float]]] = {}
    for alike, start in shared_prefixes(prompts, [len(prompt) - 1 for prompt in prompts]):
        prefix = read_prefix(engine, prompts[alike[0]][:start]) if start else None
        for batch in _batches(alike, [size - start for size in sizes]):
            with engine.lock, torch.inference_mode():
                found = _read([prompts[i][start:] for i in batch], [parts[i][1] for i in batch], engine, prefix)
            losses.update(zip(batch, found, strict=True))
            progress(len(losses), len(parts))
    return [
        [reply for i, (number, _) in enumerate(parts) if number == wanted for reply in losses[i]]
        for wanted in range(len(groups))
    ]


def _read(
    prompts: Sequence[Sequence[int]],
    replies: Sequence[Sequence[Sequence[int]]],
    engine: Engine,
    prefix: KVCache | None,
) -> list[list[list[float]]]:
    """The losses of the replies to each prompt, read in one batch."""
    import torch

    flat = [[*prompt, *chain(*many)] for prompt, many in zip(prompts, replies, strict=True)]
    ids = torch.zeros((len(flat), max(map(len, flat))), dtype=torch.int64)
    for row, one in enumerate(flat):
        ids[row, : len(one)] = torch.tensor(one)
    device = engine.decoder.device
    lengths = [[len(reply) for reply in many] for many in replies]
    tree = TreeAttentionCache([*map(len, prompts)], lengths, device, prefix)
    hidden = engine.decoder.forward(ids.to(device), tree)
    made = []
    for row, many in enumerate(replies):
        losses = iter(token_losses(engine, hidden[row], tree.before[row], flat[row][len(prompts[row]) :]))
        made.append([[next(losses) for _ in reply] for reply in many])
    return made


def _batches(numbers: Sequence[int], sizes: Sequence[int]) -> Iterator[list[int]]:
    """Sequences of like size together, as many as are read at once."""
    order = sorted(numbers, key=lambda i: -sizes[i])
    while order:
        many = max(1, READ_TOKENS // sizes[order[0]])
        yield order[:many]
        order = order[many:]


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
    flat = iter(Prompts(engine, conversations).read())
    return [[next(flat) for _ in group.replies] for group in groups]
