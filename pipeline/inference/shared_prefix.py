"""Keys and values of many continuations of few conversations."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline.inference.caches import KVCache

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["SharedPrefixCache"]


class SharedPrefixCache:
    """Continuations of conversations from many places at once, which share what they have in common.

    A conversation's keys are held once and its continuations attend to them together, each up to its own place; what
    each continuation adds has a buffer of its own. All continuations grow in step, one token at a time.

    They lie in a grid, a row for each conversation and as many cells as most of them have continuations. With `fixed`
    every step has the same shapes and addresses, as a CUDA graph needs it; without, it reads no further than it must.
    """

    def __init__(
        self, held: KVCache, rows: Sequence[int], lengths: Sequence[int], room: int, *, fixed: bool = False
    ) -> None:
        """Continuation j goes on from held's row rows[j] after lengths[j] tokens, for at most `room` tokens."""
        import torch

        keys = held.keys[0]
        self.room, self.fixed, self.grown = room, fixed, 0
        self.lengths = torch.as_tensor(lengths, device=keys.device)
        self._arrange(held, torch.as_tensor(rows, device=keys.device))
        shape = (self.cells, keys.shape[1], room, keys.shape[3])
        self.keys = [keys.new_zeros(shape) for _ in held.keys]
        self.values = [keys.new_zeros(shape) for _ in held.keys]

    @staticmethod
    def token_bytes(held: KVCache) -> int:
        """Memory that a token of one continuation takes."""
        return held.bytes // max(1, held.room * held.keys[0].shape[0])

    def keep(self, chosen: "Tensor") -> None:
        """Keep only these continuations, in this order."""
        own = self.cell[chosen]
        self.lengths = self.lengths[chosen]
        self._arrange(self.held, own // self.width)

        def moved(before: "Tensor") -> "Tensor":
            after = before.new_zeros((self.cells, *before.shape[1:]))
            after[self.cell, :, : self.grown] = before[own, :, : self.grown]
            return after

        self.keys, self.values = [*map(moved, self.keys)], [*map(moved, self.values)]

    def _arrange(self, held: KVCache, rows: "Tensor") -> None:
        """Lay out the grid: each continuation's cell, what is held, and which of it each may see."""
        import torch

        used, place = torch.unique(rows, return_inverse=True)
        counts = torch.bincount(place)
        order = place.argsort(stable=True)
        rank = torch.empty_like(place)
        rank[order] = torch.arange(len(place), device=place.device) - (counts.cumsum(0) - counts)[place[order]]
        self.width = int(counts.max())
        self.cell = place * self.width + rank
        self.cells = len(used) * self.width
        longest = int(self.lengths.max())
        self.held = KVCache(
            [t.index_select(0, used)[:, :, :longest].contiguous() for t in held.keys],
            [t.index_select(0, used)[:, :, :longest].contiguous() for t in held.values],
            held.lengths[used].clamp(max=longest),
        )
        lengths = torch.zeros(self.cells, dtype=torch.int64, device=place.device)
        lengths[self.cell] = self.lengths
        hidden = torch.arange(longest, device=place.device) >= lengths[:, None]
        self.bias = torch.zeros(hidden.shape, dtype=held.keys[0].dtype, device=place.device)
        self.bias = self.bias.masked_fill(hidden, -1e4).view(len(used), 1, self.width, 1, longest)
        self.at = torch.tensor([self.grown], device=place.device)
        later = torch.arange(self.room, device=place.device) > self.grown
        self.own_bias = torch.zeros(self.room, dtype=self.bias.dtype, device=place.device).masked_fill(later, -1e4)

    def begin(self, count: int) -> "Tensor":
        """Positions of the next token of each continuation, int64 [continuations, 1]."""
        if count != 1:
            raise ValueError("continuations grow one token at a time")
        return (self.lengths + self.at)[:, None]

    def attend(self, layer: int, query: "Tensor", key: "Tensor", value: "Tensor", scale: float) -> "Tensor":
        """As `KVCache.attend`, for one token a continuation."""
        import torch

        count, heads, _, size = query.shape
        held_keys, held_values = self.held.keys[layer], self.held.values[layer]
        conversations, kv_heads, length, _ = held_keys.shape
        group, width, cells = heads // kv_heads, self.width, self.cells
        own_keys, own_values = self.keys[layer], self.values[layer]
        own_keys[self.cell, :, self.at] = key[:, :, 0]
        own_values[self.cell, :, self.at] = value[:, :, 0]
        if not self.fixed:
            own_keys, own_values = own_keys[:, :, : self.grown + 1], own_values[:, :, : self.grown + 1]

        def by_conversation(x: "Tensor") -> "Tensor":  # [cells, kv heads, group, n]
            x = x.view(conversations, width, kv_heads, group, -1).transpose(1, 2)
            return x.reshape(conversations, kv_heads, width * group, -1)

        def by_cell(x: "Tensor") -> "Tensor":  # [conversations, kv heads, width * group, n]
            return x.view(conversations, kv_heads, width, group, -1).transpose(1, 2).reshape(cells, kv_heads, group, -1)

        asked = query.new_zeros((cells, kv_heads, group, size))
        asked[self.cell] = query.view(count, kv_heads, group, size) * scale
        shared = by_conversation(asked) @ held_keys.transpose(2, 3)
        shared = shared.view(conversations, kv_heads, width, group, length).add_(self.bias)
        own = asked @ own_keys.transpose(2, 3)
        if self.fixed:
            own += self.own_bias
        scores = torch.cat([shared.view(conversations, kv_heads, width * group, length), by_conversation(own)], dim=-1)
        weights = scores.softmax(-1)
        out = by_cell(weights[..., :length] @ held_values) + by_cell(weights[..., length:]) @ own_values
        return out[self.cell].reshape(count, 1, heads * size)

    def advance(self, used: "Tensor | int" = 1) -> None:
        """Count the new token of each continuation as held."""
        self.grown += 1
        self.at += 1
        if self.grown < self.room:
            self.own_bias[self.grown] = 0
