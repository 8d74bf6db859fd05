"""Step 2: choose whom to imitate, see the rows that a model would learn from, and make the dataset."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
from gradio.blocks import Block

from pipeline.dataset import DatasetFolder
from pipeline.errors import ChatError
from pipeline.progress import SILENT, Progress
from pipeline.visitors import (
    Visitor,
    dataset_stamp,
    forget_left_out,
    load_chat,
    load_choices,
    load_dataset,
    replace_dataset,
    save_choices,
)
from pipeline.visitors import left_out as kept_left_out
from tabs import figures, hub
from tabs.dataset import left_out, redaction, rows
from tabs.dataset.left_out import LeftOutPanel
from tabs.dataset.rows import RowPanel
from tabs.figures import FigurePlace
from tabs.form import HOURS, LIST, TEXT, ZERO_IS_NONE, Form, FormField, form_field
from tabs.progress import growing
from tabs.visitor import Stage, download_link, safely, visitor_of
from tabs.wiring import QUIET, Updates, Values, parts
from web.bubbles import failed
from web.views.dataset import dataset_verdict

if TYPE_CHECKING:
    import polars as pl

    from pipeline.dataset import Dataset, DatasetConfig
    from pipeline.hub import Upload

__all__ = ["DatasetTab", "build"]

LIVE_PREVIEW = 60_000  # messages up to which the rows follow every change of the settings at once
MOST_PEOPLE = 40
FORMAT_NAMES = {
    "messages": "messages (TRL)",
    "prompt_completion": "prompt and completion",
    "sharegpt": "ShareGPT",
    "alpaca": "Alpaca",
    "blog": "### Home / ### Assistant",
    "llama2": "Llama 2",
}


@dataclass(frozen=True)
class DatasetTab:
    """The tab's parts. `form` holds every setting of a dataset, `formats` the further forms that it is written in."""

    empty: gr.Column
    choose: gr.Column
    verdict: gr.HTML
    make: gr.Button
    onward: gr.Button
    downloads: gr.HTML
    row: RowPanel
    gaps: FigurePlace
    lengths: FigurePlace
    left_out: LeftOutPanel
    form: Form[DatasetConfig]
    formats: gr.CheckboxGroup

    @property
    def settings(self) -> set[Block]:
        """What is read before a dataset is made."""
        return {*self.form.components, self.formats}


def build(stage: Stage) -> DatasetTab:
    """The tab, wired: empty, choosing (with a preview), made."""
    tab = _layout()
    every, latest = parts(tab), {"trigger_mode": "always_last", **QUIET}
    silence = tab.form["silence_minutes"]
    gr.on([stage.chat.change, stage.dataset.change], safely(_draw, tab), None, every, **QUIET)
    gr.on([setting.input for setting in tab.form.components], safely(_preview, tab), tab.settings, every, **latest)
    silence.input(safely(_cut, tab), silence, parts(tab.gaps), **latest)
    tab.make.click(safely(_make, tab, stage), tab.settings, [stage.dataset, *every], **QUIET)
    rows.wire(tab.row, tab.settings, lambda request, values: _current(tab, request, values))
    tab.onward.click(lambda: gr.Tabs(selected="finetune"), None, stage.tabs, **QUIET)
    return tab


def _layout() -> DatasetTab:
    from pipeline.dataset import DatasetConfig

    with gr.Column(elem_id="dataset-empty") as empty:
        gr.HTML('<div class="empty">No chat yet. Bring one in step 1, or try the sample there.</div>')
    with gr.Column(visible=False, elem_id="dataset-choose") as choose:
        verdict = gr.HTML(elem_id="dataset-verdict")
        person = form_field(
            DatasetConfig, "person", gr.Radio, choices=[], label="Whose replies should the model learn?",
            elem_id="person",
        )  # fmt: skip
        with gr.Row(elem_classes="actions"):
            make = gr.Button("Make the dataset", variant="primary", scale=0, min_width=200, elem_id="make-dataset")
            onward = gr.Button(
                "Next: fine-tune", variant="primary", scale=0, min_width=200, visible=False, elem_id="to-finetune"
            )
        downloads = gr.HTML(visible=False, elem_id="downloads")
        row = rows.build()
        gaps, lengths, measures = _lengths()
        with gr.Accordion("Left out, and why", open=False, elem_classes="fold", elem_id="left-out"):
            filters = left_out.build()
        with gr.Accordion("Personal data", open=False, elem_classes="fold", elem_id="personal-data"):
            masking = redaction.build()
        with gr.Accordion("To the Hub", open=False, elem_classes="fold", elem_id="dataset-hub"):
            hub.build("The dataset", "dataset", _prepare)
        with gr.Accordion("Settings", open=False, elem_classes="fold", elem_id="dataset-settings"):
            more, formats = _more()
    fields = {"person": person, **measures, "filters": filters.field, **more, "redaction": masking.field}
    form = Form(DatasetConfig, fields, _config)
    return DatasetTab(empty, choose, verdict, make, onward, downloads, row, gaps, lengths, filters, form, formats)


