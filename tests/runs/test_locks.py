"""One training at a time on a machine, whoever starts it; whose it is, is said in a sentence."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from pipeline import runs
from pipeline.errors import ChatError
from pipeline.evaluation.learning_curve import learning_curve
from pipeline.planning import TrainingConfig
from pipeline.progress import CancelledError, Progress
from pipeline.runs import RunFolder, hold_training, write_state
from pipeline.store import HomeFolder, home, is_locked
from tests.training.waiting import wait

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("CHAT_TWIN_HOME", str(tmp_path / "home"))


@pytest.fixture
def visitors():
    """Where a run of one visitor, and of another, would lie."""
    return [HomeFolder(home()).visitors / name / "runs" / "a" for name in ("mine", "other")]


def is_refused(run_dir, says):
    with pytest.raises(ChatError, match=says), hold_training(run_dir):
        pass


def going(run_dir):
    run_dir.mkdir(parents=True)
    RunFolder(run_dir).config.write_text(TrainingConfig().model_dump_json())
    write_state(run_dir, status="running")


def test_ones_own_run_a_curve_and_somebody_elses_each_have_their_sentence(visitors, tmp_path):
    mine, other = visitors
    going(mine)
    with hold_training(mine):
        is_refused(mine.with_name("b"), "^A training is going on")
        is_refused(other, "^Somebody else")
        is_refused(tmp_path / "run", "^A training is going on")  # on the command line, it does not matter whose
    with hold_training(mine, curve=True):
        is_refused(mine.with_name("b"), "^A learning curve")
        is_refused(other, "^Somebody else")
    with hold_training(other):
        pass


def test_a_worker_on_its_way_out_is_waited_for(visitors):
    mine, other = visitors
    going(mine)
    held = hold_training(mine)
    held.__enter__()
    write_state(mine, status="done")
    threading.Timer(0.5, held.__exit__, (None, None, None)).start()
    with hold_training(other):
        pass


def test_a_curve_holds_the_machine_until_it_is_left_and_is_not_drawn_twice(visitors, tiny_run):
    mine, other = visitors
    run = shutil.copytree(tiny_run, mine)
    write_state(run, status="done")
    part = shutil.copytree(tiny_run, RunFolder(run).learning_curve.part(0.125))
    write_state(part, status="done")
    refused = []

    def look(*_):
        if is_locked(HomeFolder(home()).training_lock):
            is_refused(other, "^Somebody else")
            with pytest.raises(ChatError, match="drawn already"):
                learning_curve(run)
            refused.append(True)

    with pytest.raises(CancelledError):
        learning_curve(run, progress=Progress(look, lambda: bool(refused)))
    with hold_training(other):
        pass


@pytest.mark.slow
def test_the_app_and_the_command_line_cannot_train_at_once(visitors, tiny_dataset, tiny_config, tiny_folder, tmp_path):
    mine, other = visitors
    long = tiny_config.model_copy(update={"epochs": 100})
    command = [sys.executable, "-m", "pipeline", "train", str(tiny_dataset), "--model", str(tiny_folder)]
    runs.start(tiny_dataset, mine, long)
    done = subprocess.run([*command, "--out", str(tmp_path / "late")], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("A training is going on")
    assert not (tmp_path / "late").exists()
    run = wait(mine, lambda run: run.status == "running" or not run.live)
    os.kill(run.pid, signal.SIGKILL)  # a crash frees it
    first = tmp_path / "first"
    trains = subprocess.Popen([*command, "--out", str(first), "--epochs", "100"], cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        while not RunFolder(first).exists and trains.poll() is None:
            time.sleep(0.1)
        wait(first, lambda run: run.status == "running" or not run.live)
        with pytest.raises(ChatError, match=r"^Somebody else"):
            runs.start(tiny_dataset, other, long)
        with pytest.raises(ChatError, match=r"^Somebody else"):
            runs.resume(mine)
        trains.send_signal(signal.SIGINT)  # Ctrl-C stops it and keeps the best
        assert trains.wait(60) == 0
    finally:
        trains.kill()
    assert runs.read_run(first).status == "stopped"
    runs.start(tiny_dataset, other, tiny_config)
    assert wait(other, lambda run: not run.live).status == "done"
