"""The blind test in a browser: the owner makes and approves moments, a friend plays by the link, the owner sees it."""

import pages
import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = [pytest.mark.slow, pytest.mark.browser]


def turns(found: Locator) -> list[str]:
    """What is said in each of these turns."""
    return ["\n".join(turn.locator(".bubble").all_inner_texts()) for turn in found.all()]


def test_a_friend_plays_what_the_owner_approved_and_nothing_else(app, tiny_run, page: Page, new_context):
    pages.with_twin(app, page, tiny_run)
    page.locator("#blind-fold > button").click()
    page.locator("#blind-make").click()
    moments = page.locator("#blind-moments .conversation")
    expect(moments.first).to_be_visible(timeout=120_000)
    texts = moments.all_inner_texts()
    assert len(texts) >= 3
    said_before = [text for moment in moments.all() for text in turns(moment.locator(".turn.quiet"))]
    answers = [turns(moment.locator(".turn:has(.who:text-is('really'))"))[0] for moment in moments.all()]
    assert not set(answers) & set(said_before), "a real answer stands in what was said before another moment"
    for number in (0, 1):
        page.locator("#blind-approved label").nth(number).click()
    page.locator("#blind-called textarea, #blind-called input").fill("my friend")
    page.locator("#blind-share").click()
    link = page.locator("#blind-address").get_attribute("href", timeout=30_000)
    assert link.startswith(f"{app.url}play/")

    friend = new_context().new_page()
    friend.set_viewport_size({"width": 390, "height": 844})
    friend.goto(link)
    expect(friend.locator("body")).to_contain_text("2 moments")
    friend.get_by_role("button", name="Begin").click()
    seen = ""
    for number in (1, 2):
        expect(friend.locator("body")).to_contain_text(f"{number} of 2")
        expect(friend.locator("h2")).to_contain_text("my friend")
        seen += friend.locator(".conversation").inner_text()
        friend.locator("button.answer").first.click()
        expect(friend.locator("body")).to_contain_text("the twin")
        friend.locator("a.go").click()
    expect(friend.locator("h1")).to_contain_text("out of 2")
    assert "Noah" not in seen
    for hidden in texts[2:]:
        assert hidden.splitlines()[0] not in seen or hidden.splitlines()[0] in "".join(texts[:2])

    page.locator("#blind-refresh").click()
    expect(page.locator("#blind-score")).to_contain_text("of 2 (", timeout=30_000)
    page.locator("#blind-approved label").nth(0).click()
    page.locator("#blind-share").click()
    expect(page.get_by_text("It shows the moment that is ticked")).to_be_visible(timeout=30_000)
    friend.goto(link)
    expect(friend.locator("body")).to_contain_text("1 moment of", timeout=10_000)
