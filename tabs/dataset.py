"""Step 2: choose whom to imitate, see the rows that a model would learn from, and make the dataset."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from pipeline.errors import ChatError
from tabs import hub, redaction
from tabs.bubbles import conversation, failed
from tabs.theme import PEOPLE
from tabs.visitor import (
    Stage,
    Visitor,
    download_link,
    load_chat,
    load_choices,
    safely,
    save_choices,
    stamp,
    visitor_of,
)

if TYPE_CHECKING:
    from pipeline.dataset import Dataset, DatasetConfig, Row
    from pipeline.hub import Upload

__all__ = ["build"]

LIVE_PREVIEW = 60_000  # messages up to which the rows follow every change of the settings at once
MOST_PEOPLE = 40
KNOBS = 12  # settings beside the person
FORM_NAMES = {
    "messages": "messages (TRL)",
    "prompt_completion": "prompt and completion",
    "sharegpt": "ShareGPT",
    "alpaca": "Alpaca",
    "blog": "### Home / ### Assistant",
    "llama2": "Llama 2",
}


def build(stage: Stage) -> None:
    """The tab: empty, choosing (with a preview), made."""
    private: dict[str, Any] = {"api_visibility": "private"}
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
        preview = gr.HTML(elem_id="rows")
        with gr.Row(elem_classes="actions"):
            earlier = gr.Button("Earlier", size="sm", scale=0, min_width=100)
            later = gr.Button("Later", size="sm", scale=0, min_width=100, elem_id="later-row")
        with gr.Accordion("Left out, and why", open=False, elem_classes="fold"):
            dropped = gr.HTML()
        with gr.Accordion("Personal data", open=False, elem_classes="fold", elem_id="personal-data"):
            masking = redaction.build()
        with gr.Accordion("To the Hub", open=False, elem_classes="fold", elem_id="dataset-hub"):
            hub.build("The dataset", "dataset", _prepare)
        with gr.Accordion("Settings", open=False, elem_classes="fold", elem_id="dataset-settings"):
            knobs = [*_knobs(), *masking]
    row = gr.State(0)
    shown = [empty, choose, verdict, person, make, onward, downloads, preview, dropped, row]
    settings = [person, *knobs]
    gr.on(
        [stage.chat.change, stage.dataset.change], safely(_draw), None, [*shown, *knobs],
        show_progress="hidden", **private,
    )  # fmt: skip
    again = [verdict, make, onward, downloads, preview, dropped, row]
    gr.on([item.input for item in settings], safely(_preview), settings, again, show_progress="hidden", **private)
    make.click(safely(_make), settings, [stage.dataset, *again], show_progress="hidden", **private)
    for button, step in ((earlier, -1), (later, 1)):
        button.click(
            safely(_turn_page), [gr.State(step), row, *settings], [preview, row], show_progress="hidden", **private
        )
    onward.click(lambda: gr.Tabs(selected="finetune"), None, stage.tabs, show_progress="hidden", **private)


def _knobs() -> list[Any]:
    """The folded settings, in the order of `_config`'s arguments."""
    silence = gr.Slider(
        0, 24, value=0, step=0.25, label="A silence of so many hours ends a conversation",
        info="0: read from the chat's own gaps",
    )  # fmt: skip
    share = gr.Slider(
        0.05, 0.4, value=0.15, step=0.05, label="Held out for the exam", info="The last replies in time, never shuffled"
    )
    situation = gr.Checkbox(True, label="Tell the model the weekday, the hour and the silence before")
    prompt = gr.Textbox(label="What the model is told first", lines=2, max_lines=4)
    most = gr.Number(0, label="Most replies to learn from", info="0: all of them", precision=0)
    tokens = gr.Slider(
        256, 4096, value=1024, step=128, label="Longest row, in tokens",
        info="A conversation that is longer becomes several rows; each reply is learned once",
    )  # fmt: skip
    also = gr.Dropdown(
        [], multiselect=True, label="Other names of the same person", info="After a rename or a new phone number"
    )
    forms = gr.CheckboxGroup(
        [(name, form) for form, name in FORM_NAMES.items() if form != "messages"],
        label="Other forms to download, as JSON lines and Parquet",
    )
    return [silence, share, situation, prompt, most, tokens, also, forms]


def _config(person: str | None, *knobs: Any) -> DatasetConfig:
    from pydantic import ValidationError

    from pipeline.dataset import DatasetConfig

    silence, share, situation, prompt, most, tokens, also, _, *masking = knobs
    if not person:
        raise ChatError("Choose whose replies the model should learn.")
    values = {
        "person": person, "silence_minutes": silence * 60 or None, "validation_share": share, "situation": situation,
        "max_replies": int(most) if most else None, "max_tokens": int(tokens),
        "redaction": redaction.config_of(*masking), "also_named": tuple(name for name in also or () if name != person),
    }  # fmt: skip
    if prompt and prompt.strip():
        values["system_prompt"] = prompt.strip()
    try:
        return DatasetConfig(**values)
    except ValidationError as error:
        reasons = "; ".join(problem["msg"].removeprefix("Value error, ") for problem in error.errors())
        raise ChatError(f"A setting cannot be used: {reasons}.") from None


