"""A picture to show around: paper with a band of colour on top, text in any script, and who made it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pipeline.report.fonts import draw_text, fit, text_width

__all__ = ["INK", "MUTED", "RULE", "SOFT", "TEAL", "Sheet"]

INK, MUTED, PAPER, RULE, TEAL, SOFT = "#1F2430", "#636A76", "#FBFAF7", "#E7E3DA", "#0F766E", "#E3F3F0"
BAND = 14


class Sheet:
    """Drawn on in points from the top left; texts stand on their y."""

    def __init__(self, width: int, height: int, edge: int, colour: str = TEAL) -> None:
        """edge: of the paper around what is written. colour: of the band."""
        from PIL import Image, ImageDraw

        self.width, self.height, self.edge = width, height, edge
        self.image = Image.new("RGB", (width, height), PAPER)
        self.pen = ImageDraw.Draw(self.image)
        self.pen.rectangle((0, 0, width, BAND), fill=colour)

    @property
    def room(self) -> int:
        """The width between the edges."""
        return self.width - 2 * self.edge

    def text(
        self, x: float, y: int, text: str, size: int, colour: str = INK, *,
        bold: bool = False, width: float | None = None, align: Literal["left", "right"] = "left",
    ) -> None:  # fmt: skip
        """A line that begins (or ends) at x, smaller than `size` where it would else be wider than `width`."""
        size = size if width is None else fit(text, size, width, bold=bold)
        left = x - text_width(text, size, bold=bold) if align == "right" else x
        draw_text(self.image, round(left), y, text, size, colour, bold=bold)

    def line(self, x: float, y: int, length: float, thickness: int = 1) -> None:
        """A thin level line."""
        self.pen.line((x, y, x + length, y), fill=RULE, width=thickness)

    def save(self, path: Path, note: str = "") -> Path:
        """Write the foot, with a note at its right, and the picture as a PNG, whole or not at all."""
        foot = self.height - 56
        self.text(self.edge, foot, "Chat Twin", 26, TEAL, bold=True)
        self.text(self.width - self.edge, foot, note, 22, MUTED, align="right")
        scratch = path.with_suffix(".tmp")
        self.image.save(scratch, "PNG")
        return scratch.replace(path)
