"""Step 2: choose whom to imitate, see the rows that a model would learn from, and make the dataset."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from pipeline.errors import ChatError
from tabs import hub, visitor
from tabs.analyse import figures
from tabs.dataset import filters, redaction, rows
from tabs.visitor import Stage, Visitor, load_chat, load_choices, safely, save_choices, visitor_of
from web.bubbles import failed

if TYPE_CHECKING:
    import polars as pl

    from pipeline.dataset import Dataset, DatasetConfig
    from pipeline.hub import Upload

__all__ = ["build"]

LIVE_PREVIEW = 60_000  # messages up to which the rows follow every change of the settings at once
MOST_PEOPLE = 40
FORM_NAMES = {
    "messages": "messages (TRL)",
    "prompt_completion": "prompt and completion",
    "sharegpt": "ShareGPT",
    "alpaca": "Alpaca",
    "blog": "### Home / ### Assistant",
    "llama2": "Llama 2",
}
# The settings in the order of their components.
KNOBS = (
    "silence", "tokens", *filters.NAMES, "share", "situation", "prompt", "most", "also", "overlap", "wall", "forms",
    *redaction.NAMES,
)  # fmt: skip
USUAL: dict[str, Any] = {
    "silence": 0, "tokens": 1024, "share": 0.15, "situation": True, "prompt": "", "most": 0, "overlap": 0.25,
    "wall": 1000, "forms": [], "link": True, "forwarded": True, "pasted": True, "repeated": True, "only_media": False,
    "only_call": False,
}  # fmt: skip


def build(stage: Stage) -> None:
    """The tab: empty, choosing (with a preview), made."""
    private: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    with gr.Column(elem_id="dataset-empty") as empty:
        gr.HTML('<div class="empty">No chat yet. Bring one in step 1, or try the sample there.</div>')
    with gr.Column(visible=False, elem_id="dataset-choose") as choose:
        verdict = gr.HTML(elem_id="dataset-verdict")
        person = gr.Radio([], label="Whose replies should the model learn?", elem_id="person")
        with gr.Row(elem_classes="actions"):
            make = gr.Button("Make the dataset", variant="primary", scale=0, min_width=200, elem_id="make-dataset")
            onward = gr.Button(
                "Next: fine-tune", variant="primary", scale=0, min_width=200, visible=False, elem_id="to-finetune"
            )
        downloads = gr.HTML(visible=False, elem_id="downloads")
        row, turns, shown_row = rows.build()
        silence, tokens, gaps, lengths = _lengths()
        with gr.Accordion("Left out, and why", open=False, elem_classes="fold", elem_id="left-out"):
            switches, left_out = filters.build()
        with gr.Accordion("Personal data", open=False, elem_classes="fold", elem_id="personal-data"):
            masking = redaction.build()
        with gr.Accordion("To the Hub", open=False, elem_classes="fold", elem_id="dataset-hub"):
            hub.build("The dataset", "dataset", _prepare)
        with gr.Accordion("Settings", open=False, elem_classes="fold", elem_id="dataset-settings"):
            more = _more()
    knobs = [silence, tokens, *switches, *more, *masking]
    settings = [person, *knobs]
    seen = [verdict, make, onward, downloads, *shown_row, *lengths, *left_out]
    changed = [stage.chat.change, stage.dataset.change]
    gr.on(changed, safely(_draw), None, [empty, choose, person, *gaps, *seen, *knobs], **private)
    latest: dict[str, Any] = {"trigger_mode": "always_last", **private}
    gr.on([item.input for item in settings], safely(_preview), settings, seen, **latest)
    silence.input(safely(_gaps), silence, gaps, **latest)
    make.click(safely(_make), settings, [stage.dataset, *seen], **private)
    rows.follow(row, turns, shown_row, settings, _current)
    onward.click(lambda: gr.Tabs(selected="finetune"), None, stage.tabs, **private)


def _lengths() -> tuple[gr.Slider, gr.Slider, list[Any], list[Any]]:
    """Where a conversation ends and how long a row is: a chart each, with what moves it under it."""
    figures.style()
    with gr.Row(elem_id="lengths", equal_height=False):
        with gr.Column(min_width=300):
            gaps = figures.place("gaps")
            silence = gr.Slider(
                0, 24, value=0, step=0.25, label="A silence of so many hours ends a conversation",
                info="0: read from the chat's own silences", elem_id="silence",
            )  # fmt: skip
        with gr.Column(min_width=300):
            lengths = figures.place("row-lengths")
            tokens = gr.Slider(
                256, 4096, value=1024, step=128, label="Longest row, in tokens", elem_id="longest-row",
                info="A conversation that is longer becomes several rows; each reply is learned once",
            )  # fmt: skip
    return silence, tokens, [*gaps], [*lengths]


def _more() -> list[Any]:
    """The folded settings."""
    share = gr.Slider(
        0.05, 0.4, value=0.15, step=0.05, label="Held out for the exam", info="The last replies in time, never shuffled"
    )
    situation = gr.Checkbox(True, label="Tell the model the weekday, the hour and the silence before")
    prompt = gr.Textbox(label="What the model is told first", lines=2, max_lines=4)
    most = gr.Number(
        0, label="Most replies to learn from", precision=0, elem_id="most-replies",
        info="0: all. Fewer are chosen to differ in words and length; of many alike, such as ok, some stay",
    )  # fmt: skip
    also = gr.Dropdown(
        [], multiselect=True, label="Other names of the same person", info="After a rename or a new phone number"
    )
    overlap = gr.Slider(
        0, 0.75, value=0.25, step=0.05, label="Share of a row that may repeat the row before",
        info="So that a long conversation's later rows begin with what went before",
    )  # fmt: skip
    wall = gr.Number(1000, label="A message is pasted from so many characters", precision=0, minimum=50)
    forms = gr.CheckboxGroup(
        [(name, form) for form, name in FORM_NAMES.items() if form != "messages"],
        label="Other forms to download, as JSON lines and Parquet",
    )
    return [share, situation, prompt, most, also, overlap, wall, forms]


def _config(person: str | None, *values: Any) -> DatasetConfig:
    from pydantic import ValidationError

    from pipeline.dataset import DatasetConfig

    if not person:
        raise ChatError("Choose whose replies the model should learn.")
    knobs = dict(zip(KNOBS, values, strict=True))
    prompt = (knobs["prompt"] or "").strip()
    try:
        return DatasetConfig(
            person=person,
            also_named=tuple(name for name in knobs["also"] or () if name != person),
            silence_minutes=knobs["silence"] * 60 or None,
            validation_share=knobs["share"],
            situation=knobs["situation"],
            max_replies=int(knobs["most"]) if knobs["most"] else None,
            max_tokens=int(knobs["tokens"]),
            overlap_share=knobs["overlap"],
            wall_characters=int(knobs["wall"] or 0),
            filters=tuple(name for name in filters.NAMES if knobs[name]),
            redaction=redaction.config_of(*(knobs[name] for name in redaction.NAMES)),
            **({"system_prompt": prompt} if prompt else {}),
        )
    except ValidationError as error:
        reasons = "; ".join(problem["msg"].removeprefix("Value error, ") for problem in error.errors())
        raise ChatError(f"A setting cannot be used: {reasons}.") from None


def _draw(request: gr.Request) -> list[Any]:
    """The whole tab from the visitor's folder: after a chat was loaded, a dataset made, or a reload."""
    from pipeline.dataset import read_dataset
    from pipeline.messages import people

    mine = visitor_of(request)
    loaded = load_chat(mine)
    if loaded is None:
        return [gr.Column(visible=True), gr.Column(visible=False), gr.skip(), *[gr.skip()] * (3 + SEEN + len(KNOBS))]
    names = people(loaded.messages)
    counts = dict(loaded.messages["sender"].drop_nulls().value_counts().iter_rows())
    chosen = load_choices(mine).get("person")
    chosen = chosen if chosen in names else (names[0] if names else None)
    picker = gr.Radio([(f"{n}  ·  {counts[n]:,} messages", n) for n in names[:MOST_PEOPLE]], value=chosen)
    head = [gr.Column(visible=False), gr.Column(visible=True), picker]
    values = dict.fromkeys(KNOBS) | USUAL | {"also": gr.Dropdown(choices=names, value=[])}
    made = read_dataset(mine.dataset) if mine.has_dataset else None
    if made is None:
        filters.forget(mine)
        save_choices(mine, redaction=None)  # of another dataset
    values |= dict(zip(redaction.NAMES, redaction.kept_values(mine), strict=True))
    if made is not None:
        values |= _values(made.config, names) | {"forms": _forms(mine)}
        return [*head, *_drawn_gaps(loaded.messages, made.config.silence_minutes), *_made(mine, made), *values.values()]
    head += _drawn_gaps(loaded.messages, None)
    if loaded.messages.height > LIVE_PREVIEW:
        sentence = "Choose whose replies the model should learn, then make the dataset: a few seconds for a long chat."
        return [*head, *_waiting(f'<p class="lead">{sentence}</p>'), *values.values()]
    try:
        seen = _seen(_dataset(mine, (chosen, *(USUAL.get(name) for name in KNOBS))))
    except ChatError as error:
        seen = _waiting(failed(str(error)), make=False)
    return [*head, *seen, *values.values()]