def _lengths() -> tuple[FigurePlace, FigurePlace, dict[str, FormField]]:
    """Where a conversation ends and how long a row is: a chart each, with what moves it under it."""
    from pipeline.dataset import DatasetConfig

    figures.style()
    with gr.Row(elem_id="lengths", equal_height=False):
        with gr.Column(min_width=300):
            gaps = figures.place("gaps")
            silence = form_field(
                DatasetConfig, "silence_minutes", gr.Slider, HOURS, minimum=0, maximum=24, step=0.25,
                label="A silence of so many hours ends a conversation", info="0: read from the chat's own silences",
                elem_id="silence",
            )  # fmt: skip
        with gr.Column(min_width=300):
            lengths = figures.place("row-lengths")
            tokens = form_field(
                DatasetConfig, "max_tokens", gr.Slider, minimum=256, maximum=4096, step=128,
                label="Longest row, in tokens", elem_id="longest-row",
                info="A conversation that is longer becomes several rows; each reply is learned once",
            )  # fmt: skip
    return gaps, lengths, {"silence_minutes": silence, "max_tokens": tokens}


def _more() -> tuple[dict[str, FormField], gr.CheckboxGroup]:
    """The folded settings, and the further forms to download."""
    from pipeline.dataset import DatasetConfig

    fields = {
        "validation_share": form_field(
            DatasetConfig, "validation_share", gr.Slider, minimum=0.05, maximum=0.4, step=0.05,
            label="Held out for the exam", info="The last replies in time, never shuffled",
        ),
        "situation": form_field(
            DatasetConfig, "situation", gr.Checkbox,
            label="Tell the model the weekday, the hour and the silence before",
        ),
        "system_prompt": form_field(
            DatasetConfig, "system_prompt", gr.Textbox, TEXT, label="What the model is told first", lines=2,
            max_lines=4,
        ),
        "max_replies": form_field(
            DatasetConfig, "max_replies", gr.Number, ZERO_IS_NONE, label="Most replies to learn from", precision=0,
            elem_id="most-replies",
            info="0: all. Fewer are chosen to differ in words and length; of many alike, such as ok, some stay",
        ),
        "also_named": form_field(
            DatasetConfig, "also_named", gr.Dropdown, LIST, choices=[], multiselect=True,
            label="Other names of the same person", info="After a rename or a new phone number",
        ),
        "overlap_share": form_field(
            DatasetConfig, "overlap_share", gr.Slider, minimum=0, maximum=0.75, step=0.05,
            label="Share of a row that may repeat the row before",
            info="So that a long conversation's later rows begin with what went before",
        ),
        "wall_characters": form_field(
            DatasetConfig, "wall_characters", gr.Number, label="A message is pasted from so many characters",
            precision=0, minimum=50,
        ),
    }  # fmt: skip
    formats = gr.CheckboxGroup(
        [(label, name) for name, label in FORMAT_NAMES.items() if name != "messages"],
        label="Other forms to download, as JSON lines and Parquet",
    )
    return fields, formats


def _config(fields: dict[str, Any]) -> DatasetConfig:
    from pipeline.dataset import DatasetConfig

    if not fields["person"]:
        raise ChatError("Choose whose replies the model should learn.")
    others = tuple(name for name in fields["also_named"] if name != fields["person"])
    return DatasetConfig(**{**fields, "also_named": others})


