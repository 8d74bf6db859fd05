"""Many conversations read at once: how surprising what is learned in them is, and the caches that replies go on from.

Conversations of like length are read together; a long beginning that several have in common is read once for all.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline.inference.caches import KVCache, join
from pipeline.inference.engine import Engine
from pipeline.inference.transformers_decoder import TransformersDecoder
from pipeline.progress import SILENT, Progress
from pipeline.prompt import Encoded

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["READ_TOKENS", "Place", "PrefilledPlaces", "Prompts", "read_prefix", "shared_prefixes", "token_losses"]

READ_TOKENS = 4096  # padded tokens of a batch that is read
HEAD_ROWS = 512  # positions whose scores over the vocabulary are in memory at once
LEAST_SHARED = 64  # tokens: a shorter beginning is read with each conversation
PART_BYTES = 1 << 30  # of keys and values from which replies are sampled together
HELD_BYTES = 2 << 30  # of all parts: what would take more is read again for each sampling

Place = tuple[int, int]  # (conversation, token index at which a reply begins)


@dataclass
class PrefilledPlaces:
    """Places of conversations that have been read: replies to them go on from these caches.

    rows: of each place its row among those of all caches. logits: of each the scores of the reply's first token.
    """

    places: list[Place] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    logits: "list[Tensor]" = field(default_factory=list)
    caches: list[KVCache] = field(default_factory=list)

    @property
    def cache(self) -> KVCache:
        """The caches as one."""
        if len(self.caches) > 1:
            self.caches = [join(self.caches)]
        return self.caches[0]

    @property
    def bytes(self) -> int:
        """Memory that the caches take."""
        return sum(cache.bytes for cache in self.caches)


class Prompts:
    """Conversations read by a model: the losses of what is learned in them, and places at which replies are sampled.

    nats: of each conversation, the loss at each of its learned tokens, once it has been read.
    """

    def __init__(self, engine: Engine, conversations: Sequence[Encoded], places: Sequence[Place] = ()) -> None:
        self.engine, self.conversations, self.places = engine, conversations, places
        self.nats: list[list[float]] = [[] for _ in conversations]
        self._held: list[PrefilledPlaces] | None = None

    def read(self, progress: Progress = SILENT) -> list[list[float]]:
        """Read all; returns `nats`."""
        for _ in self.parts(progress):
            pass
        return self.nats

    def parts(self, progress: Progress = SILENT) -> Iterator[PrefilledPlaces]:
        """All places that have been read, in parts; they are held where there is memory, else read anew each time."""
        if self._held is not None:
            yield from self._held
            return
        made: list[PrefilledPlaces] = []
        size = 0
        for part in self._read_parts(progress):
            size += part.bytes
            made = [*made, part] if size <= HELD_BYTES else []
            yield part
        if size <= HELD_BYTES:
            self._held = made

    def _read_parts(self, progress: Progress) -> Iterator[PrefilledPlaces]:
        import torch

        total, read = sum(len(c.ids) for c in self.conversations), 0
        part, rows = PrefilledPlaces(), 0
        for indices, hidden, start, cache in self._read_batches():
            with torch.inference_mode():
                for row, index in enumerate(indices):
                    self.nats[index] = self._losses(index, hidden[row], start)
                    read += len(self.conversations[index].ids)
                found = [
                    (row, place) for row, index in enumerate(indices) for place in self.places if place[0] == index
                ]
                for row, (index, at) in found:
                    part.places.append((index, at))
                    part.rows.append(rows + row)
                    part.logits.append(self.engine.decoder.logits(hidden[row, at - 1 - start]))
            if found and cache is not None:
                part.caches.append(cache)
                rows += len(indices)
            if part.bytes > PART_BYTES:
                yield part
                part, rows = PrefilledPlaces(), 0
            progress(read, total)
        if part.places:
            yield part

    def _read_batches(self) -> "Iterator[tuple[list[int], Tensor, int, KVCache | None]]":
        """Batches: the conversations' numbers, hidden states [rows, tokens, width] from token `start` on, the cache."""
        import torch

        decoder = self.engine.decoder
        sequences = [c.ids for c in self.conversations]
        for group, start in self._groups():
            prefix = read_prefix(self.engine, sequences[group[0]][:start]) if start else None
            order = sorted(group, key=lambda i: -len(sequences[i]))
            while order:
                longest = len(sequences[order[0]]) - start
                many = max(1, READ_TOKENS // longest)
                indices, order = order[:many], order[many:]
                lengths = [len(sequences[i]) - start for i in indices]
                ids = torch.zeros((len(indices), longest), dtype=torch.int64)
                for row, i in enumerate(indices):
                    ids[row, : lengths[row]] = torch.tensor(sequences[i][start:])
                with self.engine.lock, torch.inference_mode():
                    room = start + longest
                    cache = prefix.repeated(len(indices), room) if prefix else decoder.empty(len(indices), room)
                    used = torch.tensor(lengths, device=decoder.device)
                    hidden = decoder.forward(ids.to(decoder.device), cache, used)
                yield indices, hidden, start, cache if isinstance(cache, KVCache) else None

    def _groups(self) -> list[tuple[list[int], int]]:
        """Conversations that begin alike, and how many tokens of that are read before all: none that is asked about."""
        if isinstance(self.engine.decoder, TransformersDecoder):
            return [(list(range(len(self.conversations))), 0)]
        first = [[at for at in range(1, len(c.ids)) if c.learned[at]][:1] for c in self.conversations]
        for index, at in self.places:
            first[index].append(at)
        most = [min([len(c.ids), *found]) - 1 for c, found in zip(self.conversations, first, strict=True)]
        return shared_prefixes([c.ids for c in self.conversations], most)

    def _losses(self, index: int, hidden: "Tensor", start: int) -> list[float]:
        """Negative log likelihood, in nats, of each learned token. hidden: [tokens from `start` on, width]."""
        conversation = self.conversations[index]
        learned = [i for i, flag in enumerate(conversation.learned) if flag and i]
        targets = [conversation.ids[i] for i in learned]
        return token_losses(self.engine, hidden, [i - 1 - start for i in learned], targets)


def shared_prefixes(sequences: Sequence[Sequence[int]], most: Sequence[int]) -> list[tuple[list[int], int]]:
    """Groups of sequences that begin alike, and the length of what they share: 0, or at least 64 tokens.

    most: of each sequence how many of its tokens may count as shared.
    """
    groups: dict[tuple[int, ...], list[int]] = {}
    for number, (ids, limit) in enumerate(zip(sequences, most, strict=True)):
        groups.setdefault(tuple(ids[:LEAST_SHARED]) if limit >= LEAST_SHARED else (), []).append(number)
    found, alone = [], []
    for beginning, numbers in groups.items():
        if not beginning or len(numbers) == 1:
            alone += numbers
            continue
        length = min(most[number] for number in numbers)
        first = sequences[numbers[0]]
        for number in numbers[1:]:
            length = next((i for i in range(length) if sequences[number][i] != first[i]), length)
        found.append((numbers, length))
    return [*found, (alone, 0)] if alone else found


def read_prefix(engine: Engine, ids: Sequence[int]) -> KVCache:
    """The cache of a beginning that several sequences share."""
    import torch

    with engine.lock, torch.inference_mode():
        cache: KVCache = engine.decoder.empty(1, len(ids))
        engine.decoder.forward(torch.tensor([ids], device=engine.decoder.device), cache)
    return cache


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
