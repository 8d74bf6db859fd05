"""The exam in a browser: figures are added to it, it can be stopped, and a twin can be put beside those of others."""

import json
import os
import shutil

import pages
import pytest
from playwright.sync_api import Browser, expect

from pipeline.runs.state import write_state
from tests.evaluation.short_replies import shorten_replies

pytestmark = [pytest.mark.slow, pytest.mark.browser]


def test_a_twin_is_put_beside_another_and_looked_at_turn_by_turn(app, browser: Browser, tiny_run, tmp_path):
    folder = shutil.copytree(tiny_run, tmp_path / "run")
    shorten_replies(folder)
    write_state(folder, status="done")
    page = browser.new_context(viewport={"width": 1200, "height": 900}).new_page()
    own = pages.with_twin(app, page, folder)
    page.locator("#exam-fold > button").click()
    expect(page.locator("#examine-turns")).to_be_visible()
    expect(page.locator("#examine-other")).to_be_hidden()  # there is nobody else yet

    page.locator("#examine-turns").click()
    expect(page.locator("#exam")).to_contain_text("turn 10", timeout=120_000)
    expect(page.locator("#exam")).to_contain_text("bits a character")
    expect(page.locator("#examine-stop")).to_be_hidden()

    other = shutil.copytree(own, own.parent / "20240101-101010-abcdef")
    about = json.loads((other / "dataset" / "dataset.json").read_text())
    about["config"]["person"] = "Ryan"
    (other / "dataset" / "dataset.json").write_text(json.dumps(about))
    page.reload()
    pages.go_to(page, "Chat")
    page.locator("#exam-fold > button").click()
    expect(page.locator("#examine-swap")).to_be_visible(timeout=60_000)
    page.locator("#examine-swap").click()
    expect(page.locator("#exam")).to_contain_text("not the other's", timeout=120_000)
    expect(page.locator("#exam")).to_contain_text("turn 10")
    if shots := os.environ.get("SHOTS"):
        for dark in (False, True):
            page.emulate_media(color_scheme="dark" if dark else "light")
            page.locator("#exam-fold").screenshot(path=f"{shots}/exam-{'dark' if dark else 'light'}.png")
        page.set_viewport_size({"width": 390, "height": 844})
        page.locator("#exam-fold").screenshot(path=f"{shots}/exam-390.png")

    (own / "generation.json").unlink()  # what is tuned anew takes long enough to be stopped
    page.locator("#examine-full").click()
    page.locator("#examine-stop").click()
    expect(page.locator("#examine")).to_be_visible(timeout=30_000)
    expect(page.locator("#exam")).to_contain_text("turn 10")
