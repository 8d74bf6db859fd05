"""The queue of those who wait for a model."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock

__all__ = ["WaitingQueue"]


@dataclass
class WaitingQueue:
    """First come, first served, at most `places` at once; whoever waits can ask how many must finish before."""

    places: int = 2
    _tickets: list[object] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    @contextmanager
    def join(self) -> Iterator[Callable[[], int]]:
        """Stand in the queue until the block is left; yields a function that says how many must finish first, 0: go."""
        ticket = object()
        with self._lock:
            self._tickets.append(ticket)
        try:
            yield lambda: self._before(ticket)
        finally:
            with self._lock:
                self._tickets.remove(ticket)

    def _before(self, ticket: object) -> int:
        with self._lock:
            return max(0, self._tickets.index(ticket) + 1 - self.places)
