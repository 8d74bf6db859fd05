"""A visitor's training runs."""

from pathlib import Path

from pipeline import runs
from pipeline.errors import ChatError
from pipeline.runs import Run, RunFolder
from pipeline.store import HomeFolder, VisitorFolder
from pipeline.visitors.visitor import Visitor

__all__ = [
    "check_none_goes",
    "finished_runs",
    "invited_runs",
    "new_run_folder",
    "newest_run",
    "own_run",
    "run_folders",
    "runs_stamp",
    "share_done",
]


def run_folders(visitor: Visitor) -> list[Path]:
    """The folders of the visitor's runs, newest first."""
    return runs.run_folders(visitor.runs)


def new_run_folder(visitor: Visitor) -> Path:
    """Where the visitor's next run is to lie, not made yet."""
    return runs.new_run_folder(visitor.runs)


def newest_run(visitor: Visitor) -> Run | None:
    """The run started last, or None if there is none."""
    return runs.newest_run(visitor.runs)


def finished_runs(visitor: Visitor) -> list[Path]:
    """The folders of the runs that have a twin to talk to, newest first."""
    return runs.finished_folders(visitor.runs)


def own_run(visitor: Visitor, name: str | None) -> Path:
    """The folder of one of the visitor's own runs by its name; raises ChatError for any other."""
    if name and "/" not in name and "\\" not in name and name not in (".", ".."):
        folder = visitor.runs / name
        if folder.is_dir():
            return folder
    raise ChatError("This training run is not there any more: pick another one.")


def check_none_goes(visitor: Visitor) -> None:
    """Raise ChatError while the visitor's newest run is going, here or as a job."""
    run = newest_run(visitor)
    if run is not None and run.live:
        raise ChatError("A training is going on: stop it first, or wait for it.")


def runs_stamp(visitor: Visitor) -> str:
    """A string that changes whenever the page should: a run more, another state, another twentieth of its steps.

    Every tab looks anew then, which takes the browser a second or two: at every percent it would be busy all along.
    """
    run = newest_run(visitor)
    if run is None:
        return ""
    return f"{len(run_folders(visitor))}:{run.status}:{share_done(run)}"


def share_done(run: Run) -> int:
    """Percent of the run's steps that are done, in fives."""
    return 20 * run.step // max(run.total_steps, 1) * 5


def invited_runs(root: Path) -> list[Path]:
    """Every run under the folder over all that friends may have been invited to.

    Workspaces that are being deleted begin with a dot and are left out.
    """
    places = [place for place in HomeFolder(root).visitors.glob("*") if not place.name.startswith(".")]
    folders = [folder for place in places for folder in VisitorFolder(place).runs.glob("*")]
    return [folder for folder in folders if RunFolder(folder).blind_test.invitation.is_file()]
