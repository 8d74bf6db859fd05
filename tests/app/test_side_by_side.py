"""Side by side: who may answer, at a message or at a real moment, whose real answer stays hidden until asked for."""

import shutil
from html import unescape
from types import SimpleNamespace

import gradio as gr
import pytest

from pipeline.evaluation import held_out_moments
from pipeline.inference import LoadedModels
from pipeline.prompt import split_bubbles
from pipeline.store import workspace
from tabs.chat import side_by_side as compare
from tabs.chat.conversations import BASE
from tabs.visitor import Stage
from web.guard import COOKIE

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
def answer():
    return compare._answer_with(Stage(None, None, None, None, LoadedModels()))


def test_several_answer_at_a_real_moment_and_the_real_answer_is_uncovered_last(owner, answer):
    request, run = owner
    moment = held_out_moments(run)[2]
    real = split_bubbles(moment.reply)[0]
    steps = list(answer(request, RUN, compare.REAL, "", 3, [RUN, compare.PROMPTED, BASE]))
    assert steps[0][0].count('class="column"') == steps[-1][0].count('class="column"') == 3
    assert all(f">{real}<" not in step[0] for step in steps)
    assert steps[-1][2].visible
    assert not steps[-1][3].visible
    assert real in compare._uncover(request, RUN, 3)
    shown = compare._shown([moment], 1)
    assert split_bubbles(moment.history[-1]["content"])[-1] in unescape(shown)


def test_nobody_and_nothing_are_sentences(owner, answer):
    request, _ = owner
    for kind, text, names in ((compare.MINE, "hi", []), (compare.MINE, " ", [BASE])):
        with pytest.raises(compare.ChatError):
            next(answer(request, RUN, kind, text, 1, names))
    with pytest.raises(compare.ChatError):
        next(answer(request, RUN, compare.REAL, "", 999, [BASE]))


def test_the_choice_is_redrawn_when_twins_come_or_go_and_not_otherwise(owner):
    request, run = owner
    picker, slider, _, known = compare._draw(request, RUN, "")
    assert [name for _, name in picker.choices] == [RUN, compare.PROMPTED, BASE]
    assert slider.maximum == len(held_out_moments(run))
    assert compare._draw(request, RUN, known) == [gr.skip()] * 4
    shutil.rmtree(run)
    picker, *_ = compare._draw(request, RUN, known)
    assert [name for _, name in picker.choices] == [BASE]
