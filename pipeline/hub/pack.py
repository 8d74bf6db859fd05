"""A twin to take along: its adapter and all that is needed to use it, in one zip, and nothing of the chat."""

import json
import os
import tempfile
import zipfile
from pathlib import Path

from pipeline.chat import read_generation
from pipeline.hub.adapters import hub_name, prepare_adapter
from pipeline.hub.push import COUNTS
from pipeline.runs import RunFolder, read_run

__all__ = ["pack_adapter"]


def pack_adapter(run_dir: Path, path: Path, *, title: str = "A chat twin") -> Path:
    """Write the zip: weights, their config, the card; and as in a run's folder its recipe, template, sampling and exam.

    Raises ChatError.
    """
    folder = RunFolder(run_dir)
    config = read_run(run_dir).config
    recipe = config.model_copy(update={"model": hub_name(config.model)})
    with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        upload = prepare_adapter(run_dir, Path(scratch) / "sent", title=title)
        made = Path(scratch) / "made.zip"
        # Weights hardly shrink, and packing them takes longer than the download saves.
        with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
            for file in upload.files:
                if file.path != COUNTS:
                    archive.write(upload.folder / file.path, file.path)
            archive.writestr(folder.config.name, recipe.model_dump_json(indent=1))
            archive.writestr(folder.generation.name, read_generation(run_dir).model_dump_json(indent=1))
            for path_kept in (folder.template, folder.exam):
                if path_kept.is_file():
                    archive.writestr(path_kept.name, json.dumps(without_paths(path_kept, recipe.model), indent=1))
        os.replace(made, path)
    return path


def without_paths(path: Path, model: str) -> object:
    """A JSON file of the run, the base model by its public name."""
    data = json.loads(path.read_text(encoding="utf-8"))
    return {**data, "model": model} if isinstance(data, dict) and "model" in data else data
