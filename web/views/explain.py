"""What it means, in three small toys: a number's bits, a weight in four of them, a matrix from two thin ones."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import ChatError

if TYPE_CHECKING:
    from pipeline.explain import FloatBits, Matrix, WeightFormat
    from pipeline.planning import ModelShape

__all__ = ["RANKS", "low_rank_html", "number_html", "weights_html"]

RANKS = (1, 2, 4, 8, 16, 32, 64, 128)
COLUMN, ROW = (2, 1, -1, 3), (1, 0, 2, -1, 1)


def number_html(text: str) -> str:
    """The bits of a typed number in three formats, and what becomes of it, as HTML."""
    from pipeline.explain import FLOATS, float_bits

    try:
        number = float(text.strip().replace(",", ""))
    except ValueError:
        return '<p class="quiet">Type a number, such as 0.1, 70000 or 1e-8.</p>'
    kept = {kind: float_bits(number, kind) for kind in FLOATS}
    rows = "".join(_bits_row(kind.upper(), bits, number) for kind, bits in kept.items())
    legend = (
        '<p class="bits-legend"><span class="s">sign</span><span class="e">exponent: how large</span>'
        '<span class="f">fraction: which digits</span></p>'
    )
    return f'{legend}<div class="bits">{rows}</div><p class="quiet">{_moral(number, kept["fp16"], kept["bf16"])}</p>'


def _bits_row(name: str, bits: FloatBits, number: float) -> str:
    spans = f'<span class="s">{bits.sign}</span><span class="e">{bits.exponent}</span>'
    spans += f'<span class="f">{bits.fraction}</span>'
    value = "not a number" if math.isnan(bits.value) else f"{bits.value:.9g}"
    made, off = "", ""
    if math.isfinite(bits.value):
        sign = "−" if bits.sign == "1" else ""
        made = f"{sign}{bits.significand:.9g} × 2<sup>{bits.power}</sup> = "
        lost = abs(bits.value - number)
        off = "exact" if lost == 0 else f"off by {100 * lost / abs(number):.2g} %"
    return f"<b>{name}</b><code>{spans}</code><span>{made}<b>{value}</b></span><em>{off}</em>"


def _moral(number: float, half: FloatBits, brain: FloatBits) -> str:
    if math.isinf(half.value) and math.isfinite(brain.value):
        return (
            "FP16 ends at 65,504, so this is infinity there. BF16 has FP32's eight bits of exponent, and so its reach, "
            "but only seven bits for the digits."
        )
    if half.value == 0 and number != 0:
        return (
            "Too small for FP16, where it becomes 0. Gradients are often this small: that is why training in FP16 "
            "multiplies the loss first and divides the gradients afterwards. BF16 needs no such thing."
        )
    if number and abs(number) < 2**-14:
        return (
            "Below 0.000061 FP16 runs out of exponents and gives up digits instead, one after another, until it "
            "reaches 0."
        )
    return (
        "FP16 and BF16 share out the same 16 bits. FP16 keeps three to four digits and reaches from about 0.00000006 "
        "to 65,504; BF16 keeps two to three digits and reaches as far as FP32, about 3.4 × 10<sup>38</sup>."
    )


@functools.lru_cache(maxsize=8)
def _looked_at(model: str, projection: str) -> tuple[Matrix, tuple[WeightFormat, ...]]:
    from pipeline.explain import compare_formats, read_matrix

    matrix = read_matrix(model, projection)
    return matrix, tuple(compare_formats(matrix.values))


def weights_html(model: str, projection: str, block: int) -> str:
    """Real weights of a model in 16, 8 and 4 bits: one block of 64 drawn, the whole matrix in a table, as HTML."""
    matrix, kept = _looked_at(model, projection)
    rows, columns = matrix.values.shape
    flat = matrix.values.ravel()
    start = 64 * ((block - 1) % max(1, flat.size // 64))
    whose = _name(matrix.model)
    if matrix.model != model:
        whose += " (the chosen model is not on this computer yet)"
    table = "".join(
        f'<tr><td>{escape(way.name)}</td><td class="number" data-of="Bits a weight">{way.bits:.4g}</td>'
        f'<td class="number" data-of="This matrix">{way.bits * flat.size / 8e6:.2f} MB</td>'
        f'<td class="number" data-of="Error">{100 * way.error:.2g} %</td>'
        f'<td class="number" data-of="Worst">{way.worst:.2g}</td></tr>'
        for way in kept
    )
    titles = "".join(f'<th class="number">{title}</th>' for title in ("Bits a weight", "This matrix", "Error", "Worst"))
    head = f"<tr><th>Kept as</th>{titles}</tr>"
    return (
        f'<p class="quiet">{projection} of layer {matrix.layer + 1} of {escape(whose)}: {rows:,} × {columns:,} weights '
        f"between {flat.min():.3f} and {flat.max():.3f}. Each of these 64 goes to the nearest of NF4's 16 values, "
        "which lie densest where weights do, around zero; the largest of the 64 sets the scale.</p>"
        f"{_block_svg(flat[start : start + 64])}"
        f'<table class="list"><thead>{head}</thead><tbody>{table}</tbody></table>'
        '<p class="quiet">UINT8 from least to most has one pair of ends for the whole matrix, so a few large weights '
        "make its 256 steps coarse. In 4 bits every 64 weights have a scale of 32 bits, half a bit a weight; double "
        "quantisation keeps the scales in 8 bits too, 256 of them to one more scale: 0.127 bits a weight instead of "
        "0.5. Error: the root mean square of what is lost, as a share of the weights' own.</p>"
    )


def _block_svg(values: Any) -> str:
    """64 weights above, the 16 values of NF4 at their scale below, a line from each to its own."""
    from pipeline.explain import NF4, quantise

    codes, _ = quantise(values, "nf4")
    scale = float(abs(values).max()) or 1.0
    width, left, top, bottom = 640, 24, 24, 86

    def place(share: float) -> float:
        return left + (width - 2 * left) * (share + 1) / 2

    ways = [(place(float(value) / scale), place(NF4[code])) for value, code in zip(values, codes, strict=True)]
    lines = "".join(
        f'<line class="to" x1="{at:.1f}" y1="{top}" x2="{to:.1f}" y2="{bottom}"/>'
        f'<circle class="weight" cx="{at:.1f}" cy="{top}" r="2.6"/>'
        for at, to in ways
    )
    levels = "".join(
        f'<rect class="level" x="{place(level) - 2:.1f}" y="{bottom}" width="4" height="12"/>' for level in NF4
    )
    ends = "".join(
        f'<text class="axis" x="{place(share):.1f}" y="{bottom + 30}" text-anchor="{anchor}">{share * scale:.3f}</text>'
        for share, anchor in ((-1, "start"), (0, "middle"), (1, "end"))
    )
    return (
        f'<svg class="block64" viewBox="0 0 {width} 122" role="img" aria-label="64 weights and the values they take">'
        f"{lines}{levels}{ends}</svg>"
    )


def low_rank_html(model: str, projection: str, rank: int, runs: Sequence[Path] = ()) -> str:
    """A matrix from two thin ones, and how many weights a rank trains on the model, as HTML.

    runs: the finished runs of whoever asks, newest first.
    """
    from pipeline.planning import lora_parameters, shape_of

    shape = shape_of(model)
    rows, columns = _sides(shape, projection)
    full, two = rows * columns, rank * (rows + columns)
    counts = [(each, lora_parameters(shape, each)) for each in RANKS]
    bars = "".join(
        f'<span>{each}</span><i class="{"on" if each == rank else ""}" style="width:{100 * each / RANKS[-1]:.1f}%"></i>'
        f"<b>{count:,}</b><em>{100 * count / shape.parameters:.2g} %</em>"
        for each, count in counts
    )
    return (
        f'<div class="thin">{_times_table()}<p class="quiet">A column times a row is a times table: {len(COLUMN)} + '
        f"{len(ROW)} numbers make {len(COLUMN) * len(ROW)}. That is rank 1. Rank {rank} adds up {rank} such tables.</p>"
        f'</div>{_rectangles(rows, columns, rank)}<p class="quiet">{projection} has {rows:,} × {columns:,} = {full:,} '
        f"weights, and they stay as they are. LoRA learns a change to add to them, B × A: {rank} × ({rows:,} + "
        f"{columns:,}) = {two:,} weights, {100 * two / full:.2g} % as many. {_rank_verdict(model, projection, rank)}"
        f'{_twins_change(model, projection, runs)}</p><div class="ranks" role="img" aria-label="Trained weights by '
        f'rank"><span>rank</span><i></i><b>trained weights</b><em>of all</em>{bars}</div>'
    )


def _rank_verdict(model: str, projection: str, rank: int) -> str:
    """How badly the matrix itself would fare as two thin ones: only its change is thin."""
    try:
        matrix, _ = _looked_at(model, projection)
    except ChatError:
        return ""
    share = _carried(matrix.model, projection, rank)
    whose = "The matrix" if matrix.model == model else f"The same matrix of {escape(_name(matrix.model))}"
    return (
        f"{whose} itself could not be replaced so: the best B × A of this rank carries {100 * share:.2g} % of it (of "
        "the sum of its squares). "
        "That the change needs far fewer directions than a language does is what LoRA bets on."
    )


@functools.lru_cache(maxsize=64)
def _carried(model: str, projection: str, rank: int) -> float:
    from pipeline.explain import energy_by_rank

    return energy_by_rank(_looked_at(model, projection)[0].values, [rank])[0]


def _twins_change(model: str, projection: str, runs: Sequence[Path]) -> str:
    """What the newest twin, if it is of this model, has learned to add."""
    from pipeline.explain import learned_change
    from pipeline.runs import RunFolder, read_config

    if not runs or read_config(runs[0]).model != model:
        return ""
    matrix, _ = _looked_at(model, projection)
    change = learned_change(RunFolder(runs[0]).adapter.path, matrix)
    return "" if change is None else f" What your twin has learned to add here is {100 * change:.2g} % of its size."


def _sides(shape: ModelShape, projection: str) -> tuple[int, int]:
    """(out, in) of a projection."""
    if shape.sizes is None:
        raise ChatError(f"The layers of a {shape.architecture} are of other shapes: choose another model.")
    return shape.sizes.projections()[projection]


def _times_table() -> str:
    head = "".join(f"<th>{across}</th>" for across in ROW)
    body = "".join(
        f"<tr><th>{down}</th>{''.join(f'<td>{down * across}</td>' for across in ROW)}</tr>" for down in COLUMN
    )
    return f'<table class="times"><tr><td></td>{head}</tr>{body}</table>'


def _rectangles(rows: int, columns: int, rank: int) -> str:
    """W, B and A to scale; the thin sides are at least a hair wide."""
    unit = 150 / max(rows, columns)
    high, wide, thin = rows * unit, columns * unit, max(1.2, rank * unit)
    middle = 84.0

    def box(kind: str, x: float, width: float, height: float, name: str) -> str:
        y = middle - height / 2
        label = f'<text class="axis" x="{x + width / 2:.1f}" y="182" text-anchor="middle">{name}</text>'
        return f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="1"/>{label}'

    def sign(x: float, text: str) -> str:
        return f'<text class="axis sign" x="{x:.1f}" y="{middle + 6}" text-anchor="middle">{text}</text>'

    plus, b_at = 20 + wide + 28, 20 + wide + 62
    times, a_at = b_at + thin + 28, b_at + thin + 58
    return (
        f'<svg class="thin-svg" viewBox="0 0 {a_at + wide + 20:.0f} 190" role="img" aria-label="W plus B times A">'
        f"{box('frozen', 20, wide, high, f'W, {rows:,} × {columns:,}')}{sign(plus, '+')}"
        f"{box('learned', b_at, thin, high, 'B')}{sign(times, '×')}{box('learned', a_at, wide, thin, 'A')}</svg>"
    )


def _name(model: str) -> str:
    from pipeline.models import model_list

    return next((info.name for info in model_list() if info.id == model), model)
