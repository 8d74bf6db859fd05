"""Jobs on the page: the price before the click, a wait that is told, and what a Space without a GPU says."""

import json
from datetime import datetime
from pathlib import Path

import pages
import pytest
from playwright.sync_api import Page, expect

from pipeline.dataset import DatasetConfig, build_dataset, write_dataset
from pipeline.jobs import Hardware
from pipeline.planning import TrainingConfig
from pipeline.visitors import Visitor
from tabs.finetune import jobs
from tests.dataset.chats import chat, talk
from tests.jobs.server import serve as serve_jobs
from web.views.run_comparison import two_runs


def dataset(folder: Path) -> Path:
    return write_dataset(build_dataset(chat(*talk(60)), DatasetConfig(person="Ann")), folder)


@pytest.mark.slow
@pytest.mark.browser
def test_a_job_is_priced_started_and_waited_for(serve, page: Page, tmp_path):
    hub, server = serve_jobs()
    app = serve(tmp_path / "home", HF_ENDPOINT=hub.url, HF_TOKEN="hf_write", HF_HUB_OFFLINE="0", HF_HUB_DISABLE_XET="1")
    dataset(pages.enter_anew(app, page) / "dataset")
    page.reload()
    pages.go_to(page, "Fine-tune")
    page.locator("#jobs > button").click()
    page.locator("#job-prices").click()
    expect(page.locator("#job-cost")).to_contain_text("At most $0.40", timeout=30_000)
    page.locator("#job-start").click()
    expect(page.locator(".toast-body")).to_contain_text("agree", timeout=30_000)
    assert hub.jobs == {}
    page.locator("#job-consent input").check()
    page.locator("#job-start").click()
    expect(page.locator("#run")).to_contain_text("$0.40 at the most", timeout=30_000)
    expect(page.locator("#run")).to_contain_text("Waiting for a machine", timeout=30_000)
    expect(page.locator("#job-cancel")).to_be_visible()
    assert all(repo.private for repo in hub.repos.values())
    assert "hf_write" not in app.log.read_text()
    server.shutdown()


def test_what_it_costs_is_said_in_words(tmp_path):
    dataset(tmp_path / "dataset")
    t4 = Hardware("t4-small", "T4", 0.40, "T4", 1, "16 GB")
    told = jobs._cost(Visitor(tmp_path), t4, 30, TrainingConfig())
    assert "At most $0.20" in told
    assert "5 minutes" in told
    assert "give it more time" in jobs._cost(Visitor(tmp_path), t4, 1, TrainingConfig())


def test_a_space_says_what_it_cannot_train(monkeypatch):
    assert jobs.notice() == ""
    monkeypatch.setenv("SPACE_ID", "ann/chat-twin")
    assert "no GPU" in jobs.notice()
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    assert "ZeroGPU" in jobs.notice()
    monkeypatch.setenv("SPACES_ZERO_GPU", "")
    monkeypatch.setenv("ACCELERATOR", "t4-small")
    assert jobs.notice() == ""


def made_run(folder: Path, **settings) -> Path:
    from pipeline.runs.state import write_state

    dataset(folder / "dataset")
    (folder / "config.json").write_text(TrainingConfig(**settings).model_dump_json())
    lines = [{"step": 0, "epoch": 0.0, "validation_loss": 3.5}, {"step": 1, "epoch": 0.5, "loss": 3.2},
             {"step": 2, "epoch": 1.0, "loss": 3.0}, {"step": 2, "epoch": 1.0, "validation_loss": 3.1}]  # fmt: skip
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    write_state(folder, status="done", step=2, total_steps=2, base_validation_loss=3.5, best_validation_loss=3.1)
    return folder


def test_two_runs_side_by_side_tell_what_differs(tmp_path):
    from pipeline.evaluation import Answers, Candidate, Exam, write_exam

    one = made_run(tmp_path / "20240301-200000-aa", rank=8)
    other = made_run(tmp_path / "20240302-210000-bb", rank=64)
    answers = Answers(
        sampled=9, most_tokens=200, ended=1, other_side=0, repeats=0, mean_characters=31, mean_bubbles=1.5
    )
    write_exam(
        Exam(made_at=datetime(2024, 1, 1), person="Ann", model="x", held_out_replies=3,
             candidates=(Candidate(name="twin", answers=answers),)),
        other,
    )  # fmt: skip
    drawn = two_runs(one, other)
    assert "1 March, 20:00" in drawn
    assert "Rank of the LoRA matrices" in drawn
    assert ">8<" in drawn
    assert ">64<" in drawn
    assert "Longest row" not in drawn
    assert "Replies that end by themselves" in drawn
    assert drawn.count("<circle") == 2 + 4
    assert "same settings" in two_runs(one, one)
