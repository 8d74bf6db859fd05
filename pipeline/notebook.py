"""The notebook for Colab and Kaggle, with the address that this copy of the app can be fetched from."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

__all__ = ["address_of", "write_notebook"]

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "notebooks" / "chat_twin.ipynb"
EMPTY = 'SOURCE = ""'


def write_notebook(folder: Path, address: str) -> Path:
    """The notebook in a folder, with the address filled in; as it is where none is known ("")."""
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    cell = next(cell for cell in notebook["cells"] if any(line.startswith(EMPTY) for line in cell["source"]))
    filled = f"SOURCE = {json.dumps(address)}"
    cell["source"] = [line.replace(EMPTY, filled) if line.startswith(EMPTY) else line for line in cell["source"]]
    path = folder / NOTEBOOK.name
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False), encoding="utf-8")
    return path


def address_of(root: Path = ROOT) -> str:
    """Where others can fetch this copy of the app: its Space, else where it was cloned from; "" if nobody knows.

    A password or token in a clone's address stays here.
    """
    if os.environ.get("SPACE_ID"):
        return f"https://huggingface.co/spaces/{os.environ['SPACE_ID']}"
    asked = ["git", "-C", str(root), "config", "--get", "remote.origin.url"]
    try:
        told = subprocess.run(asked, capture_output=True, text=True, timeout=5, check=False).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = re.fullmatch(r"(?:https://(?:[^/@]*@)?|(?:ssh://)?git@)([\w.-]+)[:/](.+?)(?:\.git)?/?", told)
    return f"https://{found[1]}/{found[2]}" if found else ""
