"""The Chat tab in a browser: turns that are changed, the person's own pace, several who answer, a learning curve."""

import json
import shutil

import pages
import pytest
from playwright.sync_api import Browser, Page, expect

from pipeline.evaluation import evaluate
from pipeline.evaluation.learning_curve import SHARES
from pipeline.planning import TrainingConfig
from pipeline.runs.state import write_state
from tests.evaluation.short_replies import shorten_replies

pytestmark = [pytest.mark.slow, pytest.mark.browser]

# Writes down all that is seen of the newest answer while it comes.
WATCH = """() => {
  window.seen = [];
  new MutationObserver(() => {
    const turn = [...document.querySelectorAll('#talk .turn.twin:not(.changing)')].pop();
    if (turn) window.seen.push(turn.innerText);
  }).observe(document.querySelector('#talk'), {childList: true, subtree: true, characterData: true});
}"""


@pytest.fixture(scope="module")
def run(tiny_run, tmp_path_factory):
    """A finished run with a rhythm of its own, examined, and with all but the first run of a learning curve."""
    folder = shutil.copytree(tiny_run, tmp_path_factory.mktemp("owned") / "run")
    shorten_replies(folder)  # the curve's own run is tuned to them
    about = json.loads((folder / "dataset" / "dataset.json").read_text())
    about["summary"]["rhythm"] = {"pause": 0.1, "per_character": 0.1, "spread": 0.0}
    (folder / "dataset" / "dataset.json").write_text(json.dumps(about))
    model = json.loads((folder / "config.json").read_text())["model"]
    settings = TrainingConfig(model=model, epochs=0.5, validations=1)
    (folder / "config.json").write_text(settings.model_dump_json())
    write_state(folder, status="done")
    evaluate(folder, samples=2)
    for share in SHARES[1:]:
        shutil.copytree(folder, folder / "curve" / "runs" / f"{share:.3f}", ignore=shutil.ignore_patterns("curve"))
    return folder


@pytest.fixture(scope="module")
def owner(app, browser: Browser, run):
    """The tab of one visitor who has that run, and its dataset in step 2, for all tests here; and that run's folder."""
    opened = browser.new_context(viewport={"width": 1200, "height": 900}).new_page()
    own = pages.with_twin(app, opened, run)
    yield opened, own
    opened.context.close()


@pytest.fixture(scope="module")
def page(owner):
    return owner[0]


@pytest.fixture(scope="module")
def folder(owner):
    """The visitor's own folder."""
    return owner[1].parents[1]


def test_turns_are_changed_and_answers_come_at_their_own_pace(page: Page, folder):
    pages.talk(page, "hello there")
    page.locator("#talk .turn.twin .pencil").click()
    box = page.locator("#talk .changing textarea")
    expect(box).to_be_focused()
    box.fill("first of two\nsecond of two")
    page.locator("#talk .changing .go").click()
    answer = page.locator("#talk .turn.twin").first
    expect(answer.locator(".bubble")).to_have_text(["first of two", "second of two"])
    expect(page.locator("#talk .changing")).to_have_count(0)

    page.locator("#paced input").check()
    page.evaluate(WATCH)
    reply = pages.talk(page, "and then?")
    expect(answer.locator(".bubble")).to_have_text(["first of two", "second of two"])
    lines = reply.splitlines()
    shown = [text.splitlines() for text in page.evaluate("window.seen") if "second of two" not in text]
    assert all(text == lines[: len(text)] for text in shown), "a bubble was seen before it was whole"
    assert json.loads((folder / "choices.json").read_text())["paced"] is True
    page.locator("#paced input").uncheck()

    page.locator("#talk .turn.mine .pencil").last.click()
    expect(box).to_have_value("and then?")
    box.press("Escape")
    expect(box).to_have_count(0)
    page.locator("#talk .turn.mine .pencil").first.click(force=True)
    box.fill("good morning")
    box.press("Control+Enter")
    expect(page.locator("#talk .turn.mine")).to_have_text(["good morning"], timeout=30_000)
    expect(page.locator("#send")).to_be_visible(timeout=60_000)
    expect(answer).not_to_contain_text("second of two")


def test_what_is_said_while_a_reply_comes_is_said_once_it_is_there(page: Page):
    said, answered = page.locator("#talk .turn.mine"), page.locator("#talk .turn.twin")
    before = said.count()
    page.locator("#paced input").check()
    for number, text in enumerate(("one more thing", "and one more"), start=1):
        page.locator("#say textarea").fill(text)
        page.locator("#say textarea").press("Enter")
        if number == 1:
            expect(page.locator("#stop-reply")).to_be_visible()
    expect(said).to_have_count(before + 2, timeout=60_000)
    expect(answered).to_have_count(before + 2, timeout=60_000)
    assert [turn.inner_text().strip() for turn in said.all()[-2:]] == ["one more thing", "and one more"]
    expect(page.locator("#send")).to_be_visible(timeout=60_000)
    page.locator("#paced input").uncheck()


def test_three_answer_a_real_moment_and_what_was_really_said_comes_last(page: Page):
    page.locator("#compare-fold > button").click()
    page.locator("#compare-message textarea, #compare-message input").fill("hello there")
    page.locator("#compare-go").click()
    expect(page.locator("#compare-columns .typing").first).to_be_visible()
    page.get_by_label("A real moment of the chat").check()
    # What was asked before is answered no more.
    expect(page.locator("#compare-stop")).to_be_hidden()
    expect(page.locator("#compare-columns .column")).to_have_count(0)
    expect(page.locator("#compare-moment .bubble").first).to_be_visible()
    expect(page.locator("#uncover")).to_be_hidden()
    page.locator("#compare-go").click()
    columns = page.locator("#compare-columns .column")
    expect(columns).to_have_count(3)
    page.locator("#uncover").click(timeout=60_000)
    for number in range(3):
        expect(columns.nth(number).locator(".turn:not(.typing) .bubble, .failed").first).to_be_visible()
    expect(page.locator("#compare-truth")).to_contain_text("What was really said")


def test_a_learning_curve_is_drawn_and_nothing_else_trains_meanwhile(page: Page):
    page.locator("#learning-fold > button").click()
    page.locator("#learning-draw").click()
    expect(page.locator("#learning")).to_contain_text("Learning from 12% of the replies", timeout=30_000)
    pages.go_to(page, "Fine-tune")
    page.locator("#train").click(timeout=30_000)
    expect(page.locator(".toast-body")).to_contain_text("A learning curve is being drawn", timeout=30_000)
    pages.go_to(page, "Chat")
    expect(page.locator("#learning svg circle")).to_have_count(len(SHARES) + 1, timeout=120_000)
    expect(page.locator("#learning table tbody tr")).to_have_count(len(SHARES) + 1)
    expect(page.locator("#learning-draw")).to_be_visible()
