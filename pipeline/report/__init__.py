"""What one takes along: a report that is one HTML file, and a card of somebody's style as a picture."""

from pipeline.report.card import write_card
from pipeline.report.page import write

__all__ = ["write", "write_card"]
