"""The caches of conversations between turns, so that a next turn reads only what is new."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.inference.caches import KVCache
    from pipeline.inference.transformers_decoder import TransformersCache

__all__ = ["CachedConversation", "PrefixCache"]


@dataclass
class CachedConversation:
    """One conversation between turns: the ids read so far and their keys and values.

    forgotten: whoever it is of deleted it while a reply is being made: that ends, and nothing is kept.
    """

    ids: list[int]
    cache: "KVCache | TransformersCache"
    forgotten: bool = False


@dataclass
class PrefixCache:
    """Cached conversations, each found again by its key and by no other.

    Bounded in number and bytes; the least recently used goes first. A reply takes its cache out while it runs, so two
    replies at once never write into one buffer.
    """

    most: int = 8
    most_bytes: int = 2 * 1024**3
    _conversations: "OrderedDict[str, CachedConversation]" = field(default_factory=OrderedDict)
    _answering: list[tuple[str, CachedConversation]] = field(default_factory=list)  # those that are taken out
    _lock: Lock = field(default_factory=Lock)

    def begin(self, cache_key: str, empty: Callable[[], CachedConversation]) -> CachedConversation:
        """The conversation under this key (an empty one where there is none), taken out until a reply puts it back."""
        with self._lock:
            conversation = self._conversations.pop(cache_key, None) or empty()
            self._answering.append((cache_key, conversation))
            return conversation

    def take(self, cache_key: str) -> CachedConversation | None:
        """The conversation under this key, taken out; None where there is none or another reply has it."""
        with self._lock:
            return self._conversations.pop(cache_key, None)

    def put(self, cache_key: str, conversation: CachedConversation) -> None:
        """Keep a conversation for its next turn, and drop the oldest of others where there is too much.

        One that was forgotten since it was taken out is not kept.
        """
        with self._lock:
            self._answering = [(key, other) for key, other in self._answering if other is not conversation]
            if conversation.forgotten:
                return
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

    def forget(self, owner: str) -> None:
        """Drop what is kept under this key, and under every key that begins with it and a slash.

        A reply that is being made for one of them ends, and keeps nothing.
        """

        def is_theirs(key: str) -> bool:
            return key == owner or key.startswith(f"{owner}/")

        with self._lock:
            for key in [key for key in self._conversations if is_theirs(key)]:
                del self._conversations[key]
            for key, conversation in self._answering:
                if is_theirs(key):
                    conversation.forgotten = True

    def __len__(self) -> int:
        return len(self._conversations)
