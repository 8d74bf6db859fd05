"""Will it fit: what a run needs, part by part, against the memory there is; and why it would train as it would."""

from __future__ import annotations

from dataclasses import dataclass, replace
from html import escape
from typing import TYPE_CHECKING, Any

import gradio as gr

from pipeline.errors import ChatError
from pipeline.visitors import Visitor, newest_run
from tabs.form import Form
from tabs.visitor import Stage, safely, visitor_of
from tabs.wiring import QUIET, Updates, Values

if TYPE_CHECKING:
    from pipeline.machine.hardware import Machine
    from pipeline.models import BaseModelInfo
    from pipeline.planning import TrainingConfig
    from pipeline.planning.forecast import Forecast
    from pipeline.planning.recipe import Plan

__all__ = ["ForecastPanel", "build", "fit_bar"]

PLACES = [("This computer", "here"), ("A T4, as on Colab, Kaggle or a small Space", "t4")]

# What makes a run smaller, the least painful first.
CURES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("with the base weights in 4 bits", {"quantise": "nf4"}),
    ("with 1,024 tokens at once", {"tokens_per_batch": 1024, "max_tokens": 1024, "rows_per_step": 1}),
    (
        "in 4 bits with 1,024 tokens at once",
        {"quantise": "nf4", "tokens_per_batch": 1024, "max_tokens": 1024, "rows_per_step": 1},
    ),
)

Row = tuple[str, str, str]
WORDS = {
    "bf16": "BF16", "fp16": "FP16", "fp32": "FP32", "nf4": "NF4", "none": "as computed", "documents": "end to end",
    "own": "the model's own", "alone": "a row at a time",
}  # fmt: skip


@dataclass(frozen=True)
class ForecastPanel:
    """Where it is planned for, the tables of why, and the bar that stands above the button until there is a run."""

    place: gr.Radio
    detail: gr.HTML
    bar: gr.HTML
    settings: Form[TrainingConfig]


def build(stage: Stage, bar: gr.HTML, settings: Form[TrainingConfig]) -> ForecastPanel:
    """The fold's insides; they follow the settings."""
    place = gr.Radio(PLACES, value="here", label="Plan for", elem_id="plan-for")
    panel = ForecastPanel(place, gr.HTML(elem_id="fit-detail"), bar, settings)
    gr.on(
        [stage.dataset.change, stage.runs.change, place.change, *(setting.change for setting in settings.components)],
        safely(_draw, panel), {place, *settings.components}, [bar, panel.detail], trigger_mode="always_last", **QUIET,
    )  # fmt: skip
    return panel


def _draw(panel: ForecastPanel, request: gr.Request, values: Values) -> Updates:
    visitor = visitor_of(request)
    run = newest_run(visitor)
    if run is not None and run.live:
        return {panel.bar: gr.HTML(visible=False)}
    try:
        drawn, tables = look(visitor, panel.settings.read(values), values[panel.place])
    except ChatError as error:
        drawn, tables = f'<p class="quiet">{escape(str(error))}</p>', ""
    detail = (drawn if run is not None else "") + tables
    return {panel.bar: gr.HTML(drawn, visible=run is None), panel.detail: detail}


def look(visitor: Visitor, config: TrainingConfig, place: str) -> tuple[str, str]:
    """(the bar, the tables of why, of what takes memory, of the models) for a run of this configuration, as HTML."""
    from pipeline.machine.hardware import T4, this_machine
    from pipeline.planning.config import processes_for
    from pipeline.planning.forecast import UNLISTED, shape_of
    from pipeline.planning.plan import forecast_for, plan_shape, shards_for, with_rows

    machine = T4 if place == "t4" else this_machine(config.act_as)
    shape = shape_of(config.model)
    settled, reasons = _settle(visitor, config, machine, shape)
    plan = plan_shape(settled, machine, shape)
    if shape.licence == UNLISTED:  # those of the list take their rows as most models do
        plan = with_rows(settled, plan)
    processes = processes_for(config, machine.gpus)
    share = (settled.tokens_per_step or plan.tokens_per_batch) // processes
    if settled.batching == "tokens" and share < plan.tokens_per_batch:
        whose = "all of a step's together" if processes == 1 else "a GPU's share of a step"
        plan = replace(plan, tokens_per_batch=share, batch_reason=whose)
    if settled.batching == "rows":
        plan = _beside_each_other(settled, plan)
    if processes > 1:
        reasons = [_together(processes, shards_for(settled, machine, shape.parameters)), *reasons]
    forecast = forecast_for(settled, plan, machine, shape)
    cure = None if forecast.fits else _cure(settled, machine, shape)
    bar = fit_bar(forecast, shape.name, _place(machine, processes), cure)
    return bar, _tables(plan, reasons, forecast) + _models(visitor, config, machine)


def _beside_each_other(config: TrainingConfig, plan: Plan) -> Plan:
    from pipeline.planning.recipe import Choice

    rows = config.rows_per_step
    padded = Choice("padded", f"as the recipe has it: {rows} rows beside each other, filled up to the longest")
    most = rows * config.max_tokens
    return replace(plan, attention=padded, tokens_per_batch=most, batch_reason=f"{rows} rows at their longest")


def _together(processes: int, shards: int) -> Row:
    if shards > 1:
        return (
            "GPUs together", f"{processes}, weights split",
            "each holds a part of the weights in 16 bits and takes its share of every step; slower, but more fits",
        )  # fmt: skip
    return "GPUs together", str(processes), "each holds the whole model and takes its share of every step"


