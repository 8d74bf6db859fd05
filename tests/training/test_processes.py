"""Several processes that train as one, by `accelerate launch`: whole models (DDP) and split ones (FSDP), on the CPU."""

import os
import signal

import polars as pl
import pytest

from pipeline import runs
from pipeline.planning import TrainingConfig
from pipeline.runs import lay_out, read_state, write_control
from pipeline.store import replace_text
from pipeline.training import train
from pipeline.training.worker import work
from tests.training.waiting import wait


def set_processes(run_dir, processes, **changes):
    """What moving a run to a machine with more or fewer GPUs does by itself."""
    config = runs.read_run(run_dir).config.model_copy(update={"processes": processes, **changes})
    replace_text(run_dir / "config.json", config.model_dump_json())


@pytest.fixture(scope="module")
def config(tiny_config) -> TrainingConfig:
    return tiny_config.model_copy(update={"epochs": 2.0, "validations": 2, "processes": 1})


@pytest.fixture(scope="module")
def alone(tiny_dataset, config, tmp_path_factory):
    run_dir = tmp_path_factory.mktemp("alone") / "run"
    train(tiny_dataset, run_dir, config)
    return run_dir


def assert_same_curves(run_dir, alone):
    one, other = (runs.read_metrics(of).filter(pl.col("message").is_null()) for of in (alone, run_dir))
    assert other["step"].to_list() == one["step"].to_list()
    for column in ("loss", "validation_loss"):
        expected = one[column].drop_nulls().to_list()
        assert other[column].drop_nulls().to_list() == pytest.approx(expected, rel=1e-3)


@pytest.mark.slow
def test_begun_by_one_it_goes_on_with_two_that_share_the_weights(alone, tiny_dataset, config, tmp_path):
    import torch
    from safetensors.torch import load_file

    run_dir = tmp_path / "run"
    lay_out(tiny_dataset, run_dir, config)
    write_control(run_dir, "pause")
    work(run_dir)
    assert runs.read_run(run_dir).status == "paused"
    set_processes(run_dir, 2, shard="always")
    runs.resume(run_dir)
    run = wait(run_dir, lambda run: not run.live)
    assert run.status == "done", (run_dir / "log.txt").read_text()[-3000:]
    assert len(read_state(run_dir).peak_gib) == 2
    said = (
        "Planned anew as its settings were changed: processes 2 instead of 1, tokens at once 256 instead of 512, "
        "weights split over the GPUs."
    )
    assert runs.read_metrics(run_dir)["message"].drop_nulls().to_list() == [said]
    assert_same_curves(run_dir, alone)
    expected, got = (load_file(folder / "adapter" / "adapter_model.safetensors") for folder in (alone, run_dir))
    assert expected.keys() == got.keys()
    assert all(torch.allclose(got[name], expected[name], rtol=1e-2, atol=1e-3) for name in expected)


@pytest.mark.slow
def test_killed_on_two_it_goes_on_with_one(alone, tiny_dataset, config, tmp_path):
    run_dir = tmp_path / "run"
    runs.start(tiny_dataset, run_dir, config.model_copy(update={"processes": 2}))
    run = wait(run_dir, lambda run: run.step >= 3 or not run.live)
    assert run.live, (run_dir / "log.txt").read_text()[-3000:]
    os.killpg(run.pid, signal.SIGKILL)
    assert wait(run_dir, lambda run: not run.live).status == "lost"
    set_processes(run_dir, 1)
    work(run_dir)
    assert runs.read_run(run_dir).status == "done"
    assert_same_curves(run_dir, alone)
