"""What the machine costs, where it is rented: to be told beside a run, not to be billed by."""

import os

__all__ = ["SPACES", "price_per_hour"]

# Dollars an hour of a Space's hardware, by its name in ACCELERATOR; the list prices of 2026. ZeroGPU costs nothing.
SPACES = {
    "cpu-upgrade": 0.03, "t4-small": 0.40, "t4-medium": 0.60, "l4x1": 0.80, "l4x4": 3.80, "a10g-small": 1.00,
    "a10g-large": 1.50, "a10g-largex2": 3.00, "a10g-largex4": 5.00, "a100-large": 2.50, "l40sx1": 1.80,
    "l40sx4": 8.30, "l40sx8": 23.50,
}  # fmt: skip


def price_per_hour() -> float | None:
    """Dollars an hour of this machine, or None where it costs nothing or nobody has said what.

    CHAT_TWIN_PRICE_PER_HOUR says it for any rented machine; a Space is known by its hardware.
    """
    told = os.environ.get("CHAT_TWIN_PRICE_PER_HOUR", "")
    try:
        return float(told) or None
    except ValueError:
        return SPACES.get(os.environ.get("ACCELERATOR", "")) if os.environ.get("SPACE_ID") else None
