"""The app dies while a model trains: the training goes on, and the next start finds it."""

import re

import pages
import pytest
from chats import two_people
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.slow, pytest.mark.browser]


def come_back(new_context, page: Page, url: str) -> Page:
    """The same browser (its cookie) at the restarted app."""
    context = new_context()
    cookies = page.context.cookies()
    page.context.close()
    context.add_cookies([{**cookie, "url": url, "domain": None, "path": None} for cookie in cookies])
    return pages.enter(context.new_page(), url)


def test_killing_the_app_while_training_and_starting_it_again_finds_the_run(serve, tmp_path, tiny_run, new_context):
    app = serve(tmp_path / "home")
    page = pages.enter(new_context().new_page(), app.url)
    (tmp_path / "_chat.txt").write_text(two_people(), encoding="utf-8")
    pages.bring(page, tmp_path / "_chat.txt")
    expect(page.locator("#header")).to_contain_text("Ada", timeout=60_000)
    pages.make_dataset(page)
    pages.train(page, epochs=100, model=tiny_run / "model")
    app.kill()

    app = serve(tmp_path / "home", CHAT_TWIN_SWEEP_SECONDS="1")
    page = come_back(new_context, page, app.url)
    pages.go_to(page, "Fine-tune")
    expect(page.locator("#run")).to_contain_text(re.compile(r"step [\d,]+ of [1-9]"), timeout=120_000)
    page.locator("#pause").click()
    expect(page.locator("#run")).to_contain_text("Paused", timeout=180_000)
    expect(page.locator("#resume")).to_be_visible()

    # "Delete my data" ends a training at once and leaves nothing of it.
    page.locator("#resume").click()
    expect(page.locator("#stop")).to_be_visible(timeout=60_000)
    page.locator("#forget").click()
    page.locator("#forget-yes").click()
    expect(page.locator("#sample")).to_be_visible(timeout=60_000)
    assert list(app.home.glob("visitors/*/runs")) == []
    assert list(app.home.glob("visitors/.gone*")) == []
