"""A push to the Hub as the page shows it: what would go up, and where it went."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from web.words import count

if TYPE_CHECKING:
    from pipeline.hub import Pushed, Upload

__all__ = ["pushed_html", "upload_html"]


def pushed_html(pushed: Pushed) -> str:
    """Where it went, who sees it, and what changed since the last push."""
    seen = "Only you can see it." if pushed.private else "Everybody can see it."
    url = escape(pushed.url)
    rows = "".join(
        f"<tr><td>{escape(what)}</td><td class='number'>{before:,}</td><td class='number'>{now:,}</td>"
        f"<td class='number'>{f'{now - before:+,}' if now != before else 'the same'}</td></tr>"
        for what, (before, now) in pushed.changes.items()
        if before is not None
    )
    head = "<tr><th></th><th>Before</th><th>Now</th><th>Change</th></tr>"
    diff = f'<table class="list"><thead>{head}</thead><tbody>{rows}</tbody></table>' if rows else ""
    link = f'<a class="download" href="{url}" target="_blank" rel="noopener">{url}</a>'
    return f'<p class="done">{"Updated" if rows else "Done"}. {seen}</p><p>{link}</p>{diff}'


def upload_html(upload: Upload) -> str:
    """Every file that would go up, with what to know before."""
    rows = "".join(
        f"<tr><td>{escape(file.path)}</td><td class='number'>{_size(file.bytes)}</td>"
        f"<td class='number'>{count(file.rows, 'row') if file.rows is not None else ''}</td></tr>"
        for file in upload.files
    )
    warnings = "".join(f'<p class="ask">{escape(warning)}</p>' for warning in upload.warnings)
    total = f"{count(len(upload.files), 'file')}, {_size(upload.bytes)} in all: these and nothing else."
    return f'{warnings}<table class="list"><tbody>{rows}</tbody></table><p class="quiet">{total}</p>'


def _size(number: int) -> str:
    return f"{number / 1e6:,.1f} MB" if number >= 1e5 else f"{number / 1e3:,.1f} kB"
