"""The Dataset tab in a browser: the cut on the silences, the filters' switches, and a push that says what changed."""

import pages
import pytest
from chats import export
from playwright.sync_api import Page, expect

from tests.hub.server import TOKEN
from tests.hub.server import serve as serve_hub

pytestmark = [pytest.mark.slow, pytest.mark.browser]


@pytest.fixture
def hub():
    made, server = serve_hub()
    yield made
    server.shutdown()
    server.server_close()


def say(index: int) -> str:
    return f"https://example.org/{index}" if index % 24 == 1 else f"line {index} about the garden"


def set_to(page: Page, label: str, value: float) -> None:
    field = page.get_by_label(label)
    field.fill(str(value))
    field.blur()


def test_what_is_learned_follows_the_settings_and_a_push_says_what_changed(hub, serve, page: Page, tmp_path):
    path = tmp_path / "_chat.txt"
    path.write_text(export([(("Grace", "Ada")[i % 2], say(i)) for i in range(240)]), encoding="utf-8")
    reach = {"HF_ENDPOINT": hub.url, "HF_TOKEN": TOKEN, "HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_XET": "1"}
    pages.enter(page, serve(tmp_path / "home", **reach).url)
    pages.bring(page, path)
    pages.go_to(page, "Dataset")
    verdict = page.locator("#dataset-verdict")
    expect(verdict).to_contain_text("91\nreplies to learn from", use_inner_text=True, timeout=60_000)

    expect(page.locator("#figure-gaps svg.marks")).to_be_visible(timeout=30_000)
    expect(page.locator("#figure-row-lengths svg.marks")).to_be_visible(timeout=30_000)
    expect(page.locator("#figure-gaps h3")).to_contain_text("6 conversations")
    set_to(page, "number input for A silence of so many hours", 23)
    expect(page.locator("#figure-gaps h3")).to_contain_text("A silence of 23 hours ends a conversation: 1 conversation")

    page.locator("#left-out > button").click()
    expect(page.locator("#filter-link")).to_contain_text("Nothing but links · 10", use_inner_text=True)
    expect(page.locator("#left-out")).to_contain_text("https://example.org/1")
    page.locator("#filter-link input").uncheck()
    expect(verdict).to_contain_text("102\nreplies to learn from", use_inner_text=True)

    pages.make_dataset(page)
    page.locator("#dataset-hub > button").click()
    page.locator("#dataset-look").click()
    page.locator("#dataset-repo textarea, #dataset-repo input").fill("ours")
    page.locator("#dataset-consent input").check()
    page.locator("#dataset-push").click()
    pushed = page.locator("#dataset-pushed")
    expect(pushed).to_contain_text("Done. Only you can see it.", timeout=60_000)

    page.locator("#dataset-settings > button").click()
    set_to(page, "Most replies to learn from", 50)
    expect(verdict).to_contain_text("50\nreplies to learn from", use_inner_text=True)
    page.locator("#make-dataset").click()
    expect(page.locator("#make-dataset")).to_contain_text("Make it again", timeout=60_000)
    # What was agreed to is not what would go up now.
    page.locator("#dataset-push").click()
    expect(pushed).to_contain_text("has changed since you looked at it", timeout=60_000)
    assert len(hub.repos["dataset", "ann/ours"].commits) == 1
    expect(page.locator("#dataset-consent input")).not_to_be_checked()
    page.locator("#dataset-push").click()
    expect(page.locator(".toast-body")).to_contain_text("agree", timeout=30_000)
    page.locator("#dataset-consent input").check()
    page.locator("#dataset-push").click()
    expect(pushed).to_contain_text("Updated. Only you can see it.", timeout=60_000)
    expect(pushed.locator("tr", has_text="train replies")).to_contain_text("-52")
    assert hub.repos["dataset", "ann/ours"].private
