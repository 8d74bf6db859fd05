"""What a rented machine costs, and that a machine of one's own costs nothing."""

import pytest

from pipeline.machine.prices import price_per_hour
from pipeline.planning import TrainingConfig
from pipeline.runs import read_run
from pipeline.runs.state import write_state


@pytest.mark.parametrize(
    ("environment", "price"),
    [
        ({}, None),
        ({"ACCELERATOR": "t4-small"}, None),
        ({"SPACE_ID": "a/b", "ACCELERATOR": "t4-small"}, 0.40),
        ({"SPACE_ID": "a/b", "ACCELERATOR": "none"}, None),
        ({"SPACE_ID": "a/b", "ACCELERATOR": "t4-small", "CHAT_TWIN_PRICE_PER_HOUR": "0.55"}, 0.55),
        ({"CHAT_TWIN_PRICE_PER_HOUR": "2"}, 2.0),
        ({"CHAT_TWIN_PRICE_PER_HOUR": "cheap"}, None),
    ],
)
def test_the_price_of_a_machine(monkeypatch, environment, price):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert price_per_hour() == price


def test_money_spent_is_the_time_of_the_run(monkeypatch, tmp_path):
    (tmp_path / "config.json").write_text(TrainingConfig().model_dump_json())
    write_state(tmp_path, status="done", seconds=1000.0)
    assert read_run(tmp_path).spent is None
    monkeypatch.setenv("CHAT_TWIN_PRICE_PER_HOUR", "3.60")
    assert read_run(tmp_path).spent == pytest.approx(1.0)
