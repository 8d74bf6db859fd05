"""Where a reply is cut short: it begins to speak for the other side, or goes round in circles."""

from collections.abc import Sequence

from pipeline.prompt import Template

__all__ = ["StopSequences", "is_repeating"]


class StopSequences:
    """Finds where a reply begins to speak for the other side: a turn's header spelt out, or a name and a colon."""

    def __init__(self, template: Template, others: Sequence[str]) -> None:
        pieces = (template.to_user, template.to_twin, template.opening)
        self.marks = [m for m in {p.strip() for p in pieces} if len(m) > 2]
        self.names = [f"{name}:" for name in others if name]

    def find(self, text: str) -> int | None:
        """Where it begins, or None. A name counts at the start of a bubble only."""
        found = [text.find(mark) for mark in self.marks]
        found += [0 for name in self.names if text.startswith(name)]
        found += [text.find(f"\n{name}") for name in self.names]
        return min((at for at in found if at >= 0), default=None)

    def safe(self, text: str) -> str:
        """The text without an end that may become the beginning of one of these."""
        held = [*self.marks, *(f"\n{name}" for name in self.names)]
        longest = 0
        for mark in held:
            for size in range(min(len(mark) - 1, len(text)), longest, -1):
                if text.endswith(mark[:size]):
                    longest = size
                    break
        if any(name.startswith(text) for name in self.names):
            return ""
        return text[: len(text) - longest]


def is_repeating(ids: Sequence[int], least: int = 24) -> bool:
    """Whether the end of a reply repeats one stretch at least four times over at least `least` tokens."""
    for size in range(1, 25):
        times = max(4, -(-least // size))
        tail = ids[-size * times :]
        if len(tail) == size * times and all(tail[i] == tail[i % size] for i in range(len(tail))):
            return True
    return False
