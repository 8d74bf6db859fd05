"""Ask the chat, in a browser: what was said is quoted, and nothing of the memory outlives the visitor's data."""

import pages
import pytest
from chats import export
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.slow, pytest.mark.browser]

TOLD = "the canoe tipped over on the lake <b>again</b>"


def test_a_question_finds_the_moment_and_goes_with_the_data(app, page: Page, tmp_path):
    lines = [(("Ada", "Bo")[i % 2], TOLD if i == 50 else f"word {i}") for i in range(90)]
    path = tmp_path / "_chat.txt"
    path.write_text(export(lines), encoding="utf-8")
    folder = pages.enter_anew(app, page)
    pages.bring(page, path)
    expect(page.locator("#ask-question textarea, #ask-question input")).to_be_visible(timeout=60_000)
    page.locator("#ask-button").click()
    expect(page.locator("#asked .failed")).to_contain_text("Ask the chat something first", timeout=60_000)

    page.locator("#ask-question textarea, #ask-question input").fill("Who fell into the water with the boat?")
    page.locator("#ask-button").click()
    first = page.locator("#asked .asked").first
    expect(first).to_contain_text(TOLD, timeout=120_000)
    expect(first.locator("h4")).to_contain_text("16 March 2024")
    hidden = page.locator("#asked details .bubble").first
    expect(hidden).not_to_be_visible()
    page.locator("#asked details summary").first.click()
    expect(hidden).to_be_visible()

    assert (folder / "chat" / "memory" / "wide.npy").is_file()
    page.locator("#forget").click()
    page.locator("#forget-yes").click()
    expect(page.locator("#sample")).to_be_visible(timeout=60_000)
    assert not folder.exists() or not list(folder.rglob("memory*"))
    assert page.locator("#asked .asked").count() == 0
