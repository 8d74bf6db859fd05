"""How a chat's dates were read, in a sentence, with the one question that a file may leave open."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.messages import Layout

__all__ = ["FLIPPED", "how_read"]

ORDERS = {"dmy": "day first", "mdy": "month first", "ymd": "year first"}
FLIPPED = {"dmy": "mdy", "mdy": "dmy"}


def how_read(layout: Layout, first: Any, flipped: bool) -> tuple[str, bool]:
    """How dates were read, as HTML, and whether the other way is possible; `first`: when the first message was sent."""
    order, reason = layout.date_order, escape("; ".join(layout.evidence))
    read_as = f"<b>{first.day} {first:%B %Y}</b>"
    if layout.calendar == "islamic":
        return f'<span class="quiet">The first date is read as {read_as}. {escape(layout.evidence[-1])}</span>', False
    if flipped:
        return f'<span class="quiet">The first date is read as {read_as}, as you said.</span>', True
    if order is None:
        return f'<span class="quiet">The first date is read as {read_as}. {reason}</span>', False
    if layout.certain or order not in FLIPPED or first.day > 12:
        return f'<span class="quiet" title="{reason}">Dates read {ORDERS.get(order, order)}.</span>', False
    written = f"{first:%d/%m}" if order == "dmy" else f"{first:%m/%d}"
    question = f"We read the first date, <b>{written}</b>, as {read_as}. Is that right?"
    return f'<span class="ask" title="{reason}">{question}</span>', True
