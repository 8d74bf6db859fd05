"""A plan as it is shown: whether it fits, why it would train as it would, what takes its memory."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.machine import Machine
    from pipeline.models import BaseModelInfo
    from pipeline.planning import Forecast, Plan

__all__ = ["fit_bar", "models_table", "plan_bar", "plan_tables"]

Row = tuple[str, str, str]
WORDS = {
    "bf16": "BF16", "fp16": "FP16", "fp32": "FP32", "nf4": "NF4", "16-bit": "16 bits", "32-bit": "32 bits",
    "documents": "end to end", "own": "the model's own", "alone": "a row at a time",
}  # fmt: skip


def plan_bar(plan: Plan, model: str, cure: str | None = None) -> str:
    """The verdict and the bar of a plan; a sentence where its memory is not known beforehand."""
    if plan.forecast is None:
        return f'<p class="quiet">How much memory {escape(model)} needs is not known beforehand.</p>'
    return fit_bar(plan.forecast, model, _place(plan.machine, plan.processes.value), cure)


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


def plan_tables(plan: Plan) -> str:
    """Why a run trains as it does, and what takes its memory, as HTML."""
    rows = [(name, WORDS.get(value, value), why) for name, value, why in plan.reasons()]
    why = _table(("Setting", "", "Why"), rows)
    parts = [(part.name, _gib(part.gib), part.what) for part in plan.forecast.parts] if plan.forecast else []
    return f"{why}{_table(('What takes memory', '', ''), parts) if parts else ''}"


def models_table(needs: Sequence[tuple[BaseModelInfo, Forecast]]) -> str:
    """Every model with what it would need under the same settings, as HTML."""
    rows = []
    for info, need in needs:
        verdict = f"{need.peak:.1f} GB, {'fits' if need.fits else 'too much'}"
        rows.append(
            f'<tr{"" if need.fits else " class=over"}><td class="value">{escape(info.name)}</td>'
            f'<td class="number" data-of="Weights">{info.parameters / 1e9:.2g} billion</td>'
            f'<td data-of="Licence">{escape(info.licence)}</td><td data-of="Languages">{escape(info.languages)}</td>'
            f'<td class="number" data-of="Context">{info.context:,} tokens</td>'
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
