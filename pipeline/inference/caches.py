"""Keys and values of token sequences: of a batch, of continuations that share a beginning, of a tree of candidates."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor, device

__all__ = ["KVCache", "SharedPrefixCache", "TreeAttentionCache", "join"]


@dataclass
class KVCache:
    """Keys and values of a batch of token sequences, row b filled up to lengths[b] (all rows start at position 0).

    keys, values: one tensor a layer, [rows, kv heads, room, head size]; lengths: int64 [rows]. New tokens follow rows
    of equal length (a fresh batch, or a single row).
    """

    keys: "list[Tensor]"
    values: "list[Tensor]"
    lengths: "Tensor"

    @property
    def room(self) -> int:
        """Tokens that fit in a row before the buffer must grow."""
        return int(self.keys[0].shape[2])

    @property
    def bytes(self) -> int:
        """Memory that the buffers take."""
        return sum(t.numel() * t.element_size() for t in (*self.keys, *self.values))

    def crop(self, length: int) -> int:
        """Forget what is held beyond `length` tokens, the buffers stay; returns how many are held then."""
        self.lengths = self.lengths.clamp(max=length)
        return int(self.lengths[0])

    def grow(self, length: int) -> None:
        """Have room for `length` tokens a row; in steps, so that a long reply copies the buffer few times."""
        if length > self.room:
            room = max(length, self.room + 256)
            self.keys = [_with_room(t, room) for t in self.keys]
            self.values = [_with_room(t, room) for t in self.values]

    def begin(self, count: int) -> "Tensor":
        """Make room for `count` more tokens a row; their positions, int64 [rows or 1, count]."""
        import torch

        self._start = int(self.lengths[0])
        self._end = self._start + count
        self.grow(self._end)
        positions = torch.arange(self._start, self._end, device=self.lengths.device)
        self._mask = None
        if count > 1 and self._start:
            self._mask = torch.arange(self._end, device=positions.device) <= positions[:, None]
        return positions[None]

    def attend(self, layer: int, query: "Tensor", key: "Tensor", value: "Tensor", scale: float) -> "Tensor":
        """Keep what is new and attend to all: [rows, tokens, width].

        query: [rows, heads, tokens, head size]; key, value: [rows, kv_heads, tokens, head size].
        """
        from torch.nn.functional import scaled_dot_product_attention as attention

        rows, heads, count, size = query.shape
        keys, values = self.keys[layer], self.values[layer]
        keys[:, :, self._start : self._end], values[:, :, self._start : self._end] = key, value
        keys, values = keys[:, :, : self._end], values[:, :, : self._end]
        group_size = heads // keys.shape[1]
        if count == 1:  # the heads of a group share its keys without copies
            out = attention(query.view(rows, heads // group_size, group_size, size), keys, values, scale=scale)
            return out.reshape(rows, 1, heads * size)
        if group_size > 1:
            keys, values = keys.repeat_interleave(group_size, 1), values.repeat_interleave(group_size, 1)
        out = attention(query, keys, values, attn_mask=self._mask, is_causal=self._mask is None, scale=scale)
        return out.transpose(1, 2).reshape(rows, count, heads * size)

    def advance(self, used: "Tensor | int") -> None:
        """Count `used` new tokens a row as held; of a padded row only the real ones."""
        self.lengths = self.lengths + used


def join(parts: Sequence[KVCache]) -> KVCache:
    """One batch of the rows of several."""
    import torch

    room = max(part.room for part in parts)
    layers = range(len(parts[0].keys))
    return KVCache(
        keys=[torch.cat([_with_room(part.keys[i], room) for part in parts]) for i in layers],
        values=[torch.cat([_with_room(part.values[i], room) for part in parts]) for i in layers],
        lengths=torch.cat([part.lengths for part in parts]),
    )


def _with_room(tensor: "Tensor", room: int) -> "Tensor":
    rows, heads, length, size = tensor.shape
    if room == length:
        return tensor
    roomy = tensor.new_zeros((rows, heads, room, size))
    roomy[:, :, :length] = tensor
    return roomy


class SharedPrefixCache:
    """Continuations of conversations from many places at once, which share what they have in common.

    A conversation's keys are held once and its continuations attend to them together, each up to its own place; what
    each continuation adds has a buffer of its own. All continuations grow in step, one token at a time.
    """

    def __init__(self, held: KVCache, rows: Sequence[int], lengths: Sequence[int], room: int) -> None:
        """Continuation j goes on from held's row rows[j] after lengths[j] tokens, for at most `room` tokens."""
        import torch

        self.held = held
        self.grown = 0
        keys = held.keys[0]
        shape = (len(rows), keys.shape[1], room, keys.shape[3])
        self.keys = [keys.new_zeros(shape) for _ in held.keys]
        self.values = [keys.new_zeros(shape) for _ in held.keys]
        self.rows = torch.as_tensor(rows, device=keys.device)
        self.lengths = torch.as_tensor(lengths, device=keys.device)
        self._arrange()

    def keep(self, chosen: "Tensor") -> None:
        """Keep only these continuations, in this order."""
        self.keys = [t.index_select(0, chosen) for t in self.keys]
        self.values = [t.index_select(0, chosen) for t in self.values]
        self.rows, self.lengths = self.rows[chosen], self.lengths[chosen]
        self._arrange()

    def _arrange(self) -> None:
        """A grid of conversations by continuations: the place of each, and which keys each may see."""
        import torch

        used, place = torch.unique(self.rows, return_inverse=True)
        order = place.argsort(stable=True)
        counts = torch.bincount(place)
        first = counts.cumsum(0) - counts
        rank = torch.empty_like(place)
        rank[order] = torch.arange(len(place), device=place.device) - first[place[order]]
        self.width = int(counts.max())
        self.cells = place * self.width + rank
        if len(used) < self.held.keys[0].shape[0]:
            self.held = KVCache(
                [t.index_select(0, used) for t in self.held.keys],
                [t.index_select(0, used) for t in self.held.values],
                self.held.lengths[used],
            )
            self.rows = place
        positions = torch.arange(self.held.room, device=place.device)
        self.hidden = (positions >= self.lengths[:, None])[:, None, None]

    def begin(self, count: int) -> "Tensor":
        """Positions of the next token of each continuation, int64 [continuations, 1]."""
        if count != 1:
            raise ValueError("continuations grow one token at a time")
        return (self.lengths + self.grown)[:, None]

    def attend(self, layer: int, query: "Tensor", key: "Tensor", value: "Tensor", scale: float) -> "Tensor":
        """As `KVCache.attend`, for one token a continuation."""
        import torch

        count, heads, _, size = query.shape
        held_keys, held_values = self.held.keys[layer], self.held.values[layer]
        conversations, kv_heads = held_keys.shape[:2]
        group_size = heads // kv_heads
        upto = self.grown + 1
        self.keys[layer][:, :, self.grown : upto], self.values[layer][:, :, self.grown : upto] = key, value
        own_keys, own_values = self.keys[layer][:, :, :upto], self.values[layer][:, :, :upto]
        query = query.view(count, kv_heads, group_size, size) * scale

        def to_grid(
            x: "Tensor",
        ) -> "Tensor":  # [count, kv_heads, group_size, n] -> [conversations, kv_heads, width * group_size, n]
            grid = x.new_zeros((conversations * self.width, *x.shape[1:]))
            grid[self.cells] = x
            grid = grid.view(conversations, self.width, kv_heads, group_size, -1).transpose(1, 2)
            return grid.reshape(conversations, kv_heads, self.width * group_size, -1)

        def from_grid(x: "Tensor") -> "Tensor":
            grid = x.view(conversations, kv_heads, self.width, group_size, -1).transpose(1, 2)
            return grid.reshape(conversations * self.width, kv_heads, group_size, -1)[self.cells]

        shared = from_grid(to_grid(query) @ held_keys.transpose(2, 3)).masked_fill(self.hidden, float("-inf"))
        own = query @ own_keys.transpose(2, 3)
        weights = torch.cat([shared, own], dim=-1).softmax(-1, dtype=torch.float32).to(query.dtype)
        out = from_grid(to_grid(weights[..., :-upto]) @ held_values) + weights[..., -upto:] @ own_values
        return out.reshape(count, 1, heads * size)

    def advance(self, used: "Tensor | int") -> None:
        """Count the new token of each continuation as held."""
        self.grown += 1


