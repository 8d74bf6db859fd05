"""Personal data, a part of the Dataset tab: what is masked, what was found, and a search for what was missed."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import gradio as gr

from tabs.visitor import Visitor, load_chat, load_choices, safely, visitor_of

if TYPE_CHECKING:
    from pipeline.redact import RedactionConfig

__all__ = ["NAMES", "build", "config_of", "kept_values"]

NAMES = ("mask", "kinds", "names", "words")  # of the settings, in order

MOST_ROWS = 60
MOST_NAMES = 30


def build() -> list[Any]:
    """The part's components; returns those that are settings, in the order of `config_of`'s arguments."""
    from pipeline.redact import KINDS, LIMITS

    private: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    gr.HTML(f'<p class="quiet">{escape(LIMITS)}</p>')
    mask = gr.Checkbox(False, label="Mask personal data before anything is learned or leaves", elem_id="mask")
    with gr.Column(visible=False) as group:
        kinds = gr.CheckboxGroup(
            [(name, kind) for kind, name in KINDS.items()], value=list(KINDS), label="Found by their form"
        )
        names = gr.Textbox(
            label="Names and what they become", info="One a line: Name = Alias", lines=3, max_lines=10, elem_id="names"
        )
        words = gr.Textbox(
            label="Words and phrases to mask", info="One a line: places, employers, nicknames", lines=2, max_lines=10
        )
        with gr.Row(elem_classes="actions"):
            review = gr.Button("Show what is found", size="sm", scale=0, min_width=160, elem_id="review")
        found = gr.HTML(elem_id="found")
        search = gr.Textbox(label="Search the masked chat for what was missed", elem_id="missed")
        missed = gr.HTML()
    settings = [mask, kinds, names, words]
    mask.change(safely(_open), [mask, names], [group, names], **private)
    review.click(safely(_review), settings, found, **private)
    search.submit(safely(_search), [search, *settings], missed, **private)
    return settings


def config_of(mask: bool, kinds: list[str], names: str, words: str) -> RedactionConfig | None:
    """What is masked, from the form; None: nothing."""
    from pipeline.redact import RedactionConfig

    if not mask:
        return None
    pairs = (line.split("=", 1) for line in (names or "").splitlines() if "=" in line)
    aliases = {name.strip(): alias.strip() for name, alias in pairs if name.strip() and alias.strip()}
    listed = tuple(word.strip() for word in (words or "").splitlines() if word.strip())
    return RedactionConfig(kinds=tuple(kinds), aliases=aliases, words=listed)


def kept_values(visitor: Visitor) -> list[Any]:
    """The form as the visitor left it when the dataset was made, or as it is at first."""
    from pipeline.redact import KINDS

    return load_choices(visitor).get("redaction") or [False, list(KINDS), "", ""]


def _open(request: gr.Request, mask: bool, names: str) -> list[Any]:
    """Show the form, with an alias for everyone who writes."""
    from pipeline.redact import suggest_aliases

    loaded = load_chat(visitor_of(request)) if mask and not names else None
    if loaded is None:
        return [gr.Column(visible=mask), gr.skip()]
    aliases = list(suggest_aliases(loaded.messages).items())[:MOST_NAMES]
    return [gr.Column(visible=True), "\n".join(f"{name} = {alias}" for name, alias in aliases)]


def _review(request: gr.Request, *settings: Any) -> str:
    """A table of what is found and what it becomes."""
    from pipeline.redact import KINDS, redact

    loaded, config = load_chat(visitor_of(request)), config_of(*settings)
    if loaded is None or config is None:
        return ""
    found = redact(loaded.messages, config).found
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


def _search(request: gr.Request, query: str, *settings: Any) -> str:
    """Messages that still hold what is searched for, after masking."""
    from pipeline.redact import redact, search_messages

    loaded, config = load_chat(visitor_of(request)), config_of(*settings)
    if loaded is None or not query.strip():
        return ""
    messages = redact(loaded.messages, config).messages if config else loaded.messages
    hits = search_messages(messages, query)
    if not hits.height:
        return '<p class="quiet">Not in any message any more.</p>'
    rows = "".join(
        f"<tr><td>{sent_at:%d %b %Y}</td><td dir='auto'>{escape(sender or '')}</td>"
        f"<td dir='auto'>{escape(text)}</td></tr>"
        for sent_at, sender, text in hits.iter_rows()
    )
    return f'<table class="list"><tbody>{rows}</tbody></table>'
