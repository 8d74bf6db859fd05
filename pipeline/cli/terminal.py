"""What the command line prints with: a progress bar on stderr, one line of JSON or a text on stdout."""

import json
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from rich.console import Console

from pipeline.errors import ChatError
from pipeline.progress import Progress

__all__ = ["bar", "checked", "count", "say", "show"]

say = Console(stderr=True, highlight=False, soft_wrap=True)

Config = TypeVar("Config", bound=BaseModel)


@contextmanager
def bar(what: str) -> Iterator[Progress]:
    """The bar of a task, which leaves nothing behind; none where stderr is no terminal. Ctrl-C cancels the task."""
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeRemainingColumn())
    with Bars(*columns, console=say, transient=True, disable=not say.is_terminal) as bars, _interrupted() as cancelled:
        task = bars.add_task(what, total=1.0)

        def draw(done: float, doing: str) -> None:
            bars.update(task, completed=done, description=doing or what)

        yield Progress(draw, cancelled.is_set)


@contextmanager
def _interrupted() -> Iterator[threading.Event]:
    """Set by Ctrl-C inside this block; a second one interrupts as ever, for a task that seldom tells how far it is."""
    cancelled = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield cancelled
        return

    def cancel(*_: object) -> None:
        cancelled.set()
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, cancel)
    try:
        yield cancelled
    finally:
        signal.signal(signal.SIGINT, before)


def show(text: str, data: dict[str, Any], as_json: bool) -> None:
    """The result of a command: `text` for people, or `data` as one line for scripts."""
    print(json.dumps(data, ensure_ascii=False, default=str) if as_json else text)


def count(number: int, one: str, many: str | None = None) -> str:
    """A number with its noun: 1 message, 2,866 messages."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def checked(make: Callable[..., Config], **settings: Any) -> Config:
    """A config of these settings, None meaning the default. Raises ChatError that names what cannot be."""
    try:
        return make(**{name: value for name, value in settings.items() if value is not None})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = ".".join(str(part) for part in first["loc"]).replace("_", "-")
        raise ChatError(f"--{name} cannot be that: {first['msg'][:1].lower()}{first['msg'][1:]}.") from error
