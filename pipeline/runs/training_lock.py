"""One training at a time: runs and learning curves on one machine would fight for its memory."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path

from pipeline.errors import ChatError
from pipeline.runs.run import is_held, read_run

__all__ = ["FOLDER", "check_nothing_trains", "hold", "locked", "start_alone"]

FOLDER = "curve"  # of a learning curve, in the folder of its run
LOCK = "going.lock"  # held while a curve is drawn, also between its runs
START = "start.lock"  # beside the visitors' folder, held while one of them looks whether anything trains and starts

OWN_RUN = "A training is going on, and two at once would fight for the memory: stop it first, or wait for it."
OWN_CURVE = (
    "A learning curve is being drawn in the Chat tab, which trains too, and two trainings at once would fight for the "
    "memory: stop it there, or wait for it."
)
OTHERS = (
    "Somebody else's training is going on on this machine, and two at once would fight for its memory: try again when "
    "it is over."
)


def check_nothing_trains(workspace: Path, curve_of: Path | None = None) -> None:
    """Raise ChatError where a run or a learning curve is going, in this visitor's workspace or in one beside it.

    curve_of: the run whose own curve does not count, since it is about to be taken up. Jobs elsewhere do not count.
    """
    own = None if curve_of is None else curve_of / FOLDER
    for place in sorted(workspace.parent.iterdir(), key=lambda place: place != workspace):
        mine = place == workspace
        for curve in place.glob(f"runs/*/{FOLDER}"):
            if curve != own and (is_held(curve / LOCK) or any(map(_is_live, curve.glob("runs/*")))):
                raise ChatError(OWN_CURVE if mine else OTHERS)
        if any(map(_is_live, place.glob("runs/*"))):
            raise ChatError(OWN_RUN if mine else OTHERS)


@contextmanager
def start_alone(workspace: Path, curve_of: Path | None = None) -> Iterator[None]:
    """Start a training inside this block: nobody else starts one between the look and the start.

    Whoever comes second waits, and then finds the first one's training. Raises ChatError as check_nothing_trains does.
    """
    with locked(workspace.parent.parent / START):
        check_nothing_trains(workspace, curve_of)
        yield


@contextmanager
def hold(curve: Path, workspace: Path | None = None) -> Iterator[None]:
    """Say that the learning curve in this folder is being drawn; raises ChatError where it is already.

    workspace: the visitor's, in which (and beside which) nothing else may be training.
    """
    curve.mkdir(parents=True, exist_ok=True)
    with ExitStack() as held:
        with start_alone(workspace, curve.parent) if workspace else nullcontext():
            held.enter_context(locked(curve / LOCK, "This curve is being drawn already: wait for it."))
        yield


@contextmanager
def locked(path: Path, refusal: str = "") -> Iterator[None]:
    """Hold a lock file (made where it is not), for this process's other threads too.

    While another holds it: waits, or raises ChatError where there is a `refusal`.
    """
    import fcntl

    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (fcntl.LOCK_NB if refusal else 0))
        except BlockingIOError:
            raise ChatError(refusal) from None
        yield
    finally:
        os.close(descriptor)


def _is_live(run_dir: Path) -> bool:
    """Whether a process of this machine trains in this folder now."""
    if not (run_dir / "worker.lock").exists() or (run_dir / "job.json").exists():
        return False
    with suppress(ChatError, OSError):  # deleted meanwhile
        return read_run(run_dir).live
    return False
