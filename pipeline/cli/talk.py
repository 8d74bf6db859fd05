"""A conversation in the terminal."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import ChatError

if TYPE_CHECKING:
    from pipeline.chat import Twin
    from pipeline.dataset import Rhythm
    from pipeline.prompt import Message

__all__ = ["answer", "ask", "converse", "rhythm_of"]


def rhythm_of(run_dir: Path | None) -> "Rhythm":
    """How fast the person of this run sends their messages. Raises ChatError where that is not known."""
    from pipeline.dataset import read_about
    from pipeline.runs import RunFolder

    found = None if run_dir is None else read_about(RunFolder(run_dir).dataset.path)[1].rhythm
    if found is None:
        raise ChatError("How fast this person writes is not known: leave out --rhythm.")
    return found


def ask() -> str:
    try:
        return input("you: ").strip()
    except (EOFError, KeyboardInterrupt):
        return ""


def answer(twin: "Twin", history: list["Message"], text: str, rhythm: "Rhythm | None" = None) -> Iterator[str]:
    """The bubbles of the twin's reply to `text`, with a rhythm each in its time; both go into `history`."""
    from pipeline.chat import Pace, stream
    from pipeline.dataset import user_content
    from pipeline.prompt import split_bubbles

    others = twin.others
    said = user_content([(others[0], split_bubbles(text))], others) if others else text  # as training names them
    history.append({"role": "user", "content": said})
    pace, shown = Pace(rhythm) if rhythm else None, 0
    for reply in stream(twin, history):
        ready = pace.grow(reply) if pace else ""
        bubbles = split_bubbles(ready) if ready else []
        yield from bubbles[shown:]
        shown = max(shown, len(bubbles))
    history.append({"role": "assistant", "content": reply.text})
    for whole, pause in pace.rest() if pace else [(reply.text, 0.0)]:
        time.sleep(pause)
        bubbles = split_bubbles(whole)
        yield from bubbles[shown:]
        shown = len(bubbles)


def converse(run_dir: Path, said: list[str]) -> None:
    """Print a conversation in which the other side says these things, one turn each."""
    from pipeline.chat import load_twin
    from pipeline.prompt import split_bubbles

    twin = load_twin(run_dir)
    history: list[Message] = []
    other = twin.others[0] if twin.others else "you"
    for text in said:
        for bubble in split_bubbles(text):
            print(f"  {other}: {bubble}")
        for bubble in answer(twin, history, text):
            print(f"  {twin.person}: {bubble}")
