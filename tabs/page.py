"""gr.Blocks as this app needs it: no error quotes anybody, and what it keeps of a page can be counted and dropped.

Everything here that reaches into Gradio's insides was read in 6.31, the version that is pinned.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import gradio as gr

from pipeline.errors import described
from web.sessions import Sessions

__all__ = ["GENERIC", "TITLE", "Page", "sentence"]

log = logging.getLogger("chat_twin")
GENERIC = "Something went wrong on our side; nothing of yours is lost. Please try again."
STALE = "This page is older than what it shows, or a value on it cannot be used: reload the page."
TITLE = "That did not work"


def sentence(text: str) -> gr.Error:
    """What the page shows of an error, and the log does not."""
    return gr.Error(text, title=TITLE, duration=12, print_exception=False)


class Page(gr.Blocks):
    """A page whose errors are one sentence each; `sessions` says whose session is whose."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.kept = GradioPages(self)
        self.sessions = Sessions(self.kept)

    async def process_api(self, *args: Any, **settings: Any) -> dict[str, Any]:
        """As Gradio's; what it raises quotes no value, neither on the page nor in the log, where Gradio prints it."""
        try:
            return await super().process_api(*args, **settings)
        except gr.Error as error:
            if not error.print_exception:  # one of ours
                raise
            raise sentence(STALE) from None
        except Exception as error:
            log.error("%s", described(error))
            raise sentence(GENERIC) from None


class GradioPages:
    """What Gradio keeps of its pages, for `web.sessions`."""

    def __init__(self, demo: gr.Blocks) -> None:
        self.demo = demo
        self.loop: asyncio.AbstractEventLoop | None = None  # of the server, once it runs

    def waiting(self) -> list[tuple[str, int]]:
        """(session, function) of every event that waits or runs."""
        return [(event.session_hash, event.fn._id) for event in list(self._queue.event_ids_to_events.values())]

    def knows(self, function: int) -> bool:
        """Whether the page has such a function."""
        return function in self.demo.fns

    def session_of(self, event: str) -> str | None:
        """Whose session an event that waits or runs is of."""
        found = self._queue.event_ids_to_events.get(event)
        return None if found is None else str(found.session_hash)

    def reset(self, session: str) -> None:
        """Forget a session's values; it goes on as a new one."""
        holder = self.demo.state_holder
        with holder.lock:
            holder.session_data.pop(session, None)
            holder.time_last_used.pop(session, None)
        for kept in self.demo.temp_file_sets:  # names of files that were uploaded; nothing reads them here
            kept.clear()

    def drop(self, session: str) -> None:
        """Forget everything of a session, and end what it waits for."""
        self.reset(session)
        if self.loop is not None and self.loop.is_running():
            asyncio.run_coroutine_threadsafe(self._end(session), self.loop)

    async def _end(self, session: str) -> None:
        await self._queue.clean_events(session_hash=session)
        self._queue.pending_messages_per_session.pop(session, None)
        self._queue.pending_event_ids_session.pop(session, None)
        for streams in (self.demo.pending_streams, self.demo.pending_diff_streams):
            streams.pop(session, None)

    @property
    def _queue(self) -> Any:
        return self.demo._queue
