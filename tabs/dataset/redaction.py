"""Personal data, a part of the Dataset tab: what is masked, what was found, and a search for what was missed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import gradio as gr

from pipeline.visitors import Visitor, load_chat, load_choices, save_choices
from tabs.form import FormField
from tabs.visitor import safely, visitor_of
from tabs.wiring import QUIET, Updates
from web.views.redaction import found_table, hits_table

if TYPE_CHECKING:
    from pipeline.redact import RedactionConfig

__all__ = ["RedactionPanel", "build", "keep", "kept"]

MOST_NAMES = 30


@dataclass(frozen=True)
class RedactionPanel:
    """The form of what is masked, shown while `mask` is ticked; a review of what is found, and a search."""

    mask: gr.Checkbox
    group: gr.Column
    kinds: gr.CheckboxGroup
    names: gr.Textbox
    words: gr.Textbox
    review: gr.Button
    found: gr.HTML
    search: gr.Textbox
    missed: gr.HTML

    @property
    def field(self) -> FormField:
        """The form as `DatasetConfig.redaction`."""
        return FormField((self.mask, self.kinds, self.names, self.words), _shown, _read)


def build() -> RedactionPanel:
    """The part's components, wired."""
    from pipeline.redact import KINDS, LIMITS

    _, usual, *_ = _shown(None)
    gr.HTML(f'<p class="quiet">{escape(LIMITS)}</p>')
    mask = gr.Checkbox(False, label="Mask personal data before anything is learned or leaves", elem_id="mask")
    with gr.Column(visible=False) as group:
        kinds = gr.CheckboxGroup(
            [(name, kind) for kind, name in KINDS.items()], value=usual, label="Found by their form"
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
    panel = RedactionPanel(mask, group, kinds, names, words, review, found, search, missed)
    settings = [*panel.field.components]
    mask.change(safely(_open, panel), [mask, names], [group, names], **QUIET)
    review.click(safely(_review), settings, found, **QUIET)
    search.submit(safely(_search), [search, *settings], missed, **QUIET)
    return panel


def keep(visitor: Visitor, redaction: RedactionConfig | None) -> None:
    """Keep what a dataset was masked with; its own folder holds neither names nor words."""
    save_choices(visitor, redaction=redaction.model_dump(mode="json") if redaction else None)


def kept(visitor: Visitor) -> RedactionConfig | None:
    """What `keep` kept."""
    from pipeline.redact import RedactionConfig

    masked = load_choices(visitor).get("redaction")
    return RedactionConfig(**masked) if isinstance(masked, dict) else None


def _shown(config: RedactionConfig | None) -> Sequence[Any]:
    """[mask, kinds, names, words] of what is masked; None: nothing."""
    from pipeline.redact import RedactionConfig

    shown = config or RedactionConfig()
    aliases = "\n".join(f"{name} = {alias}" for name, alias in shown.aliases.items())
    return [config is not None, list(shown.kinds), aliases, "\n".join(shown.words)]


def _read(mask: bool, kinds: list[Any], names: str, words: str) -> RedactionConfig | None:
    from pipeline.redact import RedactionConfig

    if not mask:
        return None
    pairs = (line.split("=", 1) for line in (names or "").splitlines() if "=" in line)
    aliases = {name.strip(): alias.strip() for name, alias in pairs if name.strip() and alias.strip()}
    listed = tuple(word.strip() for word in (words or "").splitlines() if word.strip())
    return RedactionConfig(kinds=tuple(kinds), aliases=aliases, words=listed)


def _open(panel: RedactionPanel, request: gr.Request, mask: bool, names: str) -> Updates:
    """Show the form, with an alias for everyone who writes."""
    from pipeline.redact import suggest_aliases

    updates: Updates = {panel.group: gr.Column(visible=mask)}
    loaded = load_chat(visitor_of(request)) if mask and not names else None
    if loaded is not None:
        aliases = list(suggest_aliases(loaded.messages).items())[:MOST_NAMES]
        updates[panel.names] = "\n".join(f"{name} = {alias}" for name, alias in aliases)
    return updates


def _review(request: gr.Request, *settings: Any) -> str:
    """A table of what is found and what it becomes."""
    from pipeline.redact import redact

    loaded, config = load_chat(visitor_of(request)), _read(*settings)
    return "" if loaded is None or config is None else found_table(redact(loaded.messages, config).found)


def _search(request: gr.Request, query: str, *settings: Any) -> str:
    """Messages that still hold what is searched for, after masking."""
    from pipeline.redact import redact, search_messages

    loaded, config = load_chat(visitor_of(request)), _read(*settings)
    if loaded is None or not query.strip():
        return ""
    messages = redact(loaded.messages, config).messages if config else loaded.messages
    return hits_table(search_messages(messages, query))
