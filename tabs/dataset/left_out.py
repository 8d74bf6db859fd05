"""What is left out and why, a part of the Dataset tab: a switch for each filter, with its count and some of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gradio as gr

from tabs.form import FormField
from tabs.wiring import Updates
from web.views.dataset import always_left_out, why_left_out

if TYPE_CHECKING:
    from pipeline.dataset import Filter
    from pipeline.visitors import LeftOut

__all__ = ["LeftOutPanel", "build", "shown"]

NAMES: dict[Filter, str] = {
    "link": "Nothing but links",
    "forwarded": "Forwarded messages",
    "pasted": "Pasted walls of text",
    "repeated": "The same long text again",
    "only_media": "Answers to a picture or voice note alone",
    "only_call": "Answers to a call alone",
}


@dataclass(frozen=True)
class LeftOutPanel:
    """A switch for each filter (on: left out) with what goes and why under it; below, what always goes."""

    switches: Mapping[Filter, gr.Checkbox]
    told: Mapping[Filter, gr.HTML]
    always: gr.HTML

    @property
    def field(self) -> FormField:
        """The switches as `DatasetConfig.filters`."""
        return FormField(
            tuple(self.switches.values()),
            lambda filters: [name in filters for name in self.switches],
            lambda *on: tuple(name for name, is_on in zip(self.switches, on, strict=True) if is_on),
        )


def build() -> LeftOutPanel:
    """The part's components."""
    from pipeline.dataset import DatasetConfig

    usual = DatasetConfig.model_fields["filters"].default
    switches, told = {}, {}
    for name, label in NAMES.items():
        with gr.Column(elem_classes="filter"):
            switches[name] = gr.Checkbox(name in usual, label=label, elem_id=f"filter-{name}")
            told[name] = gr.HTML()
    return LeftOutPanel(switches, told, gr.HTML())


def shown(panel: LeftOutPanel, left_out: LeftOut | None, filters: Collection[Filter] | None = None) -> Updates:
    """Labels with counts, what goes and why, and what always goes; `filters` sets the switches, None leaves them.

    left_out: None where it is not known yet.
    """
    from pipeline.dataset import REASONS

    dropped, spared = left_out or ([], [])
    both = {one.name: one for one in [*dropped, *spared]}
    updates: Updates = {panel.always: always_left_out([one for one in dropped if one.name not in NAMES])}
    for name, label in NAMES.items():
        number = f"{both[name].count:,}" if name in both else "none"
        on: dict[str, Any] = {} if filters is None else {"value": name in filters}
        updates[panel.switches[name]] = gr.Checkbox(label=f"{label}  ·  {number}" if left_out else label, **on)
        updates[panel.told[name]] = why_left_out(REASONS[name], both[name].samples if name in both else ())
    return updates
