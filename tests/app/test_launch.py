"""How the app starts: fast, light, and as the Space's front matter says."""

import importlib.metadata
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]


def seconds_to_import() -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import app"], cwd=ROOT, check=True)
    return time.perf_counter() - began


def test_importing_the_app_takes_at_most_three_seconds():
    assert min(seconds_to_import() for _ in range(3)) <= 3


def test_the_readme_names_the_gradio_that_is_installed():
    front_matter = (ROOT / "README.md").read_text(encoding="utf-8").split("---")[1]
    named = re.search(r"^sdk_version: *[\"']?([\d.]+)", front_matter, re.M)
    assert named
    assert named[1] == importlib.metadata.version("gradio")
    assert f"=={named[1]}" in (ROOT / "requirements.txt").read_text(encoding="utf-8")
