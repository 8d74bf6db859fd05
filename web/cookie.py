"""The cookie in which a visitor's browser keeps the key to their workspace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["COOKIE", "NO_COOKIE", "key_in"]

COOKIE = "chat_twin"
NO_COOKIE = (
    "Your browser keeps no cookie for this page, which is what keeps your chat apart from others': "
    "allow it, or open the app in a tab of its own."
)


def key_in(found: Mapping[str, Any] | None) -> str | None:
    """The visitor's key among a request's cookies, or None if there is none of ours."""
    key = found.get(COOKIE) if found else None
    if not isinstance(key, str) or not 40 <= len(key) <= 64:
        return None
    return key if key.isascii() and key.replace("-", "").replace("_", "").isalnum() else None
