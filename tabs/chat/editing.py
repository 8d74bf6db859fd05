"""Changing what was said: a pencil beside each turn of a conversation, and a box in the turn's place.

Both are HTML of our own inside a gr.HTML made with `SCRIPT`, which tells its `edit` (a pencil was pressed), `submit`
and `clear` listeners which turn it was, and what is in the box.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import gradio as gr

from pipeline.errors import ChatError
from web.views.conversation import LONGEST_MESSAGE

if TYPE_CHECKING:
    from pipeline.chat import Conversation

__all__ = ["SCRIPT", "asked_for"]

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


def asked_for(conversation: Conversation, event: gr.EventData) -> tuple[int, str]:
    """The turn that the page asked for, and what its box held; raises ChatError where there is no such turn (more)."""
    place, text = event._data.get("place"), event._data.get("text")
    if not isinstance(place, int) or not 0 <= place < len(conversation.messages) or not isinstance(text, str):
        raise ChatError("This message is not there any more: load the page anew.")
    return place, text[:LONGEST_MESSAGE]
