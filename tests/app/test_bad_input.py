"""What cannot be used is answered with one sentence on the page, and nothing that was there is lost."""

import zipfile
from pathlib import Path

import pages
import pytest
from chats import export, two_people
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.slow, pytest.mark.browser]


def zipped(path: Path, **members: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in members.items():
            archive.writestr(name.replace("__", "."), text)
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("bad")
    (folder / "empty.txt").write_text("")
    (folder / "story.txt").write_text("Once upon a time there was a file.\nIt was no chat at all.\n" * 40)
    (folder / "chat.txt").write_text(two_people(), encoding="utf-8")
    (folder / "alone.txt").write_text(export([("Ada", f"note {i}") for i in range(80)]), encoding="utf-8")
    (folder / "short.txt").write_text(two_people(20), encoding="utf-8")
    zipped(folder / "photos.zip", photo__jpg="no picture", notes__md="no chat")
    (folder / "broken.zip").write_bytes(b"PK\x03\x04 not an archive")
    return {path.name: path for path in folder.iterdir()}


@pytest.mark.parametrize("name", ["empty.txt", "story.txt", "photos.zip", "broken.zip"])
def test_a_file_that_is_no_chat_gets_one_sentence(app, page: Page, files, name):
    pages.enter(page, app.url)
    pages.bring(page, files[name])
    said = page.locator("#start-trouble .failed")
    expect(said).to_be_visible(timeout=30_000)
    sentence = said.inner_text().strip()
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert len(sentence) < 200
    assert "rror" not in sentence
    expect(page.locator("#sample")).to_be_visible()


@pytest.mark.parametrize(("name", "says"), [("alone.txt", "Only Ada writes"), ("short.txt", "at least")])
def test_a_chat_to_learn_nothing_from_says_what_is_missing(app, page: Page, files, name, says):
    pages.enter(page, app.url)
    pages.bring(page, files[name])
    expect(page.locator("#header")).to_contain_text("Ada", timeout=30_000)
    pages.go_to(page, "Dataset")
    expect(page.locator("#dataset-verdict .failed")).to_contain_text(says, timeout=30_000)
    expect(page.locator("#make-dataset")).to_be_disabled()


def test_a_bad_file_costs_nothing_of_the_chat_that_was_there(app, page: Page, files):
    pages.enter(page, app.url)
    pages.bring(page, files["chat.txt"])
    expect(page.locator("#header")).to_contain_text("Ada & Grace", timeout=30_000)
    page.locator("#other").click()
    pages.bring(page, files["story.txt"])
    expect(page.locator("#start-trouble .failed")).to_be_visible(timeout=30_000)
    page.reload()
    expect(page.locator("#header")).to_contain_text("Ada & Grace", timeout=30_000)


def test_an_archive_with_several_chats_asks_which(app, page: Page, files, tmp_path: Path):
    both = zipped(tmp_path / "both.zip", Ada__txt=two_people(first="Ada"), Mary__txt=two_people(first="Mary"))
    pages.enter(page, app.url)
    pages.bring(page, both)
    expect(page.locator("#which")).to_be_visible(timeout=30_000)
    page.locator("#which-chat label", has_text="Mary").click()
    page.locator("#take-chat").click()
    expect(page.locator("#header")).to_contain_text("Mary", timeout=30_000)


def test_dates_that_the_file_cannot_tell_are_asked_about_and_flipped(app, page: Page, tmp_path: Path):
    lines = "".join(
        f"[03/04/24, 09:{minute:02d}:00] {('Ada', 'Grace')[minute % 2]}: line {minute}\n" for minute in range(60)
    )
    path = tmp_path / "ambiguous.txt"
    path.write_text(lines, encoding="utf-8")
    pages.enter(page, app.url)
    pages.bring(page, path)
    reading = page.locator("#reading")
    expect(reading).to_contain_text("Is that right?", timeout=30_000)
    guessed, other = ("April", "March") if "April" in reading.inner_text() else ("March", "April")
    expect(reading).to_contain_text(guessed)
    page.locator("#flip").click()
    expect(reading).to_contain_text(other, timeout=30_000)