def _preview(request: gr.Request, *settings: Any) -> list[Any]:
    """Follow a change of the person or a setting: what would be learned now."""
    from pipeline.dataset import read_dataset

    mine = visitor_of(request)
    loaded = load_chat(mine)
    if settings[0]:
        save_choices(mine, person=settings[0])
    if loaded is None or loaded.messages.height > LIVE_PREVIEW:
        return _waiting(gr.skip())
    try:
        dataset = _dataset(mine, settings)
    except ChatError as error:
        return _waiting(failed(str(error)), make=False)
    # Made with these very settings, perhaps while this was being looked at: then what was made stays in view.
    made = read_dataset(mine.dataset) if mine.has_dataset else None
    return _made(mine, made) if made is not None and made.config == dataset.config else _seen(dataset)


def _gaps(request: gr.Request, hours: float) -> list[Any]:
    loaded = load_chat(visitor_of(request))
    return _drawn_gaps(loaded.messages, hours * 60 or None) if loaded else [gr.skip()] * 3


def _drawn_gaps(messages: pl.DataFrame, minutes: float | None) -> list[Any]:
    from datetime import timedelta

    from pipeline import charts
    from pipeline.turns import gap_histogram

    histogram = gap_histogram(messages, None if minutes is None else timedelta(minutes=minutes))
    return figures.filled(charts.gaps(histogram, found=minutes is None))


