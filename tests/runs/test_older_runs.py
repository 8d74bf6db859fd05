"""A run's folder of an earlier version: opened, talked to, and gone on with."""

import zipfile
from pathlib import Path

import pytest

from pipeline import runs
from pipeline.chat import load_twin, stream
from pipeline.errors import ChatError
from pipeline.evaluation import read_exam
from pipeline.runs import RunFolder
from tests.training.waiting import wait

# A paused run of the tiny model as commit b5766ff left it, without a number of its format. MODEL stands for the
# model's folder; the trainer's own copies of its arguments and cards are left out.
KEPT = Path(__file__).with_name("run-b5766ff.zip")


@pytest.fixture
def older(tmp_path, tiny_folder):
    run_dir = tmp_path / "run"
    with zipfile.ZipFile(KEPT) as archive:
        archive.extractall(run_dir)
    for path in run_dir.rglob("*.json"):
        path.write_text(path.read_text().replace("MODEL", str(tiny_folder)))
    return run_dir


def test_it_opens(older):
    assert RunFolder(older).version == 1
    run = runs.read_run(older)
    assert (run.status, run.resumable, run.has_adapter) == ("paused", True, True)
    assert 0 < run.step < run.total_steps
    assert runs.read_metrics(older)["loss"].drop_nulls().len() == run.step
    assert read_exam(older).of("twin").loss.replies == 8


def test_it_chats(older):
    twin = load_twin(older)
    assert twin.generation.max_new_tokens == 12  # what was tuned for it
    last = list(stream(twin, [{"role": "user", "content": "question 3"}]))[-1]
    assert last.finish_reason


@pytest.mark.slow
def test_it_resumes_where_it_paused(older):
    before = runs.read_run(older)
    runs.resume(older)
    run = wait(older, lambda run: not run.live)
    assert run.status == "done", RunFolder(older).log.read_text()[-3000:]
    assert run.step == run.total_steps == before.total_steps
    metrics = runs.read_metrics(older)
    assert metrics["loss"].drop_nulls().len() == run.total_steps
    assert metrics["step"].is_sorted()
    assert RunFolder(older).version > 1


def test_a_newer_version_is_named(older):
    RunFolder(older).format.write_text("99")
    with pytest.raises(ChatError, match="newer version"):
        runs.read_run(older)
    assert runs.list_runs(older.parent) == []