def _draw(tab: DatasetTab, request: gr.Request) -> Updates:
    """The whole tab from the visitor's folder: after a chat was loaded, a dataset made, or a reload."""
    from pipeline.messages import people

    mine = visitor_of(request)
    loaded = load_chat(mine)
    if loaded is None:
        return {tab.empty: gr.Column(visible=True), tab.choose: gr.Column(visible=False)}
    names = people(loaded.messages)
    chosen = load_choices(mine).get("person")
    chosen = chosen if chosen in names else (names[0] if names else None)
    made = load_dataset(mine)
    if made is None:
        drawn = _draw_unmade(tab, mine, loaded.messages, chosen)
    else:
        drawn = _made(tab, mine, made) | left_out.shown(tab.left_out, kept_left_out(mine), made.config.filters)
        # The names and words that are masked lie beside the dataset, not in it.
        drawn = tab.form.show({**dict(made.config), "redaction": redaction.kept(mine)}) | drawn
        drawn |= {tab.formats: _formats(mine)} | _drawn_gaps(tab, loaded.messages, made.config.silence_minutes)
    counts = dict(loaded.messages["sender"].drop_nulls().value_counts().iter_rows())
    also = [name for name in made.config.also_named if name in names] if made else []
    return drawn | {
        tab.empty: gr.Column(visible=False),
        tab.choose: gr.Column(visible=True),
        tab.form["person"]: gr.Radio(
            [(f"{name}  ·  {counts[name]:,} messages", name) for name in names[:MOST_PEOPLE]], value=chosen
        ),
        tab.form["also_named"]: gr.Dropdown(names, value=also),
    }


def _draw_unmade(tab: DatasetTab, mine: Visitor, messages: pl.DataFrame, person: str | None) -> Updates:
    """The settings as they are at first, and what they would make."""
    from pipeline.dataset import DatasetConfig

    forget_left_out(mine)
    redaction.keep(mine, None)  # of another dataset
    filters = DatasetConfig.model_fields["filters"].default
    updates = {**tab.form.defaults, tab.formats: [], **_drawn_gaps(tab, messages, None)}
    if messages.height > LIVE_PREVIEW:
        sentence = "Choose whose replies the model should learn, then make the dataset: a few seconds for a long chat."
        return updates | _waiting(tab, f'<p class="lead">{sentence}</p>') | left_out.shown(tab.left_out, None, filters)
    try:
        config = _config({"person": person, "also_named": ()})
        dataset = _build(mine, config)
    except ChatError as error:
        updates |= _waiting(tab, failed(str(error)), make=False)
        return updates | left_out.shown(tab.left_out, None, filters)
    found = dataset.dropped, dataset.spared
    return updates | _seen(tab, dataset) | left_out.shown(tab.left_out, found, filters)


def _preview(tab: DatasetTab, request: gr.Request, values: Values) -> Updates:
    """Follow a change of the person or a setting: what would be learned now."""
    mine = visitor_of(request)
    loaded = load_chat(mine)
    if person := values[tab.form["person"]]:
        save_choices(mine, person=person)
    if loaded is None or loaded.messages.height > LIVE_PREVIEW:
        return _waiting(tab)
    try:
        dataset = _build(mine, tab.form.read(values))
    except ChatError as error:
        return _waiting(tab, failed(str(error)), make=False)
    # Made with these very settings, perhaps while this was being looked at: then what was made stays in view.
    made = load_dataset(mine)
    return _made(tab, mine, made) if made is not None and made.config == dataset.config else _seen(tab, dataset)


def _cut(tab: DatasetTab, request: gr.Request, hours: float) -> Updates:
    """Where the silences are cut, as the slider moves."""
    loaded = load_chat(visitor_of(request))
    return _drawn_gaps(tab, loaded.messages, HOURS.read(hours)) if loaded else {}


def _drawn_gaps(tab: DatasetTab, messages: pl.DataFrame, minutes: float | None) -> Updates:
    from datetime import timedelta

    from pipeline import charts
    from pipeline.turns import gap_histogram

    histogram = gap_histogram(messages, None if minutes is None else timedelta(minutes=minutes))
    return figures.filled(tab.gaps, charts.gaps(histogram, found=minutes is None))


def _make(tab: DatasetTab, stage: Stage, request: gr.Request, values: Values) -> Iterator[Updates]:
    def drawn(share: float, doing: str) -> Updates:
        return {tab.make: gr.Button(f"{doing} · {share:.0%}", interactive=False)}

    mine = visitor_of(request)
    yield {tab.make: gr.Button("Making the dataset", interactive=False)}
    try:
        config = tab.form.read(values)
        made = yield from growing(lambda progress: _build(mine, config, exact=True, progress=progress), drawn)
    except ChatError as error:
        yield _waiting(tab, failed(str(error)), make=False)
        return
    replace_dataset(mine, made, ("messages", *(values[tab.formats] or [])))
    redaction.keep(mine, config.redaction)
    save_choices(mine, person=config.person)
    yield {stage.dataset: dataset_stamp(mine), **_made(tab, mine, made)}


