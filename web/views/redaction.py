"""What is masked, as the page shows it: a table of what was found, and messages that still hold what is searched."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

__all__ = ["found_table", "hits_table"]

MOST_ROWS = 60


def found_table(found: pl.DataFrame) -> str:
    """What is found and what it becomes; rows of (kind, original, placeholder, count)."""
    from pipeline.redact import KINDS

    if not found.height:
        return '<p class="quiet">Nothing was found.</p>'
    names: dict[str, str] = {"name": "Names", "word": "Your words"} | {str(kind): name for kind, name in KINDS.items()}
    rows = "".join(
        f"<tr><td>{escape(names.get(kind, kind))}</td><td dir='auto'>{escape(original)}</td>"
        f"<td dir='auto'>{escape(placeholder)}</td><td class='number'>{count:,}</td></tr>"
        for kind, original, placeholder, count in found.head(MOST_ROWS).iter_rows()
    )
    more = f'<p class="quiet">And {found.height - MOST_ROWS:,} more.</p>' if found.height > MOST_ROWS else ""
    head = "<tr><th>Kind</th><th>Found</th><th>Becomes</th><th>Times</th></tr>"
    return f'<table class="list"><thead>{head}</thead><tbody>{rows}</tbody></table>{more}'


def hits_table(hits: pl.DataFrame) -> str:
    """Messages that hold what is searched for; rows of (sent_at, sender, text)."""
    if not hits.height:
        return '<p class="quiet">Not in any message any more.</p>'
    rows = "".join(
        f"<tr><td>{sent_at:%d %b %Y}</td><td dir='auto'>{escape(sender or '')}</td>"
        f"<td dir='auto'>{escape(text)}</td></tr>"
        for sent_at, sender, text in hits.iter_rows()
    )
    return f'<table class="list"><tbody>{rows}</tbody></table>'
