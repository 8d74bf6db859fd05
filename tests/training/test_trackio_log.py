"""Metrics in a trackio project: all of them, on this computer only, whatever the environment says."""

import json
import sqlite3

import pytest

from pipeline import runs
from pipeline.errors import ChatError
from pipeline.runs import require_trackio
from pipeline.training import train
from pipeline.training.trackio_log import PROJECT, TrackioProject, closed_environment, dashboard_command

WATCH = """
import sys
def tell(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        with open({path!r}, "a") as file:
            file.write(f"{{event}} {{arguments}}\\n")
sys.addaudithook(tell)
"""


def rows(run_dir):
    """(step, metrics) as they stand in the project, in order."""
    with sqlite3.connect(run_dir / "trackio" / f"{PROJECT}.db") as database:
        return [(step, json.loads(text)) for step, text in database.execute("SELECT step, metrics FROM metrics")]


@pytest.fixture
def watched(tmp_path, monkeypatch):
    """An environment that would lead trackio out, and the file in which each try to reach anything is noted."""
    pytest.importorskip("trackio")
    (tmp_path / "watch").mkdir()
    noted = tmp_path / "reached.txt"
    (tmp_path / "watch" / "sitecustomize.py").write_text(WATCH.format(path=str(noted)))
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "token").write_text("hf_somebodys")
    for name, value in {
        "PYTHONPATH": str(tmp_path / "watch"), "HF_TOKEN": "hf_somebodys", "HF_HOME": str(tmp_path / "home"),
        "HF_HUB_OFFLINE": "0", "TRACKIO_SPACE_ID": "some/space", "TRACKIO_WEBHOOK_URL": "https://127.0.0.1:9/hook",
        "TRACKIO_DATASET_ID": "some/data", "SPACE_REPO_NAME": "space", "SYSTEM": "spaces",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    return noted


@pytest.mark.slow
def test_a_run_tells_trackio_all_its_metrics_and_nobody_else(watched, tiny_dataset, tiny_config, tmp_path):
    config = tiny_config.model_copy(update={"epochs": 0.5, "validations": 1, "trackio": True})
    run_dir = tmp_path / "run"
    train(tiny_dataset, run_dir, config)
    kept = rows(run_dir)
    metrics = runs.read_metrics(run_dir)
    assert [step for step, _ in kept] == metrics["step"].to_list()
    assert [line["loss"] for _, line in kept if "loss" in line] == metrics["loss"].drop_nulls().to_list()
    assert not watched.exists()
    # A run that goes on: steps that are taken again stand there once.
    again = TrackioProject(run_dir, {"rank": 4}, [{"step": 0, "validation_loss": 3.0, "message": "words"}])
    again.add({"step": 1, "loss": 2.5})
    again.close()
    assert rows(run_dir) == [(0, {"validation_loss": 3.0}), (1, {"loss": 2.5})]
    assert not watched.exists()


def test_its_process_knows_no_token_and_no_address(watched, tmp_path):
    environment = closed_environment(tmp_path)
    assert "hf_somebodys" not in environment.values()
    assert [name for name in environment if name.startswith(("TRACKIO_", "HF_", "SPACE_", "SYSTEM"))] == [
        "TRACKIO_DIR", "HF_HUB_OFFLINE", "HF_TOKEN_PATH",
    ]  # fmt: skip
    assert dashboard_command(tmp_path) == f"TRACKIO_DIR={tmp_path}/trackio trackio show --project chat-twin"


def test_without_it_a_sentence_says_how_to_get_it(monkeypatch, tiny_dataset, tiny_config, tmp_path):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ChatError, match="pip install trackio"):
        require_trackio()
    with pytest.raises(ChatError, match="trackio is not installed here"):
        train(tiny_dataset, tmp_path / "run", tiny_config.model_copy(update={"trackio": True}))
    assert not (tmp_path / "run").exists()
