"""The report opens offline and asks nothing of anyone; the card is a picture; both can hide names and words."""

import subprocess
import sys

import pytest

from pipeline import analysis, report
from pipeline.errors import ChatError
from pipeline.report.fonts import fit, text_width
from pipeline.sample import sample_text, write_sample
from pipeline.sources import parse
from tests.analysis.chats import TWO, chat
from tests.analysis.made_group import export_text
from tests.app.conftest import browser_type_launch_args  # noqa: F401  (the browser of this machine)


@pytest.fixture(scope="module")
def sample():
    return analysis.analyse(parse(sample_text())[0])


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The report as the command line writes it."""
    folder = tmp_path_factory.mktemp("report")
    export, out = write_sample(folder), folder / "report.html"
    subprocess.run([sys.executable, "-m", "pipeline", "analyse", str(export), "--out", str(out)], check=True)
    return out


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_report_of_the_command_line_opens_with_no_request_to_anywhere(scheme, browser, written):
    out = written
    context = browser.new_context(viewport={"width": 390, "height": 800}, color_scheme=scheme, offline=True)
    page, asked, complaints = context.new_page(), [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    page.goto(out.as_uri())
    page.wait_for_function(
        "document.querySelectorAll('.plot').length === document.querySelectorAll('svg.marks').length"
    )
    assert asked == [out.as_uri()]
    assert complaints == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.evaluate("document.documentElement.classList.contains('dark')") is (scheme == "dark")
    assert "2,866 messages in 17 days" in page.inner_text("h2")
    context.close()


def test_a_hidden_report_holds_neither_names_nor_words(sample, tmp_path):
    shown = report.write(sample, tmp_path / "a.html", title="Noah & Ryan").read_text(encoding="utf-8")
    hidden = report.write(sample, tmp_path / "b.html", title="Noah & Ryan", hidden=True).read_text(encoding="utf-8")
    assert "Noah" in shown
    assert "haha" in shown
    assert not any(secret in hidden for secret in ("Noah", "Ryan", "haha", "thousand points"))
    assert "Person 1" in hidden


def test_no_name_can_end_the_script_it_stands_in(tmp_path):
    evil = "</script><script>window.evil=1</script>"
    found = analysis.analyse(chat("\n".join(f"01 10:{i:02d} {who}: x" for i, who in enumerate([evil, "Ann"] * 9))))
    text = report.write(found, tmp_path / "r.html", title=evil).read_text(encoding="utf-8")
    assert "<script>window.evil" not in text


def test_the_card_is_a_picture_in_every_script(tmp_path):
    from PIL import Image

    found = analysis.analyse(parse(export_text(3000))[0])
    pictures = {}
    for place, person in enumerate(found.people[:6]):
        path = report.write_card(found, person, tmp_path / f"{place}.png")
        with Image.open(path) as image:
            assert image.size == (1080, 1350)
            pictures[person] = image.tobytes()
    assert len(set(pictures.values())) == 6


def test_a_hidden_card_does_not_change_with_the_name(tmp_path):
    one, other = analysis.analyse(TWO), analysis.analyse(TWO.with_columns(sender=TWO["sender"].replace("Ann", "Zoe")))
    first = report.write_card(one, "Ann", tmp_path / "1.png", hidden=True).read_bytes()
    assert first == report.write_card(other, "Zoe", tmp_path / "2.png", hidden=True).read_bytes()
    assert first != report.write_card(one, "Ann", tmp_path / "3.png").read_bytes()


def test_a_card_of_nobody_is_refused(tmp_path):
    with pytest.raises(ChatError, match="wrote nothing"):
        report.write_card(analysis.analyse(TWO), "Zoe", tmp_path / "x.png")


def test_long_lines_are_made_to_fit():
    long = "wide " * 10
    assert text_width(long, 84) > 900
    assert text_width(long, fit(long, 84, 900)) <= 910
    assert fit("short", 84, 900) == 84
