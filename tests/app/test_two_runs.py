"""A second run: the twin that one talks to stays, and two runs side by side are as they are now."""

import json
import re
import shutil
from pathlib import Path

import pages
import pytest
from playwright.sync_api import Page, expect

from pipeline.runs import write_state

pytestmark = [pytest.mark.slow, pytest.mark.browser]


def come_back(page: Page) -> None:
    """As when its visitor comes back to the page from elsewhere."""
    page.evaluate("window.dispatchEvent(new Event('focus'))")


def ended(run: Path, best: float, status: str = "done") -> Path:
    """A run that is over, with these held-out losses."""
    lines = [
        {"step": 0, "epoch": 0.0, "validation_loss": 3.5},
        {"step": 2, "epoch": 1.0, "loss": best},
        {"step": 2, "epoch": 1.0, "validation_loss": best},
    ]
    (run / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    write_state(run, status=status, step=2, total_steps=2, base_validation_loss=3.5, best_validation_loss=best)
    return run


def test_a_second_twin_leaves_the_first_where_it_is_and_the_comparison_is_of_now(app, tiny_run, page: Page):
    own = ended(pages.with_twin(app, page, tiny_run), 3.1)
    pages.talk(page, "hello there")
    other = ended(shutil.copytree(tiny_run, own.with_name("20240102-130000-abcd")), 3.2)
    come_back(page)
    pages.go_to(page, "Fine-tune")
    page.locator("#all-runs > button").click()
    beside = page.locator("#compare-runs")
    expect(beside).to_contain_text("3.200", timeout=30_000)
    expect(beside).not_to_contain_text("2.900")
    ended(other, 2.9, "stopped")
    come_back(page)
    expect(beside).to_contain_text("2.900", timeout=30_000)

    pages.go_to(page, "Chat")
    expect(page.locator("#who input")).to_have_value(re.compile("12:00"))
    expect(page.locator("#talk .turn.mine")).to_contain_text("hello there")
    pages.go_to(page, "Fine-tune")
    page.locator("#to-chat").click()
    expect(page.locator("#who input")).to_have_value(re.compile("13:00"), timeout=30_000)
    expect(page.locator("#talk .turn")).to_have_count(0)
