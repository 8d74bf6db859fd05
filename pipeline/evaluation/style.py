"""How far apart two sets of replies are in style: lengths, bubbles, emoji, punctuation, capitals and words."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from math import log2, sqrt

from pydantic import BaseModel, ConfigDict

from pipeline.prompt import split_bubbles

__all__ = ["Style", "jensen_shannon", "style_distance"]

_WORD = re.compile(r"\w+(?:['’]\w+)*")
_END = re.compile(r"[^\w\s]+$")
COMMON_WORDS = 500  # words beyond the commonest say what was talked about, not how


class Style(BaseModel):
    """Jensen-Shannon distances (0: the same, 1: nothing in common) and their mean.

    They depend on how many replies there are: compare them with the person's own at the same number.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    length: float
    bubbles: float
    emoji: float
    punctuation: float
    capitals: float
    vocabulary: float

    @property
    def overall(self) -> float:
        """The mean of the six."""
        parts = (self.length, self.bubbles, self.emoji, self.punctuation, self.capitals, self.vocabulary)
        return sum(parts) / len(parts)


def style_distance(replies: Sequence[str], others: Sequence[str]) -> Style:
    """The distance between two sets of replies, each a turn whose bubbles are joined."""
    common = {word for word, _ in Counter(_words([*replies, *others])).most_common(COMMON_WORDS)}

    def words(turns: Iterable[str]) -> Iterable[str]:
        return (word for word in _words(turns) if word in common)

    def distance(features: Callable[[Sequence[str]], Iterable[str]]) -> float:
        return jensen_shannon(Counter(features(replies)), Counter(features(others)))

    return Style(
        length=distance(lambda turns: (f"{max(1, len(turn)).bit_length()}" for turn in turns)),
        bubbles=distance(lambda turns: (f"{min(5, len(split_bubbles(turn)))}" for turn in turns)),
        emoji=distance(_emoji),
        punctuation=distance(_punctuation),
        capitals=distance(_capitals),
        vocabulary=distance(words),
    )


def jensen_shannon(a: Counter[str], b: Counter[str]) -> float:
    """The Jensen-Shannon distance of two histograms, base 2: from 0 to 1. Nothing against something is 1."""
    total_a, total_b = a.total(), b.total()
    if not total_a or not total_b:
        return float(total_a != total_b)
    divergence = 0.0
    for key in a.keys() | b.keys():
        p, q = a[key] / total_a, b[key] / total_b
        middle = (p + q) / 2
        divergence += sum(x * log2(x / middle) for x in (p, q) if x) / 2
    return sqrt(max(0.0, divergence))


def _bubbles(turns: Iterable[str]) -> Iterable[str]:
    return (bubble for turn in turns for bubble in split_bubbles(turn) if bubble)


def _words(turns: Iterable[str]) -> Iterable[str]:
    return (word.lower() for turn in turns for word in _WORD.findall(turn))


def _emoji(turns: Iterable[str]) -> Iterable[str]:
    import emoji

    for bubble in _bubbles(turns):
        found = [match["emoji"] for match in emoji.emoji_list(bubble)]
        yield from found or ["none"]


def _punctuation(turns: Iterable[str]) -> Iterable[str]:
    """How bubbles end, and which marks stand inside them."""
    for bubble in _bubbles(turns):
        end = _END.search(bubble)
        yield f"end {end[0][:3] if end else ''}"
        yield from (character for character in bubble if not character.isalnum() and not character.isspace())


def _capitals(turns: Iterable[str]) -> Iterable[str]:
    """Whether bubbles begin in upper or lower case, shout, and write "i" or "I"."""
    for bubble in _bubbles(turns):
        letters = [character for character in bubble if character.isalpha()]
        if len(letters) > 3 and all(character.isupper() for character in letters):
            yield "shout"
        elif letters:
            first = letters[0]
            yield "upper" if first.isupper() else "lower" if first.islower() else "neither"
