"""A computer whose memory runs out in the middle of a run: torch's own failure, or the system's kill."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline import runs
from pipeline.errors import ChatError
from pipeline.machine import memory_kills, this_machine
from pipeline.runs import lay_out, read_state
from pipeline.runs.process import _wait_for_exit
from pipeline.runs.state import read_killed, write_killed, write_state
from pipeline.training.plans import halve, plan_run
from pipeline.training.worker import work

ROOT = Path(__file__).parents[2]
HALVED = "Memory ran out, so the batch was halved to 1,536 tokens."


@pytest.fixture
def config(tiny_config):
    """Of a run that takes 3,072 tokens at once, if it may."""
    return tiny_config.model_copy(update={"tokens_per_step": 3072, "tokens_per_batch": 3072})


@pytest.fixture
def wide_folder(tiny_tokenizer, tmp_path):
    """A model whose layers keep some 30 KB a token for the way back: so half a batch is told from a whole."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    sizes = {"hidden_size": 128, "intermediate_size": 384, "num_hidden_layers": 3, "num_attention_heads": 4}
    model = LlamaForCausalLM(LlamaConfig(vocab_size=len(tiny_tokenizer), **sizes))
    model.save_pretrained(tmp_path / "wide")
    tiny_tokenizer.save_pretrained(tmp_path / "wide")
    return str(tmp_path / "wide")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
def test_where_memory_runs_out_the_batch_is_halved_once_and_the_run_goes_on(
    wide_folder, config, tiny_dataset, tmp_path
):
    config = config.model_copy(update={"model": wide_folder, "epochs": 2.0, "validations": 1, "processes": 1})
    for name in ("enough", "little"):
        lay_out(tiny_dataset, tmp_path / name, config)
    environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_ARENA_MAX": "1", "PYTHONPATH": str(ROOT)}
    told = subprocess.run(
        [sys.executable, Path(__file__).with_name("short_of_memory.py"), "1", f"{tmp_path}/enough=72",
         f"{tmp_path}/little=20"],
        env=environment, cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert [line for line in told.stdout.splitlines() if line[-2:] in (" 0", " 1")] == ["enough 0", "little 1"]
    assert "DefaultCPUAllocator: can't allocate memory" in told.stderr
    for name in ("enough", "little"):
        metrics = runs.read_metrics(tmp_path / name)
        assert metrics["message"].drop_nulls().to_list() == [HALVED]
        assert metrics.filter(metrics["message"] == HALVED)["step"].to_list() == [1]
    # From the checkpoint after step 1: no step was taken twice, and none left out.
    enough, little = (runs.read_run(tmp_path / name) for name in ("enough", "little"))
    losses = runs.read_metrics(tmp_path / "enough").filter(runs.read_metrics(tmp_path / "enough")["loss"].is_not_null())
    assert (enough.status, losses["step"].to_list()) == ("done", [1, 2])
    assert (little.status, little.step, little.resumable) == ("failed", 1, True)
    assert little.message == "Memory ran out even at half the batch: choose a smaller model, rank or longest row."


def test_half_a_batch_is_a_plan_of_the_run_and_is_said(tiny_dataset, config, tmp_path):
    run_dir = tmp_path / "run"
    lay_out(tiny_dataset, run_dir, config)
    whole = plan_run(run_dir, this_machine())
    half = halve(run_dir, whole)
    assert (whole.tokens_per_batch.value, half.tokens_per_batch.value) == (3072, 1536)
    assert half == runs.read_plan(run_dir) == plan_run(run_dir, this_machine())
    assert runs.read_metrics(run_dir)["message"].to_list() == [HALVED]
    assert runs.read_run(run_dir).config == half.settled


@pytest.mark.parametrize(
    "changes",
    [{"tokens_per_batch": 200}, {"batching": "rows", "rows_per_step": 1}],
)
def test_what_cannot_be_halved_is_given_up_in_a_sentence(changes, tiny_dataset, config, tmp_path):
    lay_out(tiny_dataset, tmp_path / "run", config.model_copy(update=changes))
    write_killed(tmp_path / "run", "memory")
    with pytest.raises(ChatError, match="as small as it gets: choose a smaller model or rank"):
        work(tmp_path / "run")
    assert read_state(tmp_path / "run").status == "failed"


@pytest.mark.parametrize(
    ("killed", "said", "batch"),
    [
        ("memory", "This computer's memory ran out, and the system ended the training before its first", 1536),
        ("killed", "Something ended the training before its first checkpoint, as when memory runs out. Resume", 3072),
        ("", "The run was cut off before its first checkpoint", 3072),
    ],
)
def test_a_run_that_was_killed_says_what_happened_and_goes_on_accordingly(
    killed, said, batch, tiny_dataset, config, tmp_path
):
    lay_out(tiny_dataset, tmp_path / "run", config)
    write_state(tmp_path / "run", status="running", pid=1)
    write_killed(tmp_path / "run", killed)
    run = runs.read_run(tmp_path / "run")
    assert (run.status, run.resumable, said in run.message) == ("lost", True, True)
    assert plan_run(tmp_path / "run", this_machine()).tokens_per_batch.value == batch
    assert read_killed(tmp_path / "run") == ""


@pytest.mark.parametrize(("kills", "known"), [(0, "killed"), (1, "memory")])
def test_who_killed_a_worker_is_read_from_the_systems_count(kills, known, tmp_path):
    """The worker here is any process; whether the count rose meanwhile is what is asked."""
    asleep = subprocess.Popen(["sleep", "60"])
    asleep.kill()
    _wait_for_exit(asleep, tmp_path, memory_kills() - kills)
    assert read_killed(tmp_path) == known


def test_the_systems_kills_are_counted_from_what_there_is(tmp_path):
    (tmp_path / "vmstat").write_text("pgfault 7\noom_kill 3\n")
    (tmp_path / "events").write_text("low 0\noom 2\noom_kill 1\noom_group_kill 0\n")
    assert memory_kills([tmp_path / "vmstat", tmp_path / "events", tmp_path / "none"]) == 4
    assert memory_kills() >= 0