def _draw(request: gr.Request) -> list[Any]:
    """The whole tab from the visitor's folder: after a chat was loaded, a dataset made, or a reload."""
    from pipeline.dataset import read_dataset
    from pipeline.messages import people

    visitor = visitor_of(request)
    loaded = load_chat(visitor)
    keep = [gr.skip()] * KNOBS
    if loaded is None:
        return [gr.Column(visible=True), gr.Column(visible=False), *[gr.skip()] * 8, *keep]
    names = people(loaded.messages)
    counts = dict(loaded.messages["sender"].drop_nulls().value_counts().iter_rows())
    chosen = load_choices(visitor).get("person")
    chosen = chosen if chosen in names else (names[0] if names else None)
    choices = [(f"{name}  ·  {counts[name]:,} messages", name) for name in names[:MOST_PEOPLE]]
    picker = gr.Radio(choices, value=chosen)
    knobs = [*[gr.skip()] * 6, gr.Dropdown(choices=names), gr.skip(), *redaction.kept_values(visitor)]
    head = [gr.Column(visible=False), gr.Column(visible=True)]
    if (visitor.dataset / "dataset.json").exists():
        made = read_dataset(visitor.dataset)
        verdict, *rest = _made(visitor, made)
        return [*head, verdict, picker, *rest, *_knob_values(made.config, names), *redaction.kept_values(visitor)]
    if loaded.messages.height > LIVE_PREVIEW:
        sentence = "Choose whose replies the model should learn, then make the dataset: a few seconds for a long chat."
        return [*head, f'<p class="lead">{sentence}</p>', picker, *_waiting(""), *knobs]
    try:
        verdict, *rest = _seen(_dataset(visitor, (chosen, *_defaults())))
    except ChatError as error:
        return [*head, failed(str(error)), picker, *_waiting("", make=False), *knobs]
    return [*head, verdict, picker, *rest, *knobs]


def _preview(request: gr.Request, *settings: Any) -> list[Any]:
    """Follow a change of the person or a setting: what would be learned now."""
    visitor = visitor_of(request)
    loaded = load_chat(visitor)
    if settings[0]:
        save_choices(visitor, person=settings[0])
    if loaded is None or loaded.messages.height > LIVE_PREVIEW:
        return [gr.skip(), *_waiting(gr.skip())]
    try:
        return _seen(_dataset(visitor, settings))
    except ChatError as error:
        return [failed(str(error)), *_waiting("", make=False)]


def _make(request: gr.Request, *settings: Any) -> Iterator[list[Any]]:
    from pipeline.dataset import write_dataset

    visitor = visitor_of(request)
    forms, masking = settings[8] or [], list(settings[9:])
    yield [gr.skip(), gr.skip(), gr.Button("Making the dataset", interactive=False), *[gr.skip()] * 5]
    try:
        made = _dataset(visitor, settings, exact=True)
    except ChatError as error:
        yield [gr.skip(), failed(str(error)), *_waiting("", make=False)]
        return
    shutil.rmtree(visitor.dataset, ignore_errors=True)
    write_dataset(made, visitor.dataset, formats=("messages", *forms))
    save_choices(visitor, person=settings[0], redaction=masking if masking[0] else None)
    yield [stamp(visitor, "dataset/dataset.json"), *_made(visitor, made)]


def _dataset(visitor: Visitor, settings: tuple[Any, ...], *, exact: bool = False) -> Dataset:
    """The dataset of the visitor's chat; `exact` counts tokens with the starter model's tokenizer where it is here."""
    from pipeline.dataset import build_dataset

    loaded = load_chat(visitor)
    if loaded is None:
        raise ChatError("There is no chat yet: bring one in step 1.")
    tokenizer = None
    if exact:
        from pipeline.models import load_tokenizer

        try:
            tokenizer = load_tokenizer("starter")
        except ChatError:
            tokenizer = None  # not fetched and no network: lengths are estimated, and the summary says so
    return build_dataset(loaded.messages, _config(*settings), tokenizer)


def _prepare(visitor: Visitor, folder: Path) -> Upload:
    """What a push of the dataset would upload, in the forms that it was made in."""
    from pipeline.dataset import read_dataset
    from pipeline.hub import prepare_dataset

    if not (visitor.dataset / "dataset.json").exists():
        raise ChatError("There is no dataset yet: make it first.")
    forms = sorted(path.name for path in (visitor.dataset / "formats").glob("*") if path.is_dir())
    return prepare_dataset(read_dataset(visitor.dataset), folder, ("messages", *forms))  # type: ignore[arg-type]


