"""The tab is being built."""

from __future__ import annotations

import gradio as gr

from tabs.visitor import Stage

__all__ = ["build"]


def build(stage: Stage) -> None:
    """Fill the tab."""
    gr.HTML("")
