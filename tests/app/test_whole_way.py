"""The whole way in a browser, everything real: the sample chat, its charts, a dataset, a fine-tune, a conversation."""

import re

import pages
import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.slow, pytest.mark.browser]


def test_from_the_sample_chat_to_a_reply_of_its_twin(app, page: Page):
    outside = []
    page.on("request", lambda request: None if request.url.startswith(app.url) else outside.append(request.url))
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))

    pages.enter(page, app.url)
    pages.try_sample(page)
    expect(page.locator("#step-analyse svg, #step-analyse canvas").first).to_be_visible(timeout=60_000)

    pages.make_dataset(page, most_replies=40)
    expect(page.locator("#rows .turn.me:not(.quiet) .bubble").first).to_be_visible()
    with page.expect_download() as downloading:
        page.locator("#downloads a").first.click()
    assert downloading.value.path().read_text(encoding="utf-8").startswith('{"messages"')

    pages.train(page, epochs=0.4)  # three steps, the first to warm up
    expect(page.locator("#run")).to_contain_text(re.compile("Learning|Done"), timeout=120_000)
    expect(page.locator("#to-chat")).to_be_visible(timeout=300_000)
    expect(page.locator("#run")).to_contain_text("Loss on held-out replies")

    page.locator("#to-chat").click()
    expect(page.locator("#chat-head")).to_contain_text("A twin of Noah", timeout=30_000)
    assert pages.talk(page, "hey, what are you doing tonight?").strip()

    page.reload()
    expect(page.locator("#header")).to_contain_text("2,866 messages", timeout=30_000)
    pages.go_to(page, "Chat")
    expect(page.locator("#talk .turn.mine")).to_contain_text("hey, what are you doing tonight?", timeout=30_000)
    expect(page.locator("#talk .turn.twin")).to_have_count(1)
    assert errors == []
    assert [url for url in outside if not url.startswith(("data:", "blob:"))] == []
