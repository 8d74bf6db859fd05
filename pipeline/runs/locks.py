"""The locks that a training holds while its worker lives: its run's own, and the machine's, of which there is one.

Whoever starts a worker takes both and hands it the open descriptors; the kernel frees them when the last process that
has them is gone, however it ends. So a lock that is held means a worker that lives, from before its first line on, and
the command line, the app and a learning curve, which all start workers, cannot train at once on one machine. filelock
cannot be used for these: releasing its lock unlocks the file for every process that shares the descriptor, and so for
the worker. Nothing is ever unlocked here, descriptors are closed.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.errors import ChatError
from pipeline.runs.folder import RunFolder
from pipeline.runs.state import LIVE, read_state
from pipeline.store import HomeFolder, home, is_locked, workspace_of

__all__ = ["Held", "hold_both", "hold_run", "hold_training", "is_going"]

WINDING_DOWN = 15.0  # seconds that a worker may take to be gone after its last word
AGAIN = 0.05
AT_LEAST = 3  # tries: whoever looks whether a lock is held shares it for a moment

STILL_GOING = "This run is still going: stop it first."
OWN_RUN = "A training is going on, and two at once would fight for the memory: stop it first, or wait for it."
OWN_CURVE = (
    "A learning curve is being drawn in the Chat tab, which trains too, and two trainings at once would fight for the "
    "memory: stop it there, or wait for it."
)
OTHERS = (
    "Somebody else's training is going on on this machine, and two at once would fight for its memory: try again when "
    "it is over."
)

RUN = "CHAT_TWIN_RUN_LOCK"  # to a worker: the descriptor of the lock that was taken for it before it began
TRAINING = "CHAT_TWIN_TRAINING_LOCK"


class Holder(BaseModel):
    """Who holds the machine's lock: a run, or the learning curve of one. Written into the lock's file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run: Path
    curve: bool = False


@dataclass(frozen=True)
class Held:
    """The open descriptors of both locks."""

    run: int
    training: int

    @property
    def descriptors(self) -> list[int]:
        """To be passed on to a process (`pass_fds`)."""
        return [self.run, self.training]

    @property
    def environment(self) -> dict[str, str]:
        """What tells that process of them."""
        return {RUN: str(self.run), TRAINING: str(self.training)}


@contextlib.contextmanager
def hold_training(run_dir: Path, *, curve: bool = False) -> Iterator[int]:
    """Hold the machine's lock for this run, or for its learning curve; gives the descriptor, to be handed to workers.

    They hold it on when this block is left. Raises ChatError, which says whose training is going on.
    """
    descriptor = _take_training(Holder(run=run_dir.resolve(), curve=curve))
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def hold_run(run_dir: Path) -> Iterator[int]:
    """Hold the run's lock, to be handed to its worker. Raises ChatError while a worker of it lives."""
    descriptor = _take(RunFolder(run_dir).lock, lambda: True, lambda: STILL_GOING)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def hold_both(run_dir: Path) -> Held:
    """Both locks for the life of this process: as they were handed to it, else taken now. Raises ChatError."""
    run, training = _inherited(RUN), _inherited(TRAINING)
    if run is None:
        run = _take(RunFolder(run_dir).lock, lambda: False, lambda: STILL_GOING)
    if training is None:
        training = _take_training(Holder(run=run_dir.resolve()))
    return Held(run, training)


def is_going(run_dir: Path) -> bool:
    """Whether a worker of this run lives."""
    return is_locked(RunFolder(run_dir).lock)


def _take_training(holder: Holder) -> int:
    lock = HomeFolder(home()).training_lock

    def ends_soon() -> bool:
        """The holder is on its way out, or is what is taken up."""
        other = _read_holder(lock)
        if other is None or other == holder:
            return True
        state = read_state(other.run)
        return not other.curve and (state is None or state.status not in LIVE)

    descriptor = _take(lock, ends_soon, lambda: _refusal(_read_holder(lock), holder))
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, holder.model_dump_json().encode(), 0)
    return descriptor


def _read_holder(lock: Path) -> Holder | None:
    try:
        return Holder.model_validate_json(lock.read_text("utf-8"))
    except (OSError, ValidationError):
        return None


def _refusal(other: Holder | None, mine: Holder) -> str:
    """Why nothing can be trained now. On the command line, which is in no workspace, whose it is does not matter."""
    place = workspace_of(mine.run)
    if other is None or (place is not None and workspace_of(other.run) != place):
        return OTHERS
    return OWN_CURVE if other.curve else OWN_RUN


def _take(path: Path, ends_soon: Callable[[], bool], refusal: Callable[[], str]) -> int:
    """Lock a file and give its descriptor; waits for a holder that ends soon, refuses for any other."""
    import fcntl

    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    until, tries = time.monotonic() + WINDING_DOWN, 0
    try:
        while True:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return descriptor
            tries += 1
            if time.monotonic() > until or (tries >= AT_LEAST and not ends_soon()):
                raise ChatError(refusal())
            time.sleep(AGAIN)
    except BaseException:
        os.close(descriptor)
        raise


def _inherited(variable: str) -> int | None:
    """A descriptor that was handed over, from here on this process's own."""
    handed = os.environ.pop(variable, None)
    if handed is None:
        return None
    os.set_inheritable(int(handed), False)
    return int(handed)
