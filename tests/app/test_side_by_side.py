"""Side by side: who may answer, at a message or at a real moment, whose real answer stays hidden until asked for."""

import shutil
from html import unescape
from types import SimpleNamespace

import gradio as gr
import pytest
from built import built, first_values

from pipeline.chat.conversation import BASE
from pipeline.errors import ChatError
from pipeline.evaluation import held_out_moments
from pipeline.prompt import split_bubbles
from pipeline.store import workspace
from tabs.chat import side_by_side
from web.cookie import COOKIE
from web.views.side_by_side import moment_to_answer

RUN = "20240101-120000-abcd"


@pytest.fixture
def owner(tiny_run):
    """A request of a visitor who has one twin, and its folder."""
    key = workspace.new_key()
    folder = workspace.create(key=key)
    run = shutil.copytree(tiny_run, folder / "runs" / RUN)
    yield SimpleNamespace(cookies={COOKIE: key}), run
    workspace.purge(folder)


@pytest.fixture
def page():
    """The panel, and what is around it."""

    def build(stage):
        who = gr.Dropdown()
        return side_by_side.build(stage, who, gr.on(who.change, lambda: None))

    return built(build)


def asked(panel, kind, text, number, names):
    """What the page sends: who answers what."""
    return first_values(panel.asked) | {
        panel.who: RUN, panel.kind: kind, panel.message: text, panel.number: number, panel.answering: names,
    }  # fmt: skip


def test_several_answer_at_a_real_moment_and_the_real_answer_is_uncovered_last(owner, page):
    request, run = owner
    panel, stage = page
    moment = held_out_moments(run)[2]
    real = split_bubbles(moment.reply)[0]
    values = asked(panel, side_by_side.REAL, "", 3, [RUN, side_by_side.PROMPTED, BASE])
    steps = list(side_by_side._answer(panel, stage, request, values))
    shown = [step[panel.columns] for step in steps]
    assert shown[0].count('class="column"') == shown[-1].count('class="column"') == 3
    assert all(f">{real}<" not in columns for columns in shown)
    assert steps[-1][panel.uncover].visible
    assert not steps[-1][panel.stop].visible
    assert real in side_by_side._uncover(panel, request, RUN, 3)[panel.truth]
    assert split_bubbles(moment.history[-1]["content"])[-1] in unescape(moment_to_answer([moment], 1))


def test_nobody_and_nothing_are_sentences(owner, page):
    request, _ = owner
    panel, stage = page
    for kind, text, number, names in (
        (side_by_side.MINE, "hi", 1, []),
        (side_by_side.MINE, " ", 1, [BASE]),
        (side_by_side.REAL, "", 999, [BASE]),
    ):
        with pytest.raises(ChatError):
            next(side_by_side._answer(panel, stage, request, asked(panel, kind, text, number, names)))


def test_the_choice_is_redrawn_when_twins_come_or_go_and_not_otherwise(owner, page):
    request, run = owner
    panel, _ = page
    drawn = side_by_side._draw(panel, request, RUN, "")
    assert [name for _, name in drawn[panel.answering].choices] == [RUN, side_by_side.PROMPTED, BASE]
    assert drawn[panel.number].maximum == len(held_out_moments(run))
    assert side_by_side._draw(panel, request, RUN, drawn[panel.known]) == {}
    shutil.rmtree(run)
    drawn = side_by_side._draw(panel, request, RUN, drawn[panel.known])
    assert [name for _, name in drawn[panel.answering].choices] == [BASE]
