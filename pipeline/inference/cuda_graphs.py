"""The steps of a reply captured once as CUDA graphs and replayed: on a GPU most of a single token's time is starting
its kernels one by one, some thousands of them for a large model in 4 bits.

A graph reads and writes fixed addresses. So the conversation that is answered lies in a cache of its own, with room for
more than it holds; another conversation's turn copies it out and the other in, which takes a small part of a step.
"""

import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.compat import put_all
from pipeline.inference.caches import KVCache
from pipeline.inference.shared_prefix import SharedPrefixCache

if TYPE_CHECKING:
    from torch import Tensor

    from pipeline.inference.decoder import Decoder

__all__ = ["BatchStep", "CudaGraphRunner", "StaticCache"]

COUNTS = (1, 16, 64)  # tokens a captured step takes; what is in between is padded
ROOM = 1024


class StaticCache:
    """Keys and values of one conversation at fixed addresses; what is new enters at given positions."""

    def __init__(self, decoder: "Decoder", room: int) -> None:
        held = decoder.empty(1, room)
        self.keys, self.values, self.room = held.keys, held.values, room
        self.group_size = decoder.heads // decoder.kv_heads

    def place(self, positions: "Tensor") -> None:
        """The positions, int64 [tokens], of what comes next; each sees all up to itself."""
        import torch

        self.positions = positions
        seen = torch.arange(self.room, device=positions.device) <= positions[:, None]
        self.mask = seen.repeat(self.group_size, 1)

    def attend(self, layer: int, query: "Tensor", key: "Tensor", value: "Tensor", scale: float) -> "Tensor":
        """As `KVCache.attend`, for one row, over the whole room."""
        from torch.nn.functional import scaled_dot_product_attention as attention

        _, heads, count, size = query.shape
        keys = self.keys[layer].index_copy_(2, self.positions, key)
        values = self.values[layer].index_copy_(2, self.positions, value)
        query = query.reshape(
            1, heads // self.group_size, self.group_size * count, size
        )  # heads of a group share its keys
        out = attention(query, keys, values, attn_mask=self.mask, scale=scale)
        return out.reshape(1, heads, count, size).transpose(1, 2).reshape(1, count, heads * size)


@dataclass
class _Step:
    """A captured step. inputs: int64 [how many are held, how many of the ids are real, *ids].

    run: what was captured; it keeps what the graph reads alive.
    """

    inputs: "Tensor"
    run: "Callable[[], Tensor]"
    replay: "Callable[[], Tensor]"