def _build(mine: Visitor, config: DatasetConfig, *, exact: bool = False, progress: Progress = SILENT) -> Dataset:
    """The dataset of the visitor's chat; `exact` counts tokens with the starter model's tokenizer where it is here."""
    from pipeline.dataset import build_dataset

    loaded = load_chat(mine)
    if loaded is None:
        raise ChatError("There is no chat yet: bring one in step 1.")
    return build_dataset(loaded.messages, config, rows.starter_tokenizer() if exact else None, progress)


def _current(tab: DatasetTab, request: gr.Request, values: Values) -> Dataset:
    """The dataset whose rows are on the page: the one made, else what the settings would make."""
    mine = visitor_of(request)
    return load_dataset(mine) or _build(mine, tab.form.read(values))


def _prepare(mine: Visitor, folder: Path) -> Upload:
    """What a push of the dataset would upload, in the forms that it was made in."""
    from pipeline.hub import prepare_dataset

    made = load_dataset(mine)
    if made is None:
        raise ChatError("There is no dataset yet: make it first.")
    return prepare_dataset(made, folder, ("messages", *_formats(mine)))  # type: ignore[arg-type]


def _formats(mine: Visitor) -> list[str]:
    """The further forms that the dataset was made in."""
    return DatasetFolder(mine.dataset).made_in()


def _seen(tab: DatasetTab, dataset: Dataset) -> Updates:
    """What the page shows of a dataset that is not written yet."""
    return {
        tab.verdict: dataset_verdict(dataset, "would learn"),
        tab.make: gr.Button("Make the dataset", variant="primary", interactive=True),
        tab.onward: gr.Button(visible=False),
        tab.downloads: gr.HTML(visible=False),
        **rows.first_row(tab.row, dataset),
        **_drawn_lengths(tab, dataset),
        **left_out.shown(tab.left_out, (dataset.dropped, dataset.spared)),
    }


def _made(tab: DatasetTab, mine: Visitor, dataset: Dataset) -> Updates:
    """What the page shows of a dataset that lies in the visitor's folder."""
    return {
        tab.verdict: dataset_verdict(dataset, "will learn"),
        tab.make: gr.Button("Make it again", variant="secondary", interactive=True),
        tab.onward: gr.Button(visible=True),
        tab.downloads: gr.HTML(_downloads(mine), visible=True),
        **rows.first_row(tab.row, dataset),
        **_drawn_lengths(tab, dataset),
        **left_out.shown(tab.left_out, kept_left_out(mine)),
    }


def _waiting(tab: DatasetTab, verdict: str | None = None, *, make: bool = True) -> Updates:
    """What the page shows where there is no dataset to look at; a verdict of None leaves the one that is there."""
    return {
        **({} if verdict is None else {tab.verdict: verdict}),
        tab.make: gr.Button("Make the dataset", variant="primary", interactive=make),
        tab.onward: gr.Button(visible=False),
        tab.downloads: gr.HTML(visible=False),
        **rows.no_row(tab.row),
        **figures.filled(tab.lengths, None),
        **left_out.shown(tab.left_out, None),
    }


def _drawn_lengths(tab: DatasetTab, dataset: Dataset) -> Updates:
    from pipeline import charts
    from pipeline.dataset import token_histogram
    from pipeline.models import model_list

    window = min(model.context for model in model_list())
    exact = dataset.summary.tokenizer is not None
    drawn = charts.row_lengths(token_histogram(dataset), dataset.config.max_tokens, window, exact=exact)
    return figures.filled(tab.lengths, drawn)


def _downloads(mine: Visitor) -> str:
    folder = DatasetFolder(mine.dataset)
    links = [download_link(mine, path, f"Download {path.name}") for path in folder.rows]
    for path in sorted(folder.formats.glob("*/*")):
        links.append(download_link(mine, path, f"{FORMAT_NAMES.get(path.parent.name, path.parent.name)}: {path.name}"))
    return " ".join(links)
