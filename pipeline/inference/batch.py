"""Many conversations at once: the loss of their replies, and replies sampled at many places of them.

A conversation is read once, and replies sampled at any places of it go on from its cache. Those that have ended leave
the batch, so that it gets faster as it goes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.inference.caches import KVCache, SharedPrefixCache, join
from pipeline.inference.engine import Engine
from pipeline.inference.generation import GenerationConfig, pick
from pipeline.inference.transformers_decoder import TransformersCache
from pipeline.progress import SILENT, Progress
from pipeline.prompt import Encoded

if TYPE_CHECKING:
    from torch import Generator, Tensor

__all__ = [
    "READ_TOKENS",
    "Place",
    "PrefilledPrompts",
    "Readings",
    "prefill",
    "read_and_sample",
    "sample",
    "token_losses",
]

READ_TOKENS = 4096  # padded tokens of a batch that is read
HEAD_ROWS = 512  # positions whose scores over the vocabulary are in memory at once
LEAVE = 8  # replies that are over leave the batch when they are an eighth of it
CACHE_BYTES = 1 << 30  # of keys and values that are held for replies to be sampled together

Place = tuple[int, int]  # (conversation, token index at which a reply begins)


@dataclass(frozen=True)
class Readings:
    """nats: for each conversation, the loss at each of its learned tokens. replies: ids sampled at each place.

    again: the same of every further round of replies.
    """

    nats: list[list[float]]
    replies: dict[Place, list[int]]
    again: tuple[dict[Place, list[int]], ...] = ()


def read_and_sample(
    engine: Engine,
    conversations: Sequence[Encoded],
    places: Sequence[Place] = (),
    config: GenerationConfig | None = None,
    progress: Progress = SILENT,
    rounds: int = 1,
) -> Readings:
    """Losses of what is learned in conversations, and a reply (stop token included) sampled at each place.

    rounds: how often a reply is sampled at every place.
    """
    import torch

    config = config or GenerationConfig()
    nats: list[list[float]] = [[] for _ in conversations]
    replies: list[dict[Place, list[int]]] = [{} for _ in range(rounds)]
    wanted: dict[int, list[int]] = {}
    for conversation, at in places:
        wanted.setdefault(conversation, []).append(at)
    prompts = PrefilledPrompts()
    total, read = sum(len(c.ids) for c in conversations) or 1, 0
    generator = torch.Generator(engine.decoder.device).manual_seed(config.seed or 0)
    with torch.inference_mode():
        for indices, hidden, cache in _read(engine, conversations):
            for row, index in enumerate(indices):
                nats[index] = _losses(engine, hidden[row], conversations[index])
                read += len(conversations[index].ids)
            prompts.add(engine, conversations, indices, hidden, cache, wanted)
            if prompts.places and (prompts.bytes > CACHE_BYTES or read == total):
                for number, said in enumerate(replies):
                    seeded = config.model_copy(update={"seed": (config.seed or 0) + number})
                    said.update(sample(engine, prompts, seeded, generator))
                prompts = PrefilledPrompts()
            progress(read, total)
    return Readings(nats, replies[0], tuple(replies[1:]))


class PrefilledPrompts:
    """Places of conversations that have been read, until there are enough to sample together."""

    def __init__(self) -> None:
        self.places: list[Place] = []
        self.rows: list[int] = []
        self.logits: list[Tensor] = []
        self.caches: list[KVCache] = []
        self.prompts: list[list[int]] = []  # instead of all these, where a model's conversations share nothing

    def add(
        self,
        engine: Engine,
        conversations: Sequence[Encoded],
        indices: list[int],
        hidden: "Tensor",
        cache: KVCache | TransformersCache,
        wanted: dict[int, list[int]],
    ) -> None:
        """Take over a batch that was read: of each row the places that are wanted."""
        if isinstance(cache, TransformersCache):
            for index in indices:
                for at in wanted.get(index, ()):
                    self.places.append((index, at))
                    self.prompts.append(conversations[index].ids[:at])
            return
        first = sum(len(c.lengths) for c in self.caches)
        before = len(self.places)
        for row, index in enumerate(indices):
            for at in wanted.get(index, ()):
                self.places.append((index, at))
                self.rows.append(first + row)
                self.logits.append(engine.decoder.logits(hidden[row, at - 1]))
        if len(self.places) > before:
            self.caches.append(cache)

    @property
    def bytes(self) -> int:
        return sum(cache.bytes for cache in self.caches)


def prefill(engine: Engine, conversations: Sequence[Encoded], places: Sequence[Place]) -> PrefilledPrompts:
    """Read conversations so that replies can be `sample`d at places of them, as often as wanted."""
    import torch

    prompts = PrefilledPrompts()
    wanted: dict[int, list[int]] = {}
    for conversation, at in places:
        wanted.setdefault(conversation, []).append(at)
    with torch.inference_mode():
        for indices, hidden, cache in _read(engine, conversations):
            prompts.add(engine, conversations, indices, hidden, cache, wanted)
    return prompts


def _read(
    engine: Engine, conversations: Sequence[Encoded]
) -> "Iterator[tuple[list[int], Tensor, KVCache | TransformersCache]]":
    """Batches of conversations of like length: their indices, hidden states and filled cache."""
    import torch

    order = sorted(range(len(conversations)), key=lambda i: -len(conversations[i].ids))
    while order:
        longest = len(conversations[order[0]].ids)
        indices, order = order[: max(1, READ_TOKENS // longest)], order[max(1, READ_TOKENS // longest) :]
        lengths = [len(conversations[i].ids) for i in indices]
        ids = torch.zeros((len(indices), longest), dtype=torch.int64)
        for row, i in enumerate(indices):
            ids[row, : lengths[row]] = torch.tensor(conversations[i].ids)
        device = engine.decoder.device
        with engine.lock:
            cache = engine.decoder.empty(len(indices), longest)
            hidden = engine.decoder.forward(ids.to(device), cache, torch.tensor(lengths, device=device))
        yield indices, hidden, cache


def _losses(engine: Engine, hidden: "Tensor", conversation: Encoded) -> list[float]:
    """Negative log likelihood, in nats, of each learned token. hidden: [tokens, width]."""
    learned = [i for i, flag in enumerate(conversation.learned) if flag and i]
    return token_losses(engine, hidden, [i - 1 for i in learned], [conversation.ids[i] for i in learned])


def token_losses(engine: Engine, hidden: "Tensor", before: Sequence[int], targets: Sequence[int]) -> list[float]:
    """Negative log likelihood, in nats, of tokens: targets[i] after the token at before[i]. hidden: [tokens, width]."""
    import torch
    from torch.nn.functional import cross_entropy

    at = torch.tensor(before, dtype=torch.int64, device=hidden.device)
    wanted = torch.tensor(targets, dtype=torch.int64, device=hidden.device)
    losses: list[float] = []
    for start in range(0, len(at), HEAD_ROWS):
        logits = engine.decoder.logits(hidden[at[start : start + HEAD_ROWS]])
        losses += cross_entropy(logits, wanted[start : start + HEAD_ROWS], reduction="none").tolist()
    return losses


def sample(
    engine: Engine, prompts: PrefilledPrompts, config: GenerationConfig, generator: "Generator | None" = None
) -> dict[Place, list[int]]:
    """One reply (stop token included) at each place that waits, all in one batch; they may be sampled again."""
    import torch

    if prompts.prompts:
        return {
            place: _alone(engine, prompt, config, place)
            for place, prompt in zip(prompts.places, prompts.prompts, strict=True)
        }
    device = engine.decoder.device
    if generator is None:
        generator = torch.Generator(device).manual_seed(config.seed or 0)
    lengths = [at for _, at in prompts.places]
    cache = SharedPrefixCache(join(prompts.caches), prompts.rows, lengths, config.max_new_tokens)
    logits = torch.stack(prompts.logits)
    replies: list[list[int]] = [[] for _ in prompts.places]
    with torch.inference_mode():
        _grow(engine, cache, logits, config, generator, replies)
    return dict(zip(prompts.places, replies, strict=True))


def _alone(engine: Engine, prompt: list[int], config: GenerationConfig, place: Place) -> list[int]:
    """One reply on its own."""
    seed = hash((config.seed or 0, *place)) % 2**31
    return list(engine.generate(prompt, config.model_copy(update={"seed": seed})))


def _grow(
    engine: Engine,
    cache: SharedPrefixCache,
    logits: "Tensor",
    config: GenerationConfig,
    generator: "Generator",
    replies: list[list[int]],
) -> None:
    """Add tokens to every reply until it stops or is as long as it may be."""
    import torch

    ends, breaks, stops = (
        torch.tensor(sorted(ids), device=logits.device) for ids in (engine.ends, engine.breaks, engine.stops)
    )
    live = list(range(len(replies)))
    over = torch.zeros(len(live), dtype=torch.bool, device=logits.device)
    for step in range(config.max_new_tokens):
        seen = None
        if config.repetition_penalty > 1 and step:
            seen = _padded([replies[i] for i in live], step).to(logits.device)
        chosen = pick(logits, config, generator, end_ids=ends, break_ids=breaks, step=step, written=seen)
        for i, token, is_over in zip(live, chosen.tolist(), over.tolist(), strict=True):
            if not is_over:
                replies[i].append(token)
        over |= torch.isin(chosen, stops)
        if over.all() or step + 1 == config.max_new_tokens:
            return
        # Leaving the batch means to copy what stays: worth it for several at once.
        if int(over.sum()) > len(live) // LEAVE:
            left = (~over).nonzero()[:, 0]
            live = [live[i] for i in left.tolist()]
            chosen, over = chosen[left], over[left]
            cache.keep(left)
        with engine.lock:
            logits = engine.decoder.logits(engine.decoder.forward(chosen[:, None], cache)[:, -1])


def _padded(replies: Sequence[Sequence[int]], length: int) -> "Tensor":
    """Ids of replies as rows of one length; -1 follows those that are over."""
    import torch

    return torch.tensor([[*reply, *[-1] * (length - len(reply))] for reply in replies])