class CudaGraphRunner:
    """Next-token scores of a decoder by captured steps; one conversation at a time is in the static cache."""

    def __init__(self, decoder: "Decoder") -> None:
        self.decoder = decoder
        self._static: StaticCache | None = None
        self._steps: dict[int, _Step] = {}
        self._owner: weakref.ref[KVCache] | None = None
        self._saved = 0  # tokens of the static cache that the owner's own buffers hold too

    def takes(self, count: int) -> bool:
        """Whether so many tokens are few enough for a captured step."""
        return count <= COUNTS[-1]

    def scores(self, ids: Sequence[int], cache: KVCache) -> "Tensor":
        """Scores [1, vocabulary] of what follows `ids`, which follow what `cache` (of one row) holds and enter it."""
        import torch

        start = int(cache.lengths[0])
        count = next(count for count in COUNTS if count >= len(ids))
        self._hold(cache, start, start + count)
        if count not in self._steps:
            self._steps[count] = self._capture(count, start)
        step = self._steps[count]
        step.inputs[: 2 + len(ids)].copy_(torch.tensor([start, len(ids), *ids]))
        scores = step.replay().clone()
        self._saved = min(self._saved, start)
        cache.advance(len(ids))
        return scores

    def release(self, cache: KVCache) -> None:
        """Bring what the static cache holds of this conversation back into its own buffers, if it is in there."""
        if self._owner is not None and self._owner() is cache:
            self._save(cache)
            self._owner = None

    def clear(self) -> None:
        """Overwrite what the static cache holds; a conversation that is in it is brought back into its own buffers."""
        if self._owner is not None and (owner := self._owner()) is not None:
            self._save(owner)
        self._owner = None
        if self._static is not None:
            for buffer in (*self._static.keys, *self._static.values):
                buffer.zero_()
        for step in self._steps.values():
            step.inputs[2:] = 0

    def _hold(self, cache: KVCache, length: int, needed: int) -> None:
        """Have the conversation in the static cache, and room for it."""
        owner = self._owner() if self._owner else None
        roomy = self._static is not None and needed <= self._static.room
        if roomy and owner is cache:
            return
        if owner is not None:
            self._save(owner)
        if not roomy:
            self._steps.clear()
            self._static = None  # freed before the larger one is made
            self._static = StaticCache(self.decoder, -(-needed * 5 // 4 // ROOM) * ROOM)
        assert self._static is not None
        fixed, owns = [*self._static.keys, *self._static.values], [*cache.keys, *cache.values]
        if length:
            put_all([t[:, :, :length] for t in fixed], [t[:, :, :length] for t in owns])
        self._owner, self._saved = weakref.ref(cache), length

    def _save(self, owner: KVCache) -> None:
        assert self._static is not None
        start, end = self._saved, int(owner.lengths[0])
        if start < end:
            owner.grow(end)
            fixed, owns = [*self._static.keys, *self._static.values], [*owner.keys, *owner.values]
            put_all([t[:, :, start:end] for t in owns], [t[:, :, start:end] for t in fixed])
        self._saved = end

    def _capture(self, count: int, start: int) -> _Step:
        import torch

        static, decoder = self._static, self.decoder
        assert static is not None
        inputs = torch.zeros(2 + count, dtype=torch.int64, device=decoder.device)
        inputs[0] = start
        inputs[1] = count
        tables, steps = decoder.rotary_tables(static.room), torch.arange(count, device=decoder.device)

        def run() -> "Tensor":
            positions = inputs[0] + steps
            static.place(positions)
            hidden = decoder.run_layers(inputs[None, 2:], positions[None], tables, static)
            return decoder.logits(hidden.index_select(1, inputs[1:2] - 1)[:, 0])

        return _Step(inputs, run, captured(run, decoder.device.type))


class BatchStep:
    """The step of many replies that grow together, captured: the last token of each, [replies], to scores of the next,
    [replies, vocabulary], which the next step overwrites."""

    def __init__(self, decoder: "Decoder", cache: SharedPrefixCache) -> None:
        """cache: with fixed shapes."""
        import torch

        self.cache = cache
        self.ids = torch.zeros((len(cache.lengths), 1), dtype=torch.int64, device=decoder.device)
        tables = decoder.rotary_tables(int(cache.lengths.max()) + cache.room)

        def run() -> "Tensor":
            return decoder.logits(decoder.run_layers(self.ids, cache.begin(1), tables, cache)[:, -1])

        with torch.inference_mode():
            self._replay = captured(run, decoder.device.type)

    def __call__(self, ids: "Tensor") -> "Tensor":
        """Scores of what follows `ids`, which enter the cache."""
        self.ids.copy_(ids[:, None])
        scores = self._replay()
        self.cache.advance()
        return scores


def captured(run: "Callable[[], Tensor]", device: str) -> "Callable[[], Tensor]":
    """The same as `run`, captured as a CUDA graph where there is a GPU: the scores are always at one address."""
    import torch

    if device != "cuda":
        return run
    own = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    own.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(own):  # what is loaded or chosen at first use must not be captured
        run()
    torch.cuda.current_stream().wait_stream(own)
    graph = torch.cuda.CUDAGraph()
    try:  # another model may answer in another thread meanwhile
        with torch.cuda.graph(graph, capture_error_mode="thread_local"):
            scores = run()
    except RuntimeError:  # a kernel that cannot be captured: slower, but the same
        return run

    def replay() -> "Tensor":
        graph.replay()
        return scores

    return replay