def _turn_page(request: gr.Request, step: int, row: int, *settings: Any) -> tuple[str, int]:
    from pipeline.dataset import read_dataset

    visitor = visitor_of(request)
    made = (visitor.dataset / "dataset.json").exists()
    dataset = read_dataset(visitor.dataset) if made else _dataset(visitor, settings)
    row = (row + step) % max(len(dataset.train), 1)
    return _row(dataset.train, row), row


def _seen(dataset: Dataset) -> list[Any]:
    """Outputs [verdict .. row] of a dataset that is not written yet."""
    start = _interesting(dataset.train)
    return [
        _verdict(dataset, "would learn"), gr.Button("Make the dataset", variant="primary", interactive=True),
        gr.Button(visible=False), gr.HTML(visible=False), _row(dataset.train, start), _dropped(dataset), start,
    ]  # fmt: skip


def _made(visitor: Visitor, dataset: Dataset) -> list[Any]:
    """Outputs [verdict .. row] of a dataset that lies in the visitor's folder."""
    start = _interesting(dataset.train)
    return [
        _verdict(dataset, "will learn"), gr.Button("Make it again", variant="secondary", interactive=True),
        gr.Button(visible=True), gr.HTML(_downloads(visitor), visible=True), _row(dataset.train, start),
        _dropped(dataset), start,
    ]  # fmt: skip


def _waiting(rows: Any, *, make: bool = True) -> list[Any]:
    """Outputs [make .. row] where there is nothing to show yet."""
    button = gr.Button("Make the dataset", variant="primary", interactive=make)
    return [button, gr.Button(visible=False), gr.HTML(visible=False), rows, "", 0]


def _verdict(dataset: Dataset, will: str) -> str:
    summary, config = dataset.summary, dataset.config
    others = " and ".join(summary.others[:3]) if len(summary.others) <= 3 else f"{len(summary.others)} others"
    hints = "".join(f'<p class="quiet">{escape(hint)}</p>' for hint in summary.hints)
    hours = summary.silence_minutes / 60
    silence = f"{hours:.1f}".rstrip("0").rstrip(".") + " h" if hours >= 1 else f"{summary.silence_minutes:.0f} min"
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


def _interesting(rows: list[Row]) -> int:
    """The row to show first: short enough to read, with some back and forth."""
    for index, row in enumerate(rows):
        if 5 <= len(row.messages) <= 14 and row.tokens < 500:
            return index
    return 0


def _row(rows: list[Row], index: int) -> str:
    if not rows:
        return ""
    row = rows[index]
    when = f"{row.sent_at:%d %B %Y, %H:%M}".lstrip("0")
    return (
        f'<p class="quiet">Row {index + 1:,} of {len(rows):,} · {when} · {row.tokens:,} tokens. '
        "Tinted: what the model learns. Grey: what it reads.</p>"
        + conversation(row.messages, twin=PEOPLE[0], learn_from=row.learn_from)
    )


def _dropped(dataset: Dataset) -> str:
    if dataset.dropped:
        lines = [(d.reason, d.count, d.samples) for d in dataset.dropped]
    else:
        lines = [(reason.replace("_", " "), count, ()) for reason, count in dataset.summary.dropped.items()]
    if not lines:
        return '<p class="quiet">Nothing.</p>'
    rows = "".join(
        f'<tr><td class="number">{count:,}</td><td>{escape(reason)}</td>'
        f'<td class="quiet" dir="auto">{escape(" · ".join(text[:60] for text in samples[:3]))}</td></tr>'
        for reason, count, samples in lines
    )
    return f'<table class="list"><tbody>{rows}</tbody></table>'


def _downloads(visitor: Visitor) -> str:
    links = [
        download_link(visitor, visitor.dataset / f"{part}.jsonl", f"Download {part}.jsonl")
        for part in ("train", "validation")
    ]
    for path in sorted((visitor.dataset / "formats").glob("*/*")):
        links.append(download_link(visitor, path, f"{FORM_NAMES.get(path.parent.name, path.parent.name)}: {path.name}"))
    return " ".join(links)


def _defaults() -> tuple[Any, ...]:
    return (0, 0.15, True, "", 0, 1024, [], [], False, [], "", "")


def _knob_values(config: DatasetConfig, names: list[str]) -> list[Any]:
    return [
        (config.silence_minutes or 0) / 60, config.validation_share, config.situation, config.system_prompt,
        config.max_replies or 0, config.max_tokens, gr.Dropdown(choices=names, value=list(config.also_named)),
        gr.skip(),
    ]  # fmt: skip