class TreeAttentionCache:
    """What a prompt and its candidate replies attend to when read as one sequence: each candidate sees the prompt and
    itself. Nothing of it is kept.

    before: for each token of the candidates, in order, the index of the token that comes before it.
    """

    def __init__(self, prompt: int, candidates: Sequence[int], on: "device | str") -> None:
        import torch

        owner = [0] * prompt + [number for number, count in enumerate(candidates, 1) for _ in range(count)]
        places = [*range(prompt), *(prompt + i for count in candidates for i in range(count))]
        owners = torch.tensor(owner, device=on)
        self.positions = torch.tensor(places, device=on)
        seen = (owners[None] == 0) | (owners[None] == owners[:, None])
        self.mask = seen & (self.positions[None] <= self.positions[:, None])
        self.before = [prompt - 1 if places[i] == prompt else i - 1 for i in range(prompt, len(places))]

    def begin(self, count: int) -> "Tensor":
        """Positions of the tokens, int64 [1, tokens]."""
        return self.positions[None]

    def attend(self, layer: int, query: "Tensor", key: "Tensor", value: "Tensor", scale: float) -> "Tensor":
        """As `KVCache.attend`, for the whole sequence at once."""
        from torch.nn.functional import scaled_dot_product_attention as attention

        rows, heads, count, size = query.shape
        group_size = heads // key.shape[1]
        if group_size > 1:
            key, value = key.repeat_interleave(group_size, 1), value.repeat_interleave(group_size, 1)
        out = attention(query, key, value, attn_mask=self.mask, scale=scale)
        return out.transpose(1, 2).reshape(rows, count, heads * size)

    def advance(self, used: "Tensor | int") -> None:
        """Nothing is held, so nothing is counted."""
