"""Handlers and components: bound by `safely`, found by `parts`, and known to Gradio for what they take."""

import inspect
import warnings
from dataclasses import dataclass
from typing import Any

import gradio as gr
import pytest

from pipeline.errors import ChatError
from pipeline.inference import LoadedModels
from tabs.frame import build
from tabs.visitor import safely
from tabs.wiring import parts


@dataclass(frozen=True)
class Inner:
    one: gr.HTML
    several: dict[str, Any]


@dataclass(frozen=True)
class Outer:
    inner: Inner
    button: gr.Button
    number: int = 3


@pytest.fixture(scope="module")
def panel():
    with gr.Blocks():
        return Outer(Inner(gr.HTML(), {"a": gr.HTML(), "b": [gr.HTML(), gr.HTML()]}), gr.Button())


def test_parts_are_every_component_once(panel):
    b = panel.inner.several["b"]
    assert parts(panel, panel.button) == [panel.inner.one, panel.inner.several["a"], *b, panel.button]


def test_a_bound_handler_takes_what_is_left(panel):
    def handler(panel: Outer, request: gr.Request, values: dict) -> dict:
        return {panel.button: values}

    wrapped = safely(handler, panel)
    assert list(inspect.signature(wrapped).parameters) == ["request", "values"]
    assert wrapped(None, "values") == {panel.button: "values"}


def test_no_updates_leave_everything_as_it_is():
    def nothing():
        return {}

    assert safely(nothing)() == gr.skip()

    def steps():
        yield {}
        yield {"a": 1}

    assert list(safely(steps)()) == [gr.skip(), {"a": 1}]


def test_what_goes_wrong_is_a_sentence_in_both_kinds_of_handlers():
    def fails():
        raise ChatError("Say <this>.")

    def fails_later():
        yield {}
        raise ChatError("Say <this>.")

    for run in (safely(fails), lambda: list(safely(fails_later)())):
        with pytest.raises(gr.Error, match="Say &lt;this&gt;"):
            run()


def test_gradio_knows_what_every_handler_of_the_page_takes():
    """Where it does not, it warns, and gives the handler no request."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        build(lambda: "here", LoadedModels())
