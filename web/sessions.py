"""Whose page is whose: each session of Gradio's belongs to the browser that opened it, and so does all it asked for.

Gradio hands a session's output to whoever knows its hash, keeps the values of closed pages for good, and lets one page
fill the queue. Here a hash is bound to a visitor (the name of their workspace) at its first use, counted, and dropped.
"""

from __future__ import annotations

import re
import time
from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from threading import RLock
from typing import Protocol

from pipeline.store import limits
from web.asgi import Refused

__all__ = ["Pages", "Sessions"]

HASH = re.compile(r"[A-Za-z0-9_-]{1,64}")
CLOSED_SECONDS = 600.0  # that a closed page's values are kept: a laptop's lid, a lost connection
NOT_YOURS = "This page is not known here any more: reload it."


class Pages(Protocol):
    """What Gradio keeps of its pages."""

    def waiting(self) -> list[tuple[str, int]]:
        """(session, function) of every event that waits or runs."""

    def knows(self, function: int) -> bool:
        """Whether the page has such a function."""

    def session_of(self, event: str) -> str | None:
        """Whose session an event that waits or runs is of."""

    def drop(self, session: str) -> None:
        """Forget everything of a session, and end what it waits for."""

    def reset(self, session: str) -> None:
        """Forget a session's values; it goes on as a new one."""


@dataclass
class Sessions:
    """The visitors' sessions and uploads that are on their way; methods may be called from any thread."""

    pages: Pages
    _visitors: OrderedDict[str, str] = field(default_factory=OrderedDict)  # of each session, least recently used first
    _open: Counter[str] = field(default_factory=Counter)  # heartbeats of each session
    _closed_at: dict[str, float] = field(default_factory=dict)
    _ending: set[str] = field(default_factory=set)  # to be dropped as soon as they are closed
    _uploads: OrderedDict[str, str] = field(default_factory=OrderedDict)
    _lock: RLock = field(default_factory=RLock)

    def claim(self, session: object, visitor: str) -> str:
        """The session, which is this visitor's from now on. Raises Refused where it is another's or one too many."""
        if not isinstance(session, str) or not HASH.fullmatch(session):
            raise Refused(404, NOT_YOURS)
        with self._lock:
            owner = self._visitors.get(session)
            if owner is None:
                self._make_room(visitor)
                self._closed_at[session] = time.monotonic()  # until its heartbeat begins
            elif owner != visitor:
                raise Refused(404, NOT_YOURS)
            self._visitors[session] = visitor
            self._visitors.move_to_end(session)
        return session

    def check(self, session: object, visitor: str) -> None:
        """Raise Refused where this session is not this visitor's."""
        with self._lock:
            if not isinstance(session, str) or self._visitors.get(session) != visitor:
                raise Refused(404, NOT_YOURS)

    def check_event(self, event: object, session: object) -> None:
        """Raise Refused where this event is of another session."""
        known = self.pages.session_of(event) if isinstance(event, str) else None
        if known is not None and known != session:
            raise Refused(404, NOT_YOURS)

    def check_join(self, session: str, function: object, visitor: str) -> None:
        """Raise Refused where there is no such function, or where too much is waiting already."""
        if not isinstance(function, int) or isinstance(function, bool) or not self.pages.knows(function):
            raise Refused(404, NOT_YOURS)
        most = limits()
        waiting = self.pages.waiting()
        with self._lock:
            mine = [place for name, place in waiting if self._visitors.get(name) == visitor]
        if not most.same_events.allows(mine.count(function) + 1):
            raise Refused(429, most.same_events)
        if not most.events.allows(len(mine) + 1):
            raise Refused(429, most.events)
        if not most.events_in_all.allows(len(waiting) + 1):
            raise Refused(503, most.events_in_all)

    def claim_upload(self, upload: str, visitor: str) -> None:
        """Bind an upload's id, under which its progress is told, to this visitor. Raises Refused for another's."""
        if not HASH.fullmatch(upload):
            raise Refused(404, NOT_YOURS)
        with self._lock:
            if self._uploads.setdefault(upload, visitor) != visitor:
                raise Refused(404, NOT_YOURS)
            while len(self._uploads) > limits().events_in_all.most:
                self._uploads.popitem(last=False)

    def opened(self, session: str) -> None:
        """A page's heartbeat began."""
        with self._lock:
            self._open[session] += 1
            self._closed_at.pop(session, None)

    def closed(self, session: str) -> None:
        """A page's heartbeat ended; its values go after a grace, or at once where its visitor deleted all."""
        with self._lock:
            self._open[session] -= 1
            if self._open[session] <= 0:
                del self._open[session]
                self._closed_at[session] = time.monotonic()
                if session in self._ending:
                    self._drop(session)

    def sweep(self, now: float | None = None) -> None:
        """Drop the sessions whose page was closed long ago."""
        now = time.monotonic() if now is None else now
        with self._lock:
            for session in [s for s, at in self._closed_at.items() if now - at > CLOSED_SECONDS]:
                self._drop(session)

    def forget(self, visitor: str, but: str | None = None) -> None:
        """Drop a visitor's sessions; `but`, on which they asked for it, as soon as its page is closed."""
        with self._lock:
            for session in [s for s, owner in self._visitors.items() if owner == visitor]:
                if session == but:
                    self.pages.reset(session)
                    self._ending.add(session)
                else:
                    self._drop(session)
            for upload in [u for u, owner in self._uploads.items() if owner == visitor]:
                del self._uploads[upload]

    def __len__(self) -> int:
        return len(self._visitors)

    def _make_room(self, visitor: str) -> None:
        """Drop what is closed, or a visitor's oldest page, where one more would be too many."""
        mine = [s for s, owner in self._visitors.items() if owner == visitor]
        if not limits().sessions.allows(len(mine) + 1):
            self._drop(next((s for s in mine if s not in self._open), mine[0]))
        if not limits().sessions_in_all.allows(len(self._visitors) + 1):
            closed = next((s for s in self._visitors if s not in self._open), None)
            if closed is None:
                raise Refused(503, limits().sessions_in_all)
            self._drop(closed)

    def _drop(self, session: str) -> None:
        self._visitors.pop(session, None)
        self._closed_at.pop(session, None)
        self._ending.discard(session)
        self.pages.drop(session)
