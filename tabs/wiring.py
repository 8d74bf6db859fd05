"""How handlers and components meet: by component, never by position.

A part of a tab is a frozen dataclass of its components. A handler takes the part, the request, and the values of the
components that it reads (a mapping from component to value, or a few by name), and returns updates by component: what
it does not name stays as it is. `safely(handler, part)` binds the part, and `outputs=parts(part)` lists what the
handler may change, so that a component more touches the dataclass and the place where it is made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from gradio.blocks import Block

__all__ = ["PRIVATE", "QUIET", "Updates", "Values", "parts"]

Values = Mapping[Block, Any]
Updates = dict[Block, Any]

PRIVATE: dict[str, Any] = {"api_visibility": "private"}
QUIET: dict[str, Any] = {"show_progress": "hidden", **PRIVATE}


def parts(*holders: Any) -> list[Block]:
    """Every component in these: components, dataclasses of them, and lists, tuples and mappings of either."""
    found: dict[Block, None] = {}
    for holder in holders:
        if isinstance(holder, Block):
            found[holder] = None
        elif is_dataclass(holder):
            found |= dict.fromkeys(parts(*(getattr(holder, field.name) for field in fields(holder))))
        elif isinstance(holder, Mapping):
            found |= dict.fromkeys(parts(*holder.values()))
        elif isinstance(holder, Sequence) and not isinstance(holder, str):
            found |= dict.fromkeys(parts(*holder))
    return list(found)
