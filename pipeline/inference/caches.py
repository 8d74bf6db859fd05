"""Keys and values of token sequences: of a batch, and of prompts that are read with several candidate replies each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor, device

__all__ = ["KVCache", "TreeAttentionCache", "join"]


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

    def repeated(self, rows: int, room: int) -> "KVCache":
        """A batch of which every row begins with what this one, of a single row, holds."""
        length = int(self.lengths[0])

        def repeat(held: "Tensor") -> "Tensor":
            roomy = held.new_zeros((rows, held.shape[1], max(room, length), held.shape[3]))
            roomy[:, :, :length] = held[:, :, :length]
            return roomy

        return KVCache([*map(repeat, self.keys)], [*map(repeat, self.values)], self.lengths.repeat(rows))

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


class TreeAttentionCache:
    """What prompts and their candidate replies attend to, a prompt and all its candidates being one sequence in which
    each candidate sees the prompt and itself. Nothing of it is kept.

    prefix: of one row, what stands before each of the prompts. before: of each row, for each token of the candidates,
    in order, the index of the token that comes before it.
    """

    def __init__(
        self,
        prompts: Sequence[int],
        candidates: Sequence[Sequence[int]],
        on: "device | str",
        prefix: KVCache | None = None,
    ) -> None:
        """prompts: their lengths without the prefix. candidates: the lengths of each one's candidates."""
        import torch

        self.prefix = prefix
        start = int(prefix.lengths[0]) if prefix else 0
        sizes = [prompt + sum(counts) for prompt, counts in zip(prompts, candidates, strict=True)]
        shape = (len(sizes), max(sizes))
        places, owners = torch.zeros(shape, dtype=torch.int64), torch.full(shape, -1)  # -1: padding, which nobody sees
        self.before: list[list[int]] = []
        for row, (prompt, counts, size) in enumerate(zip(prompts, candidates, sizes, strict=True)):
            owner = [0] * prompt + [number for number, count in enumerate(counts, 1) for _ in range(count)]
            place = [*range(prompt), *(prompt + i for count in counts for i in range(count))]
            owners[row, :size], places[row, :size] = torch.tensor(owner), torch.tensor(place)
            self.before.append([prompt - 1 if place[i] == prompt else i - 1 for i in range(prompt, size)])
        seen = (owners[:, None] == 0) | (owners[:, None] == owners[:, :, None])
        mask = seen & (places[:, None] <= places[:, :, None])
        self.mask = torch.nn.functional.pad(mask, (start, 0), value=True)[:, None].to(on)
        self.positions = (places + start).to(on)

    def begin(self, count: int) -> "Tensor":
        """Positions of the tokens, int64 [rows, tokens]."""
        return self.positions

    def attend(self, layer: int, query: "Tensor", key: "Tensor", value: "Tensor", scale: float) -> "Tensor":
        """As `KVCache.attend`, for the whole sequences at once."""
        import torch
        from torch.nn.functional import scaled_dot_product_attention as attention

        rows, heads, count, size = query.shape
        if self.prefix is not None:
            start = int(self.mask.shape[-1]) - count
            before = (
                held[layer][:, :, :start].expand(rows, -1, -1, -1) for held in (self.prefix.keys, self.prefix.values)
            )
            key, value = (torch.cat(pair, dim=2) for pair in zip(before, (key, value), strict=True))
        group_size = heads // key.shape[1]
        if group_size > 1:
            key, value = key.repeat_interleave(group_size, 1), value.repeat_interleave(group_size, 1)
        out = attention(query, key, value, attn_mask=self.mask, scale=scale)
        return out.transpose(1, 2).reshape(rows, count, heads * size)

    def advance(self, used: "Tensor | int") -> None:
        """Nothing is held, so nothing is counted."""
