"""When the bubbles of a reply are seen, so that they come as the person would send them."""

import random
import time
from collections.abc import Callable, Iterator
from math import exp

from pipeline.chat.twin import PartialReply
from pipeline.dataset import Rhythm
from pipeline.prompt import split_bubbles

__all__ = ["Pace"]

LONGEST = 4.0  # seconds that no wait reaches: short ones keep nearly their length, long ones come close to it
IN_ALL = 15.0  # seconds that a reply may be held back


class Pace:
    """A reply's bubbles, each whole and in its time. Nothing sleeps here: whoever shows them does.

    begun: the moment of making it, when the person would begin to write. clock: seconds, for tests.
    """

    def __init__(
        self, rhythm: Rhythm, *, chance: random.Random | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.rhythm = rhythm
        self.chance = chance or random.Random()
        self.clock = clock
        self.lines: list[str] = []  # of the text that has come, those that are whole
        self.due: list[float] = []  # when each of them may be seen
        self.begun = clock()
        self.left = IN_ALL

    def grow(self, reply: PartialReply) -> str:
        """Take in more of the reply; what of it may be seen by now."""
        lines = reply.text.split("\n")
        self.lines = lines if reply.finish_reason else lines[:-1]
        for line in self.lines[len(self.due) :]:
            before = self.due[-1] if self.due else self.begun
            self.due.append(max(self.clock(), before + self._wait(line)))
        return self._text(sum(due <= self.clock() for due in self.due))

    def rest(self) -> Iterator[tuple[str, float]]:
        """What is still to come of a reply that has ended: the text so far, and the seconds to wait before it."""
        seen = sum(due <= self.clock() for due in self.due)
        for count in range(seen + 1, len(self.lines) + 1):
            yield self._text(count), max(0.0, self.due[count - 1] - self.clock())

    def _text(self, count: int) -> str:
        return "\n".join(self.lines[:count])

    def _wait(self, line: str) -> float:
        """The first bubble takes only its writing, since the pause before it was for reading what it answers."""
        length = len(split_bubbles(line)[0])
        seconds = self.rhythm.per_character * length + (self.rhythm.pause if self.due else 0.0)
        seconds *= exp(self.chance.gauss(0, self.rhythm.spread))
        wait = min(self.left, LONGEST * seconds / (LONGEST + seconds)) if length else 0.0
        self.left -= wait
        return wait
