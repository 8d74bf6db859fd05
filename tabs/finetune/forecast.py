"""Will it fit: what a run needs, part by part, against the memory there is; and why it would train as it would."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import gradio as gr

from pipeline.errors import ChatError
from pipeline.visitors import Visitor, newest_run
from tabs.form import Form
from tabs.visitor import Stage, safely, visitor_of
from tabs.wiring import QUIET, Updates, Values
from web.views.plan import models_table, plan_bar, plan_tables

if TYPE_CHECKING:
    from pipeline.planning import Plan, TrainingConfig

__all__ = ["ForecastPanel", "build", "look", "plan_shown"]

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


@dataclass(frozen=True)
class ForecastPanel:
    """Where it is planned for, the tables of why, and the bar that stands above the button until there is a run.

    planned: the plan that is shown, where it is one for this computer: what Train will do.
    """

    place: gr.Radio
    detail: gr.HTML
    bar: gr.HTML
    planned: gr.State
    settings: Form[TrainingConfig]


def build(stage: Stage, bar: gr.HTML, settings: Form[TrainingConfig]) -> ForecastPanel:
    """The fold's insides; they follow the settings."""
    place = gr.Radio(PLACES, value="here", label="Plan for", elem_id="plan-for")
    panel = ForecastPanel(place, gr.HTML(elem_id="fit-detail"), bar, gr.State(None), settings)
    gr.on(
        [stage.dataset.change, stage.runs.change, place.change, *(setting.change for setting in settings.components)],
        safely(_draw, panel), {place, *settings.components}, [bar, panel.detail, panel.planned],
        trigger_mode="always_last", **QUIET,
    )  # fmt: skip
    return panel


def _draw(panel: ForecastPanel, request: gr.Request, values: Values) -> Updates:
    visitor = visitor_of(request)
    run = newest_run(visitor)
    if run is not None and run.live:
        hidden: Updates = {panel.bar: gr.HTML(visible=False), panel.planned: None}
        return hidden if run.plan is None else {**hidden, panel.detail: plan_tables(run.plan)}
    plan = None
    try:
        plan = plan_shown(visitor, panel.settings.read(values), values[panel.place])
        drawn, tables = look(visitor, plan)
    except ChatError as error:
        drawn, tables = f'<p class="quiet">{escape(str(error))}</p>', ""
    return {
        panel.bar: gr.HTML(drawn, visible=run is None),
        panel.detail: (drawn if run is not None else "") + tables,
        panel.planned: plan if values[panel.place] == "here" else None,
    }


def plan_shown(visitor: Visitor, config: TrainingConfig, place: str) -> Plan:
    """How the visitor's dataset would be trained on so: here, or (place "t4") on a T4. Raises ChatError."""
    from pipeline.machine import T4, this_machine
    from pipeline.training import plan_for

    return plan_for(visitor.dataset, config, T4 if place == "t4" else this_machine(config.act_as))


def look(visitor: Visitor, plan: Plan) -> tuple[str, str]:
    """(the bar, the tables of why, of what takes memory, of the models) for a plan, as HTML."""
    from pipeline.planning import shape_of

    bar = plan_bar(plan, shape_of(plan.config.model).name, None if plan.fits else _cure(visitor, plan))
    return bar, plan_tables(plan) + _models(visitor, plan)


def _cure(visitor: Visitor, plan: Plan) -> str | None:
    """What would make it fit, in words."""
    from pipeline.training import plan_for

    for words, changes in CURES:
        if "quantise" in changes and plan.machine.device != "cuda":
            continue
        smaller = plan_for(visitor.dataset, plan.config.model_copy(update=changes), plan.machine)
        if smaller.forecast is not None and smaller.fits:
            return f"{words} it would need {smaller.forecast.peak:.1f} GB"
    return None


def _models(visitor: Visitor, plan: Plan) -> str:
    """Every model of the list with what it would need here under the same settings."""
    from pipeline.models import model_list
    from pipeline.planning import resolve, shape_of
    from pipeline.training import dataset_shape

    dataset, needs = dataset_shape(visitor.dataset, plan.config), []
    for info in model_list():
        config = plan.config.model_copy(update={"model": info.id})
        need = resolve(config, plan.machine, dataset, shape_of(info.id)).forecast
        assert need is not None  # of all that are listed it is known
        needs.append((info, need))
    return models_table(needs)