def _make(request: gr.Request, *settings: Any) -> Iterator[list[Any]]:
    from pipeline.dataset import write_dataset

    mine = visitor_of(request)
    knobs = dict(zip(KNOBS, settings[1:], strict=True))
    yield [gr.skip(), gr.skip(), gr.Button("Making the dataset", interactive=False), *[gr.skip()] * (SEEN - 2)]
    try:
        made = _dataset(mine, settings, exact=True)
    except ChatError as error:
        yield [gr.skip(), *_waiting(failed(str(error)), make=False)]
        return
    shutil.rmtree(mine.dataset, ignore_errors=True)
    write_dataset(made, mine.dataset, formats=("messages", *(knobs["forms"] or [])))
    filters.keep(mine, made)
    masking = [knobs[name] for name in redaction.NAMES]
    save_choices(mine, person=settings[0], redaction=masking if knobs["mask"] else None)
    yield [visitor.stamp(mine, "dataset/dataset.json"), *_made(mine, made)]


def _dataset(mine: Visitor, settings: tuple[Any, ...], *, exact: bool = False) -> Dataset:
    """The dataset of the visitor's chat; `exact` counts tokens with the starter model's tokenizer where it is here."""
    from pipeline.dataset import build_dataset

    loaded = load_chat(mine)
    if loaded is None:
        raise ChatError("There is no chat yet: bring one in step 1.")
    return build_dataset(loaded.messages, _config(*settings), rows.tokenizer() if exact else None)


def _current(request: gr.Request, settings: tuple[Any, ...]) -> Dataset:
    """The dataset whose rows are on the page: the one made, else what the settings would make."""
    from pipeline.dataset import read_dataset

    mine = visitor_of(request)
    return read_dataset(mine.dataset) if mine.has_dataset else _dataset(mine, settings)


def _prepare(mine: Visitor, folder: Path) -> Upload:
    """What a push of the dataset would upload, in the forms that it was made in."""
    from pipeline.dataset import read_dataset
    from pipeline.hub import prepare_dataset

    if not mine.has_dataset:
        raise ChatError("There is no dataset yet: make it first.")
    return prepare_dataset(read_dataset(mine.dataset), folder, ("messages", *_forms(mine)))  # type: ignore[arg-type]


