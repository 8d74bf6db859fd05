"""The report: one HTML file with every figure of a chat, which asks nothing of any network."""

from __future__ import annotations

import functools
import json
from html import escape
from pathlib import Path

from pipeline.analysis import Analysis, hide
from pipeline.charts import STYLE, Figure, figures, opening

__all__ = ["page", "write"]


def write(analysis: Analysis, path: Path, *, title: str = "", hidden: bool = False) -> Path:
    """Write the report to a file; `hidden` leaves out every name, title and word of the chat. Returns the path."""
    path.write_text(page(hide(analysis) if hidden else analysis, "" if hidden else title), encoding="utf-8")
    return path


def page(analysis: Analysis, title: str) -> str:
    """The report as HTML."""
    drawn = figures(analysis)
    return PAGE.format(
        title=escape(title or "What is in a chat"),
        style=STYLE.read_text(encoding="utf-8"),
        opening=opening(analysis),
        sections="".join(_section(figure) for figure in drawn.values()),
        vega=_vega(),
        specs=_for_script({name: figure.spec for name, figure in drawn.items() if figure.spec}),
    )


@functools.cache
def _vega() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script, out of vl-convert; it takes a second to pack."""
    import vl_convert

    return str(vl_convert.javascript_bundle())  # type: ignore[call-arg]


def _section(figure: Figure) -> str:
    plot = f'<div class="plot" id="plot-{figure.name}"></div>' if figure.spec else ""
    return f"<section>{figure.heading()}{plot}{figure.html}</section>"


def _for_script(value: object) -> str:
    """JSON that cannot end the script it stands in, whatever a name holds."""
    text = json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


# The policy forbids every request, should the file ever ask for one; Vega makes functions out of its expressions.
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; \
style-src 'unsafe-inline'; img-src data:">
<title>{title}</title>
<style>
{style}
body {{ margin: 0; background: #FBFAF7;
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }}
.dark body {{ background: #14171C; }}
main {{ max-width: 62rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }}
section {{ margin-top: 2.75rem; }}
.plot {{ width: 100%; margin-top: .8rem; }}
.plot.vega-embed {{ display: block; }}
.figure-head + .cards, .figure-head + .habits, .figure-head + .two {{ margin-top: .9rem; }}
footer {{ margin-top: 3rem; }}
</style></head>
<body><main class="ct">{opening}{sections}
<footer class="note">Made by Chat Twin. This file asks nothing of any network.</footer></main>
<script>document.documentElement.classList.toggle("dark", matchMedia("(prefers-color-scheme: dark)").matches);</script>
<script>{vega}</script>
<script>
const specs = {specs};
for (const [name, spec] of Object.entries(specs)) vegaEmbed("#plot-" + name, spec);
</script></body></html>
"""
