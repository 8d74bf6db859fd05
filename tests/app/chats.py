"""Small chats for the app's tests, as phones export them."""

from datetime import datetime, timedelta

BEGAN = datetime(2024, 3, 15, 9, 0)


def export(lines: list[tuple[str, str]], *, minutes: float = 3) -> str:
    """(sender, text) pairs as an iOS export, one message every few minutes, a new day after every 40."""
    written = []
    for index, (sender, text) in enumerate(lines):
        at = BEGAN + timedelta(days=index // 40, minutes=minutes * (index % 40))
        written.append(f"[{at:%d.%m.%y, %H:%M:%S}] {sender}: {text}\n")
    return "".join(written)


def two_people(count: int = 200, *, first: str = "Ada", second: str = "Grace", canary: str = "") -> str:
    """A chat of two in which both write about as much; `canary` stands in every tenth message."""
    return export(
        [
            ((first, second)[index % 2], f"line {index} about the garden {canary if index % 10 == 0 else ''}".strip())
            for index in range(count)
        ]
    )
