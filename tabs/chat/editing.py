"""Changing what was said: a pencil beside each turn of a conversation, and a box in the turn's place.

Both are HTML of our own inside a gr.HTML made with `SCRIPT`, which tells its `edit` (a pencil was pressed), `submit`
and `clear` listeners which turn it was, and what is in the box.
"""

from __future__ import annotations

from html import escape

import gradio as gr

from pipeline.errors import ChatError
from tabs.chat.conversations import Talk

__all__ = ["LONGEST_MESSAGE", "SCRIPT", "asked_for", "box", "pencil"]

LONGEST_MESSAGE = 4000
ROWS = 12

SCRIPT = """
const ask = (name, from) => {
  const box = element.querySelector('.changing textarea');
  trigger(name, {place: Number(from.closest('[data-place]').dataset.place), text: box ? box.value : ''});
};
element.addEventListener('click', (event) => {
  const button = event.target.closest('button[data-ask]');
  if (button) ask(button.dataset.ask, button);
});
element.addEventListener('keydown', (event) => {
  if (!event.target.closest('.changing')) return;
  if (event.key === 'Escape') ask('clear', event.target);
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) ask('submit', event.target);
});
watch('value', () => {
  const box = element.querySelector('.changing textarea');
  if (box && document.activeElement !== box) {
    box.focus();
    box.setSelectionRange(box.value.length, box.value.length);
  }
});
"""

PEN = (
    '<svg viewBox="0 0 16 16" width="14" height="14" fill="none" stroke="currentColor" stroke-width="1.4" '
    'stroke-linejoin="round" aria-hidden="true"><path d="M2.5 13.5l.7-3.2 7.6-7.6 2.5 2.5-7.6 7.6z"/></svg>'
)


def pencil(place: int, *, mine: bool) -> str:
    """The button that opens the box of the turn at `place`."""
    what = "Change my message" if mine else "Change this answer"
    return (
        f'<button type="button" class="pencil" data-ask="edit" data-place="{place}" title="{what}" '
        f'aria-label="{what}">{PEN}</button>'
    )


def box(talk: Talk, place: int, text: str) -> str:
    """The turn at `place` as a box to write in."""
    mine = talk.messages[place]["role"] == "user"
    later = len(talk.messages) - place - 1
    rows = min(ROWS, 1 + sum(1 + len(line) // 60 for line in text.split("\n")))
    said = ["A line for each message."]
    if mine:
        said.append("It is answered anew.")
    if later > (1 if mine else 0):
        said.append("What came after it goes.")
    return (
        f'<div class="turn {"me mine" if mine else "them twin"} changing" data-place="{place}">'
        f'<textarea dir="auto" rows="{rows}" maxlength="{LONGEST_MESSAGE}" '
        f'aria-label="{"My message" if mine else "This answer"}">{escape(text)}</textarea>'
        f'<p class="quiet">{" ".join(said)}</p><div class="choices">'
        f'<button type="button" class="go" data-ask="submit">{"Send" if mine else "Keep"}</button>'
        '<button type="button" data-ask="clear">Cancel</button></div></div>'
    )


def asked_for(talk: Talk, event: gr.EventData) -> tuple[int, str]:
    """The turn that the page asked for, and what its box held; raises ChatError where there is no such turn (more)."""
    place, text = event._data.get("place"), event._data.get("text")
    if not isinstance(place, int) or not 0 <= place < len(talk.messages) or not isinstance(text, str):
        raise ChatError("This message is not there any more: load the page anew.")
    return place, text[:LONGEST_MESSAGE]
