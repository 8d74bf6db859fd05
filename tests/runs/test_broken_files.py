"""A run whose files are broken, or that is deleted meanwhile: told as far as it can be, and ended all the same."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import threading

import pytest

from pipeline.planning import TrainingConfig
from pipeline.runs import (
    add_metrics,
    cut_metrics,
    end_training,
    is_training,
    list_runs,
    metrics_lines,
    read_metrics,
    write_state,
)

TORN = (
    b'{"step": 0, "validation_loss": 3.5}\n{"step": 1, "loss": NaN}\n{"step": 2, "lo{"step": 2, "loss": 1}\n[1]\n'
    b'{"step": 4, "loss": Infinity, "epoch": {"a": 1}, "seconds_left": "x"}\n\xff\xfe\n{"step": 5, "loss": 1.0}\n{"ste'
)


def run_in(workspace, name="one", metrics=b""):
    run = workspace / "runs" / name
    run.mkdir(parents=True)
    (run / "config.json").write_text(TrainingConfig().model_dump_json())
    write_state(run, status="running", pid=os.getpid(), total_steps=9)
    (run / "metrics.jsonl").write_bytes(metrics)
    return run


def test_what_is_no_number_is_written_as_null(tmp_path):
    for loss in (float("nan"), float("inf"), 1.5):
        add_metrics(tmp_path, {"step": 1, "loss": loss, "message": "as it was"})
    assert b"NaN" not in (tmp_path / "metrics.jsonl").read_bytes()
    assert read_metrics(tmp_path)["loss"].to_list() == [None, None, 1.5]


def test_broken_lines_are_left_out_and_the_others_read(tmp_path):
    run = run_in(tmp_path, metrics=TORN)
    metrics = read_metrics(run)
    assert metrics["step"].to_list() == [0, 1, 4, 5]
    assert metrics["loss"].to_list() == [None, None, None, 1.0]
    assert [line["step"] for line in metrics_lines(run)] == [0, 1, 4, 5]
    assert [run.loss for run in list_runs(tmp_path / "runs")] == [1.0]
    cut_metrics(run, 4)
    assert read_metrics(run)["step"].to_list() == [0, 1, 4]


@pytest.mark.parametrize("state", ["", "{", "[]", '{"pid": "x"}', '{"pid": 0}', '{"pid": -1}', "null"])
def test_no_broken_file_keeps_a_workspace_from_being_looked_at(tmp_path, state):
    run = run_in(tmp_path, metrics=TORN)
    (run / "state.json").write_text(state)
    (run / "job.json").write_text("{")
    assert not is_training(tmp_path)
    end_training(tmp_path)
    with (run / "worker.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert is_training(tmp_path)
        end_training(tmp_path, seconds=0.1)  # nobody knows whom to end: the folder goes, and its worker with it


@pytest.mark.parametrize("place", ["runs/one", "runs/one/curve/runs/0.500"])
def test_what_trains_is_ended(tmp_path, place):
    run = tmp_path / place
    run.mkdir(parents=True)
    hold = "import fcntl, sys, time; file = open(sys.argv[1], 'w'); fcntl.flock(file, fcntl.LOCK_EX)"
    code = f"{hold}; print(1, flush=True); time.sleep(60)"
    lock = str(run / "worker.lock")
    worker = subprocess.Popen([sys.executable, "-c", code, lock], stdout=subprocess.PIPE, start_new_session=True)
    threading.Thread(target=worker.wait, daemon=True).start()
    worker.stdout.read(1)
    write_state(run, status="running", pid=worker.pid)
    (run / "metrics.jsonl").write_bytes(TORN)
    assert is_training(tmp_path)
    end_training(tmp_path)
    assert worker.wait(5) == -signal.SIGKILL
    assert not is_training(tmp_path)


def test_a_look_beside_a_purge_raises_nothing(tmp_path):
    raised = []

    def look(workspace):
        try:
            for _ in range(30):
                is_training(workspace)
                list_runs(workspace / "runs")
        except Exception as error:
            raised.append(error)

    for number in range(30):
        workspace = tmp_path / str(number)
        for name in "abc":
            run_in(workspace, name, TORN)
        looking = threading.Thread(target=look, args=(workspace,))
        looking.start()
        shutil.rmtree(workspace)
        looking.join()
    assert raised == []
