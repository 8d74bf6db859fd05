"""Runs in a process of their own: killed, paused, stopped, resumed."""

import os
import signal
import time

import pytest

from pipeline import runs
from pipeline.errors import ChatError
from pipeline.planning import TrainingConfig
from pipeline.training import train
from tests.training.waiting import wait

pytestmark = pytest.mark.slow


def weights(run_dir):
    from safetensors.torch import load_file

    return load_file(run_dir / "adapter" / "adapter_model.safetensors")


@pytest.fixture(scope="module")
def unbroken(tiny_dataset, tiny_config, tmp_path_factory):
    run_dir = tmp_path_factory.mktemp("unbroken") / "run"
    run = runs.start(tiny_dataset, run_dir, tiny_config)
    assert (run.status, os.getpgid(run.pid)) == ("starting", run.pid)  # so it can be ended from the first moment on
    run = wait(run_dir, lambda run: not run.live)
    assert run.status == "done", (run_dir / "log.txt").read_text()[-3000:]
    return run_dir


def test_a_run_learns_and_tells_of_every_step(unbroken):
    run, metrics = runs.read_run(unbroken), runs.read_metrics(unbroken)
    assert run.has_adapter
    assert not run.resumable
    assert run.best_validation_loss < run.base_validation_loss
    assert metrics["loss"].drop_nulls().len() == run.total_steps
    assert metrics["validation_loss"].drop_nulls().len() == 1 + 3
    assert metrics["step"][0] == 0
    assert metrics["epoch"].to_list() == pytest.approx([3 * step / run.total_steps for step in metrics["step"]])
    assert run.pid is None


def test_a_run_killed_three_times_ends_with_the_weights_of_the_unbroken_one(
    unbroken, tiny_dataset, tiny_config, tmp_path
):
    import torch

    run_dir = tmp_path / "run"
    runs.start(tiny_dataset, run_dir, tiny_config)
    total = runs.read_run(unbroken).total_steps
    for share in (0.2, 0.5, 0.8):
        run = wait(run_dir, lambda run, at=share * total: (run.step >= at and run.status == "running") or not run.live)
        assert run.live, run
        os.kill(run.pid, signal.SIGKILL)
        run = wait(run_dir, lambda run: not run.live)
        assert run.status == "lost"
        assert run.resumable
        runs.resume(run_dir)
    assert wait(run_dir, lambda run: not run.live).status == "done"
    expected, got = weights(unbroken), weights(run_dir)
    assert all(torch.equal(expected[name], got[name]) for name in expected)
    columns = ("step", "loss", "validation_loss", "learning_rate")
    assert runs.read_metrics(run_dir).select(columns).equals(runs.read_metrics(unbroken).select(columns))


def test_paused_it_goes_on_and_stopped_it_keeps_the_best(tiny_dataset, tiny_config, tmp_path):
    run_dir = tmp_path / "run"
    runs.start(tiny_dataset, run_dir, tiny_config.model_copy(update={"epochs": 30}))
    wait(run_dir, lambda run: run.step >= 2)
    runs.pause(run_dir)
    run = wait(run_dir, lambda run: not run.live)
    assert (run.status, run.resumable) == ("paused", True)
    assert 0 < run.seconds < time.time() - run.started_at
    paused = 1.0
    time.sleep(paused)
    runs.resume(run_dir)
    with pytest.raises(ChatError, match="still going"):
        runs.resume(run_dir)
    wait(run_dir, lambda again: again.status == "running" and again.step > run.step)
    runs.stop(run_dir)
    run = wait(run_dir, lambda run: not run.live)
    assert run.status == "stopped"
    assert run.has_adapter
    assert run.step < run.total_steps
    assert run.seconds < time.time() - run.started_at - paused  # the pause does not count


def test_a_process_id_that_another_process_got_is_no_live_run(unbroken, tmp_path):
    import shutil

    from pipeline.runs.state import write_state

    run_dir = tmp_path / "run"
    shutil.copytree(unbroken, run_dir)
    write_state(run_dir, status="running", pid=os.getpid())
    assert runs.read_run(run_dir).status == "lost"


def test_a_dataset_that_teaches_nothing_is_refused_in_a_sentence(tiny_config, tmp_path):
    with pytest.raises(ChatError, match="holds no dataset"):
        train(tmp_path, tmp_path / "run", tiny_config)


def test_a_folder_holds_one_run(unbroken, tiny_dataset):
    with pytest.raises(ChatError, match="already"):
        runs.start(tiny_dataset, unbroken, TrainingConfig())
