"""A tab's parts as the page has them, without a browser: what its handlers take, and what they hold at first."""

from collections.abc import Callable, Iterable
from typing import Any

import gradio as gr
from gradio.blocks import Block

from pipeline.inference import LoadedModels
from tabs.visitor import Stage

__all__ = ["built", "first_values", "stage"]


def stage(models: LoadedModels | None = None) -> Stage:
    """The components that the tabs share, on a page that is being built."""
    return Stage(gr.State(""), gr.State(""), gr.State(""), gr.Tabs(), models or LoadedModels())


def built(build: Callable[..., Any], *more: Any, models: LoadedModels | None = None) -> tuple[Any, Stage]:
    """What `build` makes on a page of its own, and the components around it."""
    with gr.Blocks():
        shared = stage(models)
        return build(shared, *more), shared


def first_values(components: Iterable[Block]) -> dict[Block, Any]:
    """What a page that nobody has touched sends to a handler of these components."""
    return {component: getattr(component, "value", None) for component in components}
