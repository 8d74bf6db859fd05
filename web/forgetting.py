"""A visitor's end: whatever is theirs goes, on disk and in memory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.runs import end_training
from pipeline.store import clear_residue, workspace

if TYPE_CHECKING:
    from pipeline.inference import LoadedModels
    from web.sessions import Sessions

__all__ = ["forget"]


def forget(folder: Path, models: LoadedModels, sessions: Sessions, but: str | None = None) -> None:
    """End what trains, delete the workspace and every upload, drop what models, pages and caches hold of it.

    but: the session on which the visitor asked for it, which has to hear the answer.
    """
    end_training(folder)
    workspace.purge(folder)
    models.forget(folder)
    sessions.forget(folder.name, but)
    clear_residue()
