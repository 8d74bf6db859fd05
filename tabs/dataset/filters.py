"""What is left out and why, a part of the Dataset tab: a switch for each filter, with its count and some of it."""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING, Any

import gradio as gr

from tabs.visitor import Visitor

if TYPE_CHECKING:
    from pipeline.dataset import Dataset, Dropped, Filter

__all__ = ["NAMES", "blank", "build", "forget", "keep", "kept", "shown"]

NAMES: dict[Filter, str] = {
    "link": "Nothing but links",
    "forwarded": "Forwarded messages",
    "pasted": "Pasted walls of text",
    "repeated": "The same long text again",
    "only_media": "Answers to a picture or voice note alone",
    "only_call": "Answers to a call alone",
}
SHOWN = 3  # samples of a filter
CHARACTERS = 70
FILE = "left-out.json"

Left = tuple[list[Any], list[Any]]  # of Dropped: left out, and what filters that are off would leave out


def build() -> tuple[list[gr.Checkbox], list[Any]]:
    """The switches (on: left out), and every component that `shown` gives a value to."""
    from pipeline.dataset import DatasetConfig

    usual = DatasetConfig.model_fields["filters"].default
    switches, told = [], []
    for name, label in NAMES.items():
        with gr.Column(elem_classes="filter"):
            switches.append(gr.Checkbox(name in usual, label=label, elem_id=f"filter-{name}"))
            told.append(gr.HTML())
    return switches, [*switches, *told, gr.HTML()]


def blank() -> list[Any]:
    """The components of `build` where nothing is known yet."""
    from pipeline.dataset import REASONS

    labels = [gr.Checkbox(label=label) for label in NAMES.values()]
    return [*labels, *(_told(REASONS[name], ()) for name in NAMES), ""]


def shown(left: Left) -> list[Any]:
    """The components of `build` for a dataset: labels with counts, what goes and why, and what always goes."""
    from pipeline.dataset import REASONS

    both = {dropped.name: dropped for dropped in [*left[0], *left[1]]}
    counts = {name: f"{both[name].count:,}" if name in both else "none" for name in NAMES}
    labels = [gr.Checkbox(label=f"{label}  ·  {counts[name]}") for name, label in NAMES.items()]
    told = [_told(REASONS[name], both[name].samples if name in both else ()) for name in NAMES]
    return [*labels, *told, _always([dropped for dropped in left[0] if dropped.name not in NAMES])]


def keep(visitor: Visitor, dataset: Dataset) -> None:
    """Keep what was left out beside the dataset, whose own folder holds no samples of it."""
    from dataclasses import asdict

    left = [[asdict(one) for one in some] for some in (dataset.dropped, dataset.spared)]
    (visitor.folder / FILE).write_text(json.dumps(left, ensure_ascii=False), encoding="utf-8")


def forget(visitor: Visitor) -> None:
    """Delete what `keep` kept: its dataset is gone."""
    (visitor.folder / FILE).unlink(missing_ok=True)


def kept(visitor: Visitor) -> Left:
    """What `keep` kept."""
    from pipeline.dataset import Dropped

    try:
        lists = json.loads((visitor.folder / FILE).read_text(encoding="utf-8"))
        dropped, spared = ([Dropped(**{**one, "samples": tuple(one["samples"])}) for one in some] for some in lists)
    except (OSError, ValueError, TypeError, KeyError):
        return [], []
    return dropped, spared


def _told(reason: str, samples: tuple[str, ...]) -> str:
    return f'<p class="quiet">{escape(reason)}</p>{_samples(samples)}'


def _samples(samples: tuple[str, ...]) -> str:
    quotes = "".join(
        f'<q dir="auto">{escape(text[:CHARACTERS])}{"…" * (len(text) > CHARACTERS)}</q>' for text in samples[:SHOWN]
    )
    return f'<div class="samples">{quotes}</div>' if quotes else ""


def _always(dropped: list[Dropped]) -> str:
    """What no switch keeps in."""
    rows = "".join(
        f'<div class="filter"><p class="counted"><b>{one.count:,}</b>{escape(one.reason)}</p>'
        f"{_samples(one.samples)}</div>"
        for one in dropped
    )
    return f'<p class="always">Always left out</p>{rows}' if rows else ""
