"""What a visitor does on the page, as functions of a playwright page."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from playwright.sync_api import Page, expect

__all__ = [
    "bring",
    "enter",
    "enter_anew",
    "go_to",
    "make_dataset",
    "settled",
    "talk",
    "train",
    "try_sample",
    "until",
    "with_twin",
]

Found = TypeVar("Found")

SECOND = 1000
STEPS = ("Analyse", "Dataset", "Fine-tune", "Chat")


def until(found: Callable[[], Found], seconds: float = 60) -> Found:
    """What `found` gives once that is anything, or when the time is over: for what no page tells of, such as files."""
    end = time.monotonic() + seconds
    while not (now := found()) and time.monotonic() < end:
        time.sleep(0.2)
    return now


def settled(page: Page) -> None:
    """Wait until what was put into the page has been drawn, and whatever it loads has been asked for."""
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))")


def enter(page: Page, url: str) -> Page:
    page.set_default_timeout(90 * SECOND)  # of a click, when the cores are busy with other tests
    page.goto(url)
    expect(page.get_by_role("tab").first).to_be_visible(timeout=60 * SECOND)
    return page


def go_to(page: Page, step: str) -> None:
    page.get_by_role("tab").nth(STEPS.index(step)).click()


def try_sample(page: Page) -> None:
    page.locator("#sample").click()
    expect(page.locator("#header")).to_contain_text("2,866 messages", timeout=60 * SECOND)


def bring(page: Page, path: Path) -> None:
    """Choose a file, as with the phone's file picker."""
    page.locator("#upload input[type=file]").set_input_files(path)


def make_dataset(page: Page, *, most_replies: int | None = None) -> None:
    """Make it from all replies, or from a few (and few held out), which two busy cores can learn in a minute."""
    go_to(page, "Dataset")
    expect(page.locator("#rows .bubble").first).to_be_visible(timeout=60 * SECOND)
    if most_replies is not None:
        page.locator("#dataset-settings > button").click()
        for label, value in (("Most replies to learn from", most_replies), ("number input for Held out", 0.05)):
            field = page.get_by_label(label)
            field.fill(str(value))
            field.blur()
    page.locator("#make-dataset").click()
    expect(page.locator("#to-finetune")).to_be_visible(timeout=120 * SECOND)


def train(page: Page, *, epochs: float, model: Path | None = None) -> None:
    """Press Train, with the starter or the model in this folder; returns while it trains."""
    go_to(page, "Fine-tune")
    expect(page.locator("#train")).to_be_visible(timeout=30 * SECOND)
    page.locator("#finetune-settings > button").click()
    if model is not None:
        page.locator("#model input").fill(str(model))
        page.locator("#model input").press("Enter")
    field = page.get_by_label("Times each reply is seen")
    field.fill(str(epochs))
    field.blur()
    page.locator("#train").click()
    expect(page.locator("#stop")).to_be_visible(timeout=60 * SECOND)


def talk(page: Page, text: str) -> str:
    """Say something to whoever answers, wait for the whole reply, and return it."""
    before = page.locator("#talk .turn.twin").count()
    page.locator("#say textarea").fill(text)
    page.locator("#send").click()
    expect(page.locator("#talk .turn.mine").last).to_contain_text(text, timeout=30 * SECOND)
    expect(page.locator("#talk .turn.twin")).to_have_count(before + 1, timeout=240 * SECOND)
    expect(page.locator("#send")).to_be_visible(timeout=240 * SECOND)
    return page.locator("#talk .turn.twin").last.inner_text()


def enter_anew(app, page: Page) -> Path:
    """Enter the app as a new visitor; their folder, which is made when the page first asks what they have."""
    known = set(app.home.glob("visitors/*"))
    enter(page, app.url)
    return until(lambda: set(app.home.glob("visitors/*")) - known).pop()


def with_twin(app, page: Page, run: Path) -> Path:
    """Enter the app as an owner who has a dataset and a finished run on it, a copy of which is returned."""
    own = shutil.copytree(run, enter_anew(app, page) / "runs" / "20240101-120000-abcd")
    shutil.copytree(run / "dataset", own.parents[1] / "dataset")
    page.reload()
    go_to(page, "Chat")
    expect(page.locator("#chat-head")).to_contain_text("A twin of Noah", timeout=60 * SECOND)
    return own
