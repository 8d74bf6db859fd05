"""What the command line prints with: a progress bar on stderr, one line of JSON or a text on stdout."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, ValidationError
from rich.console import Console

from pipeline.errors import ChatError

__all__ = ["Report", "checked", "count", "progress", "say", "show"]

say = Console(stderr=True, highlight=False, soft_wrap=True)

Config = TypeVar("Config", bound=BaseModel)


class Report(Protocol):
    """Takes the share that is done, 0 to 1, and what is being done where that has changed."""

    def __call__(self, done: float, what: str | None = None) -> None: ...


@contextmanager
def progress(what: str) -> Iterator[Report]:
    """A bar that leaves nothing behind; none where stderr is no terminal."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=say, transient=True, disable=not say.is_terminal) as bars:
        task = bars.add_task(what, total=1.0)

        def report(done: float, what: str | None = None) -> None:
            bars.update(task, completed=done, description=what)

        yield report


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
