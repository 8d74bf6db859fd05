"""One visitor of the app, whose workspace holds all that is theirs."""

from dataclasses import dataclass
from pathlib import Path

from pipeline.dataset import DatasetFolder
from pipeline.store import VisitorFolder

__all__ = ["Visitor", "stamp"]


@dataclass(frozen=True)
class Visitor:
    """One visitor: `folder` is their workspace (exists, 0700)."""

    folder: Path

    @property
    def files(self) -> VisitorFolder:
        """What lies in the workspace, by its names."""
        return VisitorFolder(self.folder)

    @property
    def dataset(self) -> Path:
        """The folder of their dataset, whether or not there is one."""
        return self.files.dataset

    @property
    def has_dataset(self) -> bool:
        """Whether a dataset was made."""
        return DatasetFolder(self.dataset).exists

    @property
    def runs(self) -> Path:
        """The folder over their runs."""
        return self.files.runs


def stamp(*paths: Path) -> str:
    """A string that changes when one of the files does; "" where none of them is there."""
    times = []
    for path in paths:
        if path.exists():
            times.append(f"{path.name}:{path.stat().st_mtime_ns}")
    return " ".join(times)
