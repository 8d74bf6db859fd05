"""The first tab in a browser: charts, filters, what is taken along, and texts that would be code."""

import re

import pages
import pytest
from chats import export
from playwright.sync_api import Page, expect

from tests.analysis.made_group import export_text

pytestmark = [pytest.mark.slow, pytest.mark.browser]


def test_filters_answer_and_the_chat_can_be_taken_along(app, page: Page):
    pages.enter(page, app.url)
    pages.try_sample(page)
    expect(page.locator("#figure-volume svg.marks")).to_be_visible(timeout=60_000)
    headline = page.locator("#analysis .opening h2")
    expect(headline).to_contain_text("wrote 2,866 messages in 17 days")

    page.locator("#analysis-days input").first.press("ArrowRight")
    expect(headline).to_contain_text("wrote 2,814 messages in 16 days")
    expect(page.locator("#analysis-days output")).to_have_text("30 Oct 2018 to 14 Nov 2018")
    page.locator("#analysis-people input").click()
    page.get_by_role("option", name="Ryan").click()
    expect(headline).to_contain_text("Ryan\u2069 wrote 970 messages")
    page.keyboard.press("Escape")

    page.locator("#make-card").click()
    expect(page.locator("#taken img")).to_be_visible(timeout=30_000)
    page.locator("#take-hidden input").check()
    page.locator("#make-report").click()
    expect(page.locator("#taken a")).to_contain_text("report", timeout=30_000)
    with page.expect_download() as downloading:
        page.locator("#taken a").click()
    report = downloading.value.path().read_text(encoding="utf-8")
    assert "970 messages" in report
    assert "Ryan" not in report

    page.locator("#to-dataset").click()
    expect(page.get_by_role("radio", name=re.compile("Ryan"))).to_be_checked(timeout=30_000)


def test_names_and_words_are_shown_as_they_are_written(app, page: Page, tmp_path):
    """A name that is markup, a template of Gradio's or of Handlebars' stays text."""
    names = ['<img src=x onerror="window.evil=1">', "{{value}} ${7*6}"]
    alerts = []
    page.on("dialog", lambda dialog: (alerts.append(dialog.message), dialog.dismiss()))
    path = tmp_path / "_chat.txt"
    path.write_text(
        export([(names[i % 2], f"{{{{value}}}} ${{6*7}} boat{i % 2}") for i in range(60)]), encoding="utf-8"
    )
    pages.enter(page, app.url)
    pages.bring(page, path)
    expect(page.locator("#figure-volume svg.marks")).to_be_visible(timeout=60_000)
    shown = page.locator("#figure-volume .legend").inner_text()
    assert all(name in shown for name in names)
    assert page.evaluate("window.evil") is None
    assert alerts == []


@pytest.mark.parametrize("width", [1200, 390])
def test_a_group_of_fifty_fits_the_screen(width, app, page: Page, tmp_path):
    path = tmp_path / "_chat.txt"
    path.write_text(export_text(3000), encoding="utf-8", newline="")
    page.set_viewport_size({"width": width, "height": 900})
    pages.enter(page, app.url)
    pages.bring(page, path)
    expect(page.locator("#analysis .opening h2")).to_contain_text("50 people wrote 3,000 messages", timeout=60_000)
    expect(page.locator("#figure-answers svg.marks")).to_be_visible(timeout=60_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for chart in page.locator("#analysis svg.marks").all():
        box = chart.bounding_box()
        assert box is not None
        assert 0 < box["width"] <= width
