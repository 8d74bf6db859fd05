"""The learning curve as SVG: how well a twin does by how many replies it has learned from."""

from __future__ import annotations

from collections.abc import Sequence
from math import log

__all__ = ["learning_curve"]

WIDTH, HEIGHT = 560, 300
LEFT, RIGHT, TOP, BOTTOM = 52, 20, 34, 40


def learning_curve(points: Sequence[tuple[int, float]], base: float) -> str:
    """An SVG of (replies learned from, bits a character) points; `base` is the model without training, to get under."""
    bits = [value for _, value in points]
    low, high = min([*bits, base]), max([*bits, base])
    margin = max((high - low) * 0.15, 0.02)
    low, high = low - margin, high + margin
    first, last = log(points[0][0]), log(max(points[-1][0], points[0][0] + 1))

    def place(replies: float, value: float) -> tuple[float, float]:
        x = LEFT + 30 + (WIDTH - LEFT - RIGHT - 60) * (log(replies) - first) / (last - first)
        return x, TOP + (HEIGHT - TOP - BOTTOM) * (high - value) / (high - low)

    parts = []
    for step in range(4):
        value = low + (high - low) * step / 3
        y = place(points[0][0], value)[1]
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="axis" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{value:.2f}</text>')
    y = place(points[0][0], base)[1]
    parts.append(f'<line class="before" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
    parts.append(f'<text class="axis" x="{WIDTH - RIGHT}" y="{y - 6:.1f}" text-anchor="end">the base model</text>')
    dots = [place(*point) for point in points]
    parts.append(f'<polyline class="smooth" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in dots)}"/>')
    for (x, y), (replies, _) in zip(dots, points, strict=True):
        parts.append(f'<circle class="point" cx="{x:.1f}" cy="{y:.1f}" r="4.5"/>')
        parts.append(f'<text class="axis" x="{x:.1f}" y="{HEIGHT - 16}" text-anchor="middle">{replies:,}</text>')
    title = f'<text class="axis" x="{LEFT}" y="16">bits a character of the real replies, by replies learned from</text>'
    return (
        f'<svg class="curve" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="Learning curve">'
        f"{title}{''.join(parts)}</svg>"
    )
