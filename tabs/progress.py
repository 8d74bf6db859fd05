"""A task's progress on the page: as the bar over a component, or as values to draw one's own with."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from queue import SimpleQueue
from typing import TypeVar

import gradio as gr

from pipeline.progress import Progress

__all__ = ["growing", "on_page"]


T = TypeVar("T")
D = TypeVar("D")


def on_page(bar: gr.Progress) -> Progress:
    """A task's progress as the bar that Gradio draws over the outputs of the handler."""
    return Progress(lambda share, what: bar(share, desc=what))


def growing(task: Callable[[Progress], T], draw: Callable[[float, str], D]) -> Generator[D, None, T]:
    """Run a task, yield what `draw` makes of (share done, what is being done) as it tells, and return what it returns.

    Whoever leaves the generator cancels the task. Raises what the task raises.
    """
    told: SimpleQueue[tuple[float, str] | None] = SimpleQueue()
    left = threading.Event()
    failed: list[BaseException] = []
    made: list[T] = []

    def work() -> None:
        try:
            made.append(task(Progress(lambda share, what: told.put((share, what)), left.is_set)))
        except BaseException as error:
            failed.append(error)
        finally:
            told.put(None)

    threading.Thread(target=work, daemon=True).start()
    try:
        while (now := told.get()) is not None:
            yield draw(*now)
    finally:
        left.set()
    if failed:
        raise failed[0]
    return made[0]
