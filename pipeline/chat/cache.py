"""Keys and values of conversations: a buffer with room to grow, forked, cropped and kept between turns."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Kept", "KeptConversations", "KeyValues"]


@dataclass
class KeyValues:
    """Keys and values of a batch of token sequences, row b filled up to lengths[b] (all rows start at position 0).

    keys, values: one tensor a layer, [rows, heads, room, head size]; lengths: int64 [rows].
    """

    keys: "list[Tensor]"
    values: "list[Tensor]"
    lengths: "Tensor"

    @property
    def rows(self) -> int:
        """Sequences in the batch."""
        return int(self.lengths.shape[0])

    @property
    def room(self) -> int:
        """Tokens that fit in a row before the buffer must grow."""
        return int(self.keys[0].shape[2])

    @property
    def bytes(self) -> int:
        """Memory that the buffers take."""
        return sum(t.numel() * t.element_size() for t in (*self.keys, *self.values))

    def grow(self, room: int) -> None:
        """Make room for `room` tokens a row, in steps, so that a long reply copies the buffer few times."""
        if room <= self.room:
            return
        room = max(room, self.room + 256)
        self.keys = [_with_room(t, room) for t in self.keys]
        self.values = [_with_room(t, room) for t in self.values]

    def crop(self, length: int) -> None:
        """Forget what a single row holds beyond `length` tokens; the buffers stay."""
        self.lengths = self.lengths.clamp(max=length)

    def fork(self, rows: Sequence[int], lengths: Sequence[int], room: int) -> "KeyValues":
        """A new batch whose row j is this batch's row rows[j] cut at lengths[j] tokens, with `room` tokens a row."""
        import torch

        longest = max(lengths)
        index = torch.as_tensor(rows, device=self.lengths.device)
        return KeyValues(
            keys=[_with_room(t[:, :, :longest].index_select(0, index), max(room, longest)) for t in self.keys],
            values=[_with_room(t[:, :, :longest].index_select(0, index), max(room, longest)) for t in self.values],
            lengths=torch.as_tensor(lengths, dtype=torch.int64, device=self.lengths.device),
        )

    def keep_rows(self, rows: "Tensor") -> None:
        """Keep only these rows of the batch, in this order."""
        self.keys = [t.index_select(0, rows) for t in self.keys]
        self.values = [t.index_select(0, rows) for t in self.values]
        self.lengths = self.lengths.index_select(0, rows)


def join(parts: "Sequence[KeyValues]") -> KeyValues:
    """One batch of several that have the same room."""
    import torch

    layers = range(len(parts[0].keys))
    return KeyValues(
        keys=[torch.cat([part.keys[i] for part in parts]) for i in layers],
        values=[torch.cat([part.values[i] for part in parts]) for i in layers],
        lengths=torch.cat([part.lengths for part in parts]),
    )


def _with_room(tensor: "Tensor", room: int) -> "Tensor":
    rows, heads, length, size = tensor.shape
    roomy = tensor.new_zeros((rows, heads, room, size))
    roomy[:, :, :length] = tensor
    return roomy


@dataclass
class Kept:
    """What is kept of one visitor's conversation between turns: the ids seen so far and their keys and values."""

    ids: list[int]
    cache: KeyValues


@dataclass
class KeptConversations:
    """Caches kept between turns, each found again by the visitor who made it and by no one else.

    Bounded in number and bytes; the least recently used goes first. A reply takes its cache out while it runs, so two
    replies at once never write into one buffer.
    """

    most: int = 8
    most_bytes: int = 2 * 1024**3
    _kept: "OrderedDict[str, Kept]" = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def take(self, visitor: str) -> Kept | None:
        """This visitor's cache, taken out; None where there is none or another reply has it."""
        with self._lock:
            return self._kept.pop(visitor, None)

    def put(self, visitor: str, kept: Kept) -> None:
        """Keep a visitor's cache for the next turn, and drop the oldest of others where there is too much."""
        with self._lock:
            self._kept.pop(visitor, None)
            self._kept[visitor] = kept
            while len(self._kept) > self.most or sum(k.cache.bytes for k in self._kept.values()) > self.most_bytes:
                self._kept.popitem(last=False)

    def forget(self, visitor: str) -> None:
        """Drop what is kept of a visitor."""
        self.take(visitor)

    def __len__(self) -> int:
        return len(self._kept)