def _forms(mine: Visitor) -> list[str]:
    """The further forms that the dataset was made in."""
    return sorted(path.name for path in (mine.dataset / "formats").glob("*") if path.is_dir())


# Components [verdict, make, onward, downloads], the row's four, a chart's three, the filters' 13.
SEEN = 24


def _seen(dataset: Dataset) -> list[Any]:
    """What the page shows of a dataset that is not written yet."""
    return [
        _verdict(dataset, "would learn"), gr.Button("Make the dataset", variant="primary", interactive=True),
        gr.Button(visible=False), gr.HTML(visible=False), *rows.first(dataset), *_drawn_lengths(dataset),
        *filters.shown((dataset.dropped, dataset.spared)),
    ]  # fmt: skip


def _made(mine: Visitor, dataset: Dataset) -> list[Any]:
    """What the page shows of a dataset that lies in the visitor's folder."""
    return [
        _verdict(dataset, "will learn"), gr.Button("Make it again", variant="secondary", interactive=True),
        gr.Button(visible=True), gr.HTML(_downloads(mine), visible=True), *rows.first(dataset),
        *_drawn_lengths(dataset), *filters.shown(filters.kept(mine)),
    ]  # fmt: skip


def _waiting(verdict: Any, *, make: bool = True) -> list[Any]:
    """What the page shows where there is no dataset to look at."""
    button = gr.Button("Make the dataset", variant="primary", interactive=make)
    hidden = [gr.Button(visible=False), gr.HTML(visible=False)]
    return [verdict, button, *hidden, *rows.none(), *figures.filled(None), *filters.blank()]


def _drawn_lengths(dataset: Dataset) -> list[Any]:
    from pipeline import charts
    from pipeline.dataset import token_histogram
    from pipeline.models import model_list

    window = min(model.context for model in model_list())
    exact = dataset.summary.tokenizer is not None
    return figures.filled(charts.row_lengths(token_histogram(dataset), dataset.config.max_tokens, window, exact=exact))


def _verdict(dataset: Dataset, will: str) -> str:
    from pipeline import charts

    summary, config = dataset.summary, dataset.config
    others = " and ".join(summary.others[:3]) if len(summary.others) <= 3 else f"{len(summary.others)} others"
    hints = "".join(f'<p class="quiet">{escape(hint)}</p>' for hint in summary.hints)
    silence = charts.silence_name(60 * summary.silence_minutes)
    figures = (
        (f"{summary.train_replies:,}", "replies to learn from"),
        (f"{summary.validation_replies:,}", "held out for the exam"),
        (f"{summary.sessions:,}", "conversations"),
        (silence, "of silence end one"),
        (f"{summary.train_tokens:,}", "tokens" if summary.tokenizer else "tokens, about"),
    )
    cells = "".join(f"<div><b>{value}</b><span>{name}</span></div>" for value, name in figures)
    return (
        f'<p class="lead" dir="auto">The model {will} how {escape(config.person)} answers {escape(others)}.</p>'
        f'<div class="figures">{cells}</div>{hints}'
    )


def _downloads(mine: Visitor) -> str:
    links = [
        visitor.download_link(mine, mine.dataset / f"{part}.jsonl", f"Download {part}.jsonl")
        for part in ("train", "validation")
    ]
    for path in sorted((mine.dataset / "formats").glob("*/*")):
        links.append(
            visitor.download_link(mine, path, f"{FORM_NAMES.get(path.parent.name, path.parent.name)}: {path.name}")
        )
    return " ".join(links)


def _values(config: DatasetConfig, names: list[str]) -> dict[str, Any]:
    """The settings that a dataset was made with, as the components show them."""
    return {
        "silence": (config.silence_minutes or 0) / 60, "tokens": config.max_tokens, "share": config.validation_share,
        "situation": config.situation, "prompt": config.system_prompt, "most": config.max_replies or 0,
        "overlap": config.overlap_share, "wall": config.wall_characters,
        "also": gr.Dropdown(choices=names, value=[name for name in config.also_named if name in names]),
        **{name: name in config.filters for name in filters.NAMES},
    }  # fmt: skip
