"""The app as a process of its own, and a real Chromium to drive it; without one the browser tests are skipped."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.append(str(Path(__file__).parent))  # for the tests' own pages.py and chats.py
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, object]:
    """What pytest-playwright starts: the Chromium of this machine, not one of playwright's own."""
    if CHROMIUM is None:
        pytest.skip("There is no Chromium here (apt-get install chromium): the browser tests are skipped.")
    return {"executable_path": CHROMIUM, "args": FLAGS}


@pytest.fixture(scope="session")
def browser_context_args() -> dict[str, object]:
    return {"viewport": {"width": 1200, "height": 900}}


@dataclass
class Server:
    """A running app: its address, its folder, its process, and what it printed."""

    url: str
    home: Path
    process: subprocess.Popen[bytes]
    log: Path

    def kill(self) -> None:
        """kill -9, as a crash would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)


@contextlib.contextmanager
def servers() -> Iterator[Callable[..., Server]]:
    """Start an app over a folder; every one is ended in the end: one that only waits takes a share of a core."""
    running: list[Server] = []

    def start(home: Path, **settings: str) -> Server:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        home.mkdir(parents=True, exist_ok=True)
        log = home.parent / f"{home.name}.log"
        environment = {
            **os.environ, "CHAT_TWIN_HOME": str(home), "GRADIO_SERVER_PORT": str(port),
            "GRADIO_SERVER_NAME": "127.0.0.1", "PYTHONUNBUFFERED": "1", **settings,
        }  # fmt: skip
        with log.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT
            )
        server = Server(f"http://127.0.0.1:{port}/", home, process, log)
        running.append(server)
        wait_until_up(server)
        return server

    try:
        yield start
    finally:
        for server in running:
            server.process.terminate()
        for server in running:
            try:
                server.process.wait(15)
            except subprocess.TimeoutExpired:
                server.kill()
            end_training(server.home)


def end_training(home: Path) -> None:
    """A training outlives its app by design; it must not outlive a test that failed."""
    for state in home.glob("visitors/*/runs/*/state.json"):
        run = json.loads(state.read_text(encoding="utf-8"))
        if run["status"] in ("starting", "running", "stopping") and run["pid"]:
            with contextlib.suppress(OSError):
                os.killpg(run["pid"], signal.SIGKILL)


def wait_until_up(server: Server, seconds: float = 90) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if server.process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(server.url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    raise AssertionError(f"The app did not come up: {server.log.read_text()[-2000:]}")


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Start an app of this test's own over a folder."""
    with servers() as start:
        yield start


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One app for all tests of a worker, whose visitors know nothing of each other."""
    with servers() as start:
        yield start(tmp_path_factory.mktemp("app") / "home")
