"""One way for a long task to say how far it is, and one way to end it early.

Whoever starts a task makes a Progress (a bar on the command line, a bar on the page, nothing in a test) and hands it
over. The task calls it, and gives parts of it to the tasks that it is made of, so that one bar runs from end to end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pipeline.errors import ChatError

__all__ = ["SILENT", "CancelledError", "Progress"]


class CancelledError(ChatError):
    """The task was ended early by whoever started it."""

    def __init__(self) -> None:
        super().__init__("Stopped as asked, before it was done.")


@dataclass
class Progress:
    """How far a task is, told as `progress(done, of, what)`: 3, 10, "Reading". The share shown never falls.

    show: gets the share done, from 0 to 1, and what is being done. cancelled_by: asked at every telling; once it says
    yes the telling raises CancelledError, so a task that tells is a task that can be cancelled.
    """

    show: Callable[[float, str], None] = lambda share, what: None
    cancelled_by: Callable[[], bool] = lambda: False
    what: str = ""
    share: float = 0.0
    given: float = 0.0  # the share that belongs to parts so far

    @property
    def cancelled(self) -> bool:
        """Whether the task is to end; for tasks that must see to something first."""
        return self.cancelled_by()

    def __call__(self, done: float, of: float = 1.0, what: str | None = None) -> None:
        """Tell how much is done of how much; what is being done stays as it was where nothing is said."""
        self.share = max(self.share, min(1.0, done / of) if of else 1.0)
        self.what = what or self.what
        self.show(self.share, self.what)
        if self.cancelled:
            raise CancelledError

    def part(self, share: float, what: str | None = None) -> Progress:
        """The progress of the next part of this task, which takes such a share of it; parts follow one another.

        A part with a name of its own is shown under it alone; one without shows what its task says.
        """
        start = self.given
        self.given = end = min(1.0, start + share)

        def show(done: float, said: str) -> None:
            self(start + (end - start) * done, what=what or said)

        return Progress(show, self.cancelled_by)


SILENT = Progress()  # tells nobody and cannot be cancelled
