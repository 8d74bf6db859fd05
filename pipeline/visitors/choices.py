"""What a visitor chose on the page, to be found again after a reload."""

import json
from typing import Any

from pipeline.store import replace_text
from pipeline.visitors.visitor import Visitor

__all__ = ["load_choices", "save_choices"]


def load_choices(visitor: Visitor) -> dict[str, Any]:
    """The choices by name: the person to imitate, settings; none where nothing was chosen."""
    try:
        choices = json.loads(visitor.files.choices.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return choices if isinstance(choices, dict) else {}


def save_choices(visitor: Visitor, **changes: Any) -> None:
    """Keep choices beside the earlier ones; None removes one."""
    choices = {name: value for name, value in {**load_choices(visitor), **changes}.items() if value is not None}
    replace_text(visitor.files.choices, json.dumps(choices))
