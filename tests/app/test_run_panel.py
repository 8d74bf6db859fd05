"""A run's panel in words, from a run's folder; drawn without a browser."""

import re

import pytest

from pipeline.planning import TrainingConfig
from pipeline.runs import add_metrics, hold_run, read_run, write_state
from pipeline.store import replace_text
from web.views.run import run_panel


@pytest.fixture
def ended(tmp_path):
    """A run that is over, with the held-out loss before training and after."""

    def make(before: float, after: float, config=None, **state):
        replace_text(tmp_path / "config.json", (config or TrainingConfig()).model_dump_json())
        write_state(tmp_path, step=8, total_steps=8, **state)
        add_metrics(tmp_path, {"step": 0, "epoch": 0.0, "validation_loss": before})
        add_metrics(tmp_path, {"step": 8, "epoch": 1.0, "validation_loss": after})
        return re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", run_panel(read_run(tmp_path))))

    return make


def test_how_much_a_run_gained_is_said(ended):
    assert "3.80 → 3.04 , 20 % below before training" in ended(3.8, 3.04, status="done")


def test_a_run_that_gained_nothing_says_so_with_its_own_last_loss_and_what_to_do(ended):
    said = ended(3.78, 6.57, status="done", message="It learned nothing that helps. Use more replies.")
    assert "3.78 → 6.57 , no better than before training" in said
    assert "Use more replies." in said


def test_while_it_learns_it_says_what_was_planned_anew(ended, tmp_path):
    with hold_run(tmp_path):
        said = ended(3.8, 3.04, status="running", message="Planned anew on a T4 instead of CPU: precision fp16.")
    assert "Learning" in said
    assert "Planned anew on a T4" in said


def test_what_the_state_has_said_is_not_said_again(ended):
    asked = "Stopped as asked; the best adapter so far was kept."
    assert "as asked" not in ended(3.8, 3.04, status="stopped", message=asked)
    assert "It learned nothing that helps." in ended(
        3.8, 3.9, status="stopped", message=f"{asked} It learned nothing that helps."
    )


def test_a_run_that_trackio_follows_says_how_to_see_it(ended):
    said = ended(3.8, 3.04, config=TrainingConfig(trackio=True), status="done")
    assert "/trackio trackio show --project chat-twin" in said
    assert "trackio" not in ended(3.8, 3.04, status="done")
