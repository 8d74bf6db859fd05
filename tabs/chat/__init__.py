"""Step 4: talk to a twin."""

from tabs.chat.tab import build

__all__ = ["build"]