def _settle(
    visitor: Visitor, config: TrainingConfig, machine: Machine, shape: BaseModelInfo
) -> tuple[TrainingConfig, list[Row]]:
    """The configuration as it would be settled on the visitor's dataset, or on one of the sample's size."""
    from pipeline.dataset import read_about
    from pipeline.planning.forecast import trainable
    from pipeline.planning.plan import settle

    tokens, rows = 65_000, 77
    if visitor.has_dataset:
        summary = read_about(visitor.dataset)[1]
        tokens, rows = summary.train_tokens, summary.train_rows
    return settle(
        config, device=machine.device, parameters=shape.parameters,
        lora_parameters_per_rank=trainable(shape, 1, config.targets), tokens=tokens, rows=rows,
    )  # fmt: skip


def _cure(config: TrainingConfig, machine: Machine, shape: BaseModelInfo) -> str | None:
    """What would make it fit, in words."""
    from pipeline.planning.plan import forecast_for, plan_shape

    for words, changes in CURES:
        if "quantise" in changes and machine.device != "cuda":
            continue
        smaller = config.model_copy(update=changes)
        need = forecast_for(smaller, plan_shape(smaller, machine, shape), machine, shape)
        if need.fits:
            return f"{words} it would need {need.peak:.1f} GB"
    return None


def _place(machine: Machine, processes: int = 1) -> str:
    if machine.device == "cpu":
        return "this computer's free memory"
    if processes > 1:
        return f"each {machine.name}"
    return "a T4" if machine.name == "a T4" else f"the {machine.name}"


def fit_bar(forecast: Forecast, model: str, place: str, cure: str | None = None) -> str:
    """The verdict in a sentence, and the parts as one stacked bar against what is there (GiB, called GB), as HTML."""
    available = forecast.available or forecast.peak
    scale = max(available, forecast.peak)
    needs = f"<b>{escape(model)}</b> needs about <b>{forecast.peak:.1f} of {available:.1f} GB</b> of {escape(place)}"
    if forecast.fits:
        verdict = f'<p class="fits">{needs}: it fits.</p>'
    else:
        hint = f"{cure[0].upper()}{cure[1:]}." if cure else "Choose a smaller model."
        much = "too much" if forecast.peak > available else "too tight to be safe"
        verdict = f'<p class="fits over">{needs}: {much}. {escape(hint)}</p>'
    pieces, legend = [], []
    for part in forecast.parts:
        title = f"{part.name}: {_gib(part.gib)}, {part.what}"
        kind = part.name.split()[0].lower()
        pieces.append(f'<i class="{kind}" style="width:{100 * part.gib / scale:.2f}%" title="{escape(title)}"></i>')
        size = f"<b>{_gib(part.gib)}</b>"
        legend.append(f'<span title="{escape(part.what)}"><i class="{kind}"></i>{part.name} {size}</span>')
    limit = f'<u style="left:{100 * available / scale:.2f}%"></u>' if scale > available else ""
    return (
        f'{verdict}<div class="stack{"" if forecast.fits else " over"}" role="img" aria-label="Memory by part">'
        f'{"".join(pieces)}{limit}</div><div class="stack-legend">{"".join(legend)}</div>'
    )


def _gib(gib: float) -> str:
    return f"{gib:.1f} GB" if gib >= 0.95 else f"{max(1, round(gib * 1024)):,} MB"


def _tables(plan: Plan, reasons: list[Row], forecast: Forecast) -> str:
    rows = [(name, WORDS.get(value, value), why) for name, value, why in [*plan.reasons(), *reasons]]
    why = _table(("Setting", "", "Why"), rows)
    parts = [(part.name, _gib(part.gib), part.what) for part in forecast.parts]
    return f"{why}{_table(('What takes memory', '', ''), parts)}"


def _models(visitor: Visitor, config: TrainingConfig, machine: Machine) -> str:
    """Every model of the list with what it would need here under the same settings."""
    from pipeline.models import model_list
    from pipeline.planning.plan import forecast_for, plan_shape

    rows = []
    for shape in model_list():
        settled, _ = _settle(visitor, config.model_copy(update={"model": shape.id}), machine, shape)
        need = forecast_for(settled, plan_shape(settled, machine, shape), machine, shape)
        verdict = f"{need.peak:.1f} GB, {'fits' if need.fits else 'too much'}"
        rows.append(
            f'<tr{"" if need.fits else " class=over"}><td class="value">{escape(shape.name)}</td>'
            f'<td class="number" data-of="Weights">{shape.parameters / 1e9:.2g} billion</td>'
            f'<td data-of="Licence">{escape(shape.licence)}</td><td data-of="Languages">{escape(shape.languages)}</td>'
            f'<td class="number" data-of="Context">{shape.context:,} tokens</td>'
            f'<td class="number" data-of="Needs">{verdict}</td></tr>'
        )
    titles = (
        "<th>Model</th><th class=number>Weights</th><th>Licence</th><th>Languages</th><th class=number>Context</th>"
    )
    head = f"<tr>{titles}<th class=number>Needs</th></tr>"
    note = "Where there is room, what each layer computes is kept to save time; so a smaller model may take more."
    return (
        f'<table class="list models"><thead>{head}</thead><tbody>{"".join(rows)}</tbody></table>'
        f'<p class="quiet">{note}</p>'
    )


def _table(head: Row, rows: list[Row]) -> str:
    cells = "".join(
        f'<tr><td>{escape(name)}</td><td class="value">{escape(value)}</td><td class="why">{escape(why)}</td></tr>'
        for name, value, why in rows
    )
    titles = "".join(f"<th>{title}</th>" for title in head)
    return f'<table class="list why"><thead><tr>{titles}</tr></thead><tbody>{cells}</tbody></table>'
