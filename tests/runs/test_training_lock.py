"""One training at a time: what is going on is known by its lock, whoever's it is, and said in a sentence."""

import fcntl
import json
import shutil
from contextlib import contextmanager

import pytest

from pipeline.errors import ChatError
from pipeline.evaluation.learning_curve import learning_curve
from pipeline.planning import TrainingConfig
from pipeline.progress import CancelledError, Progress
from pipeline.runs.state import write_state
from pipeline.runs.training_lock import check_nothing_trains, hold


@contextmanager
def training(run_dir):
    """A run as it lies there while its process lives."""
    run_dir.mkdir(parents=True, exist_ok=True)
    (run_dir / "config.json").write_text(TrainingConfig().model_dump_json())
    write_state(run_dir, status="running", pid=None)
    with (run_dir / "worker.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture
def visitors(tmp_path):
    mine, other = tmp_path / "visitors" / "mine", tmp_path / "visitors" / "other"
    for folder in (mine, other):
        folder.mkdir(parents=True)
    return mine, other


def test_a_run_a_curve_and_somebody_elses_each_have_their_sentence(visitors):
    mine, other = visitors
    check_nothing_trains(mine)
    curve = mine / "runs" / "a" / "curve"
    with training(mine / "runs" / "a"):
        for folder, says in ((mine, "^A training is going on"), (other, "^Somebody else")):
            with pytest.raises(ChatError, match=says):
                check_nothing_trains(folder)
    with training(curve / "runs" / "0.125"), pytest.raises(ChatError, match=r"^A learning curve"):
        check_nothing_trains(mine)
    with hold(curve), pytest.raises(ChatError, match=r"^Somebody else"):  # between two of its runs
        check_nothing_trains(other)
    for folder in visitors:
        check_nothing_trains(folder)


def test_a_curve_that_was_left_may_be_taken_up_and_not_twice(visitors):
    mine, _ = visitors
    curve = mine / "runs" / "a" / "curve"
    with training(curve / "runs" / "0.125"):
        check_nothing_trains(mine, curve_of=mine / "runs" / "a")
        with pytest.raises(ChatError):
            check_nothing_trains(mine, curve_of=mine / "runs" / "b")
    with hold(curve), pytest.raises(ChatError, match="drawn already"), hold(curve):
        pass
    with hold(curve):
        pass


def test_a_job_elsewhere_and_a_run_that_was_cut_off_take_no_memory_here(visitors):
    mine, _ = visitors
    with training(mine / "runs" / "job"):
        (mine / "runs" / "job" / "job.json").write_text("{}")
        check_nothing_trains(mine)
    with training(mine / "runs" / "lost"):
        pass
    check_nothing_trains(mine)


def test_a_curve_holds_its_place_from_its_first_step_until_it_is_left(visitors, tiny_run):
    mine, _ = visitors
    run = shutil.copytree(tiny_run, mine / "runs" / "a")
    write_state(run, status="done")
    part = shutil.copytree(tiny_run, run / "curve" / "runs" / "0.125")
    write_state(part, status="done")
    with training(mine / "runs" / "b"), pytest.raises(ChatError, match=r"^A training"):
        learning_curve(run, workspace=mine)
    refused = []

    def look(*_):
        with pytest.raises(ChatError, match=r"^A learning curve"):
            check_nothing_trains(mine)
        refused.append(True)

    with pytest.raises(CancelledError):
        learning_curve(run, workspace=mine, progress=Progress(look, lambda: bool(refused)))
    check_nothing_trains(mine)
    assert not json.loads((part / "state.json").read_text())["message"]
