"""What one takes along: a report that is one HTML file, and a card of somebody's style as a picture."""

from pipeline.report.card import write_card
from pipeline.report.fonts import fit
from pipeline.report.page import write
from pipeline.report.sheet import INK, MUTED, SOFT, Sheet

__all__ = ["INK", "MUTED", "SOFT", "Sheet", "fit", "write", "write_card"]
