"""The caches of conversations between turns, so that a next turn reads only what is new."""

from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.inference.caches import KVCache
    from pipeline.inference.transformers_decoder import TransformersCache

__all__ = ["CachedConversation", "PrefixCache"]


@dataclass
class CachedConversation:
    """One conversation between turns: the ids read so far and their keys and values."""

    ids: list[int]
    cache: "KVCache | TransformersCache"


@dataclass
class PrefixCache:
    """Cached conversations, each found again by its key and by no other.

    Bounded in number and bytes; the least recently used goes first. A reply takes its cache out while it runs, so two
    replies at once never write into one buffer.
    """

    most: int = 8
    most_bytes: int = 2 * 1024**3
    _conversations: "OrderedDict[str, CachedConversation]" = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def take(self, cache_key: str) -> CachedConversation | None:
        """The conversation under this key, taken out; None where there is none or another reply has it."""
        with self._lock:
            return self._conversations.pop(cache_key, None)

    def put(self, cache_key: str, conversation: CachedConversation) -> None:
        """Keep a conversation for its next turn, and drop the oldest of others where there is too much."""
        with self._lock:
            self._conversations.pop(cache_key, None)
            self._conversations[cache_key] = conversation
            while (
                len(self._conversations) > self.most
                or sum(c.cache.bytes for c in self._conversations.values()) > self.most_bytes
            ):
                self._conversations.popitem(last=False)

    @property
    def bytes(self) -> int:
        """Memory that all of them take."""
        return sum(conversation.cache.bytes for conversation in self._conversations.values())

    def forget(self, cache_key: str) -> None:
        """Drop what is kept under this key."""
        self.take(cache_key)

    def __len__(self) -> int:
        return len(self._conversations)
