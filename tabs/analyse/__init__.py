"""Step 1: bring an export, and see what is in the chat."""

from tabs.analyse.tab import build

__all__ = ["build"]
