"""Step 2: choose whom to imitate, see the rows, make the dataset."""

from tabs.dataset.tab import build

__all__ = ["build"]
