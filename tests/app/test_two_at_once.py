"""Two clicks in the same instant, from two pages or two visitors: one training starts, the others are told why not."""

import sys
import threading
from types import SimpleNamespace

import psutil
import pytest
from built import built, first_values

from pipeline.dataset import DatasetConfig, build_dataset, write_dataset
from pipeline.errors import ChatError
from pipeline.planning import TrainingConfig
from pipeline.runs.state import write_state
from pipeline.store import workspace
from pipeline.visitors import run_folders
from tabs.finetune import tab as finetune
from tabs.visitor import visitor_of
from tests.dataset.chats import chat, talk
from web.cookie import COOKIE


def end_workers() -> None:
    """End the trainings that this process started, before they have loaded anything."""
    for child in psutil.Process().children():
        if "pipeline.training" in child.cmdline():
            child.kill()


@pytest.fixture
def visitors(tmp_path, monkeypatch):
    """Two visitors with a dataset each, as requests of their pages, among others whose runs are over."""
    monkeypatch.setenv("CHAT_TWIN_HOME", str(tmp_path))
    dataset = build_dataset(chat(*talk(60)), DatasetConfig(person="Ann"))
    requests = [SimpleNamespace(cookies={COOKIE: workspace.new_key()}) for _ in range(2)]
    for request in requests:
        write_dataset(dataset, visitor_of(request).dataset)
    for _ in range(20):
        run = workspace.create() / "runs" / "a"
        run.mkdir(parents=True)
        (run / "config.json").write_text(TrainingConfig().model_dump_json())
        (run / "worker.lock").touch()
        write_state(run, status="done")
    switched = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)  # threads get between each other's steps, as they do among many visitors
    yield requests
    sys.setswitchinterval(switched)
    end_workers()


@pytest.mark.parametrize("attempt", range(4))
def test_of_several_starts_in_one_instant_one_trains(visitors, attempt):
    tab, stage = built(finetune.build)
    values = first_values([tab.planned, *tab.form.components])
    clicks = visitors * 2  # two visitors with two pages each
    gate = threading.Barrier(len(clicks))
    started, refused = [], []

    def click(request):
        gate.wait()
        try:
            finetune._train(tab, stage, request, values)
            started.append(request)
        except ChatError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=click, args=(request,)) for request in clicks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(started) == 1
    assert sum(len(run_folders(visitor_of(request))) for request in visitors) == 1
    said = sorted(sentence.partition(" is going on")[0] for sentence in refused)
    assert said == ["A training", "Somebody else's training", "Somebody else's training"]
