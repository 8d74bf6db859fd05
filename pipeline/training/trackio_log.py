"""A run's metrics in a trackio project, too, for who likes its dashboard: in the run's folder, and nowhere else.

trackio sends its data to a Space, a bucket, a server or a webhook where its environment or a token says so, and asks
the Hub who you are where there is a token. So it runs in a process of its own, which has none of these.
"""

import contextlib
import importlib
import importlib.util
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pipeline.runs import RunFolder

__all__ = ["PROJECT", "TrackioProject", "dashboard_command"]

PROJECT = "chat-twin"
LEADS_OUT = ("TRACKIO_", "SPACE_", "HF_", "HUGGING_FACE_", "HUGGINGFACE_")


def dashboard_command(run_dir: Path) -> str:
    """What to type to see the run in trackio's dashboard."""
    return f"TRACKIO_DIR={shlex.quote(str(RunFolder(run_dir).trackio))} trackio show --project {PROJECT}"


def closed_environment(run_dir: Path) -> dict[str, str]:
    """The environment without any address or token that trackio would use, and with the Hub out of reach."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(LEADS_OUT) and name != "SYSTEM"}
    return {**kept, "TRACKIO_DIR": str(RunFolder(run_dir).trackio), "HF_HUB_OFFLINE": "1", "HF_TOKEN_PATH": os.devnull}


class TrackioProject:
    """The run's project; made anew from the metrics so far, so that steps which are taken again stand there once."""

    def __init__(self, run_dir: Path, settings: Mapping[str, Any], lines: Iterable[Mapping[str, Any]]) -> None:
        folder = RunFolder(run_dir).trackio
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "pipeline.training.trackio_log", run_dir.name], stdin=subprocess.PIPE, text=True,
            encoding="utf-8", stdout=subprocess.DEVNULL, env=closed_environment(run_dir), cwd=Path(__file__).parents[2],
        )  # fmt: skip
        self._send({key: value for key, value in settings.items() if value is not None})
        for line in lines:
            self.add(line)

    def add(self, line: Mapping[str, Any]) -> None:
        """One line of metrics; its words and what it has no value for are left out."""
        self._send({name: value for name, value in line.items() if isinstance(value, (int, float))})

    def close(self) -> None:
        """Let it write what is left."""
        with contextlib.suppress(OSError):
            self._process.communicate(timeout=30)

    def _send(self, what: Mapping[str, Any]) -> None:
        with contextlib.suppress(OSError):  # what goes wrong there is in log.txt, and does not end the training
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps(what) + "\n")
            self._process.stdin.flush()


def main(name: str) -> None:
    """Log what comes in: the run's settings on the first line, then a line of metrics each."""
    trackio: Any = importlib.import_module("trackio")
    settings = json.loads(sys.stdin.readline() or "{}")
    trackio.init(
        project=PROJECT, name=name, config=settings, space_id=None, embed=False, auto_log_gpu=False, auto_log_cpu=False
    )
    for line in sys.stdin:
        metrics = json.loads(line)
        step = metrics.pop("step")
        trackio.log(metrics, step=step)
    trackio.finish()


if __name__ == "__main__":
    main(sys.argv[1])
