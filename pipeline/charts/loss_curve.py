"""The loss curve as SVG: thin for every step, thick for its running mean, dots for what is held out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

__all__ = ["loss_curve", "two_curves"]

WIDTH, HEIGHT = 560, 300
LEFT, RIGHT, TOP, BOTTOM = 44, 14, 26, 34
MOST_POINTS = 400

Point = tuple[float, float]


def loss_curve(train: Sequence[Point], held_out: Sequence[Point], total_steps: int, before: float | None) -> str:
    """An SVG of (step, loss) points; `before` is the held-out loss before training, drawn as a line to get under."""
    values = [loss for _, loss in [*train, *held_out]] + ([before] if before else [])
    if not values:
        return _empty()
    low, high = min(values), max(values)
    margin = max((high - low) * 0.12, 0.05)
    low, high = max(0.0, low - margin), high + margin
    last = max(total_steps, *(int(step) for step, _ in [*train, *held_out]), 1)

    def place(point: Point) -> Point:
        x = LEFT + (WIDTH - LEFT - RIGHT) * point[0] / last
        return x, TOP + (HEIGHT - TOP - BOTTOM) * (high - point[1]) / (high - low)

    parts = [_grid(low, high, last, place)]
    if before:
        y = place((0, before))[1]
        parts.append(f'<line class="before" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="axis" x="{WIDTH - RIGHT}" y="{y - 5:.1f}" text-anchor="end">before training</text>')
    parts.append(_line("train", [place(point) for point in _thin(train)]))
    parts.append(_line("smooth", [place(point) for point in _thin(_running_mean(train))]))
    dots = [place(point) for point in held_out]
    parts.append(_line("heldline", dots))
    parts += [f'<circle class="held" cx="{x:.1f}" cy="{y:.1f}" r="4.5"/>' for x, y in dots]
    return _svg("".join(parts), "Loss while training")


def two_curves(
    first: tuple[Sequence[Point], Sequence[Point]],
    second: tuple[Sequence[Point], Sequence[Point]],
    names: tuple[str, str],
) -> str:
    """Two runs in one SVG, each as points (epoch, loss) and (epoch, held-out loss): what is learned is thin.

    Steps of different sizes cannot be compared, so they stand over how often each reply has been seen.
    """
    runs = (first, second)
    values = [loss for train, held_out in runs for _, loss in [*_running_mean(train), *held_out]]
    if not values:
        return ""
    low, high = min(values), max(values)
    margin = max((high - low) * 0.12, 0.05)
    low, high = max(0.0, low - margin), high + margin
    last = max(epoch for train, held_out in runs for epoch, _ in [*train, *held_out, (0.01, 0)])

    def place(point: Point) -> Point:
        x = LEFT + (WIDTH - LEFT - RIGHT) * point[0] / last
        return x, TOP + (HEIGHT - TOP - BOTTOM) * (high - point[1]) / (high - low)

    parts, legend = [_grid(low, high, last, place, "times seen: ")], ""
    for kind, (train, held_out), name, x in zip(("one", "two"), runs, names, (LEFT, WIDTH // 2), strict=True):
        parts.append(_line(f"{kind} thinly", [place(point) for point in _thin(_running_mean(train))]))
        dots = [place(point) for point in held_out]
        parts.append(_line(kind, dots))
        parts += [f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="4.5"/>' for x, y in dots]
        legend += f'<line class="{kind}" x1="{x}" x2="{x + 18}" y1="11" y2="11"/>'
        legend += f'<circle class="{kind}" cx="{x + 9}" cy="11" r="4.5"/>'
        legend += f'<text class="axis" x="{x + 25}" y="15">{name}</text>'
    return (
        f'<svg class="curve two" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="Loss of two runs">'
        f"{legend}{''.join(parts)}</svg>"
        '<p class="quiet">Thick with dots: loss on replies held out. Thin: on what is learned.</p>'
    )


def _svg(inside: str, title: str) -> str:
    legend = (
        f'<line class="smooth" x1="{LEFT}" x2="{LEFT + 18}" y1="11" y2="11"/>'
        f'<text class="axis" x="{LEFT + 24}" y="15">loss on what is learned</text>'
        f'<circle class="held" cx="{LEFT + 220}" cy="11" r="4.5"/>'
        f'<text class="axis" x="{LEFT + 230}" y="15">on replies held out</text>'
    )
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}">{legend}{inside}</svg>'


def _empty() -> str:
    middle = (
        f'<text class="axis" x="{WIDTH / 2}" y="{HEIGHT / 2}" text-anchor="middle">waiting for the first step</text>'
    )
    base = f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{HEIGHT - BOTTOM}" y2="{HEIGHT - BOTTOM}"/>'
    return _svg(base + middle, "Loss while training, none yet")


def _grid(low: float, high: float, last: float, place: Callable[[Point], Point], unit: str = "step ") -> str:
    lines = []
    for part in range(5):
        loss = low + (high - low) * part / 4
        y = place((0, loss))[1]
        lines.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        lines.append(f'<text class="axis" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{loss:.2f}</text>')
    for part in range(3):
        at = last * part / 2
        step: float = round(at) if last >= 10 else round(at, 1)
        x, anchor = place((at, low))[0], ("start", "middle", "end")[part]
        name = f"{unit}{step:,}" if part == 0 else f"{step:,}"
        lines.append(f'<text class="axis" x="{x:.1f}" y="{HEIGHT - 12}" text-anchor="{anchor}">{name}</text>')
    return "".join(lines)


def _line(kind: str, points: Sequence[Point]) -> str:
    if len(points) < 2:
        return ""
    return f'<polyline class="{kind}" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}"/>'


def _running_mean(points: Sequence[Point]) -> list[Point]:
    """Exponential running mean over about an eighth of the points, without the lag of its start."""
    keep = 1 - 1 / max(3, min(30, len(points) / 8))
    total = weight = 0.0
    smooth = []
    for step, loss in points:
        total, weight = total * keep + loss, weight * keep + 1
        smooth.append((step, total / weight))
    return smooth


def _thin(points: Sequence[Point]) -> Sequence[Point]:
    stride = len(points) // MOST_POINTS + 1
    return [*points[::stride], *([points[-1]] if points and stride > 1 else [])]
