"""Step 3: one button, then watch it learn."""

from tabs.finetune.tab import build

__all__ = ["build"]
