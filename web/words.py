"""Times and counts in words."""

from __future__ import annotations

__all__ = ["count", "duration", "time_left"]


def count(number: int, thing: str, things: str | None = None) -> str:
    """ "1 reply", "612 replies"."""
    return f"{number:,} {thing if number == 1 else things or thing + 's'}"


def duration(seconds: float) -> str:
    """A duration as people say it: "40 seconds", "3 minutes", "1 hour 20 minutes"."""
    if seconds < 50:
        return f"{max(5, round(seconds / 5) * 5)} seconds"
    minutes = max(1, round(seconds / 60))
    if minutes < 90:
        return count(minutes, "minute")
    hours, minutes = divmod(round(minutes / 10) * 10, 60)
    return count(hours, "hour") + (f" {minutes} minutes" if minutes else "")


def time_left(seconds: float | None) -> str:
    """ "about 3 minutes left", or that it cannot be known yet."""
    if seconds is None:
        return "measuring how long it takes"
    return f"about {duration(seconds)} left"
