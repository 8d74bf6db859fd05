"""What a twin repeats of the messages that it learned from."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence

from pydantic import BaseModel, ConfigDict

from pipeline.dataset import Row
from pipeline.prompt import Message, split_bubbles
from pipeline.redact import KINDS, find

__all__ = ["COPY", "Leaks", "TrainingText", "leaks_of"]

SORTED = 64  # characters by which places are sorted; a power of two
COPY = 30  # characters: the shortest copy that counts


class Leaks(BaseModel):
    """Copies from the training messages in sampled replies. Words of the conversation at hand do not count.

    longest_copy: characters of the longest stretch that stands in training too. copies: share of replies with one of
    at least 30 characters that the base model's replies do not hold. personal: replies with personal data of the
    redactor's kinds; personal_from_training: of these, data that stands in training.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    replies: int
    longest_copy: int
    copies: float
    personal: int
    personal_from_training: int


class TrainingText:
    """The messages of training, to look stretches of text up in: every place in order of what follows it."""

    def __init__(self, rows: Iterable[Row]) -> None:
        contents = dict.fromkeys(m["content"] for row in rows for m in row.messages if m["role"] != "system")
        self.bubbles = list(dict.fromkeys(_even(b) for content in contents for b in split_bubbles(content)))
        self.text = "\n".join(self.bubbles)
        self._places = _sorted_places(self.text)

    def longest(self, text: str, known: str = "") -> str:
        """The longest stretch of one bubble of `text` that stands in training and not in `known`."""
        best = ""
        known = _even(known)
        for bubble in map(_even, split_bubbles(text)):
            for start in range(len(bubble)):
                length = self._match(bubble[start:])
                # A stretch of the conversation at hand is a quotation, and so is every part of it.
                if length > len(best) and (found := bubble[start : start + length]) not in known:
                    best = found
        return best

    def _match(self, text: str) -> int:
        """How much of the beginning of `text` stands somewhere in training."""
        wanted = text[:SORTED]
        at = bisect_left(self._places, wanted, key=lambda place: self.text[place : place + SORTED])
        length = 0
        for place in self._places[max(0, at - 1) : at + 1]:
            length = max(length, _common(wanted, self.text[place : place + SORTED]))
        while SORTED <= length < len(text) and text[: length + 1] in self.text:
            length += 1
        return length


def _sorted_places(text: str) -> "array[int]":
    """The places of a text, sorted by the SORTED characters that begin there (a suffix array by doubling)."""
    import numpy as np

    if not text:
        return array("q")
    ranks = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.int64) + 1
    order = np.argsort(ranks, kind="stable")
    width = 1
    while width < SORTED:
        beyond = np.zeros_like(ranks)
        beyond[:-width] = ranks[width:]
        keys = ranks * (int(ranks.max()) + 1) + beyond
        order = np.argsort(keys, kind="stable")
        following = keys[order]
        ranks[order] = np.cumsum(np.concatenate([[1], following[1:] != following[:-1]]))
        width *= 2
    return array("q", order.astype(np.int64).tobytes())


def _common(a: str, b: str) -> int:
    """Length of the longest common beginning."""
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def _even(text: str) -> str:
    """Text in which only the words count: case and spaces made even."""
    return " ".join(text.casefold().split())


def leaks_of(
    replies: Sequence[str],
    histories: Sequence[Sequence[Message]],
    learned: TrainingText,
    base_replies: Sequence[str] = (),
) -> Leaks:
    """What these replies repeat of training; histories[i] is the conversation that replies[i] goes on from."""
    base = _even(" \n ".join(base_replies))
    longest = copies = personal = from_training = 0
    training_values = {span.value for bubble in learned.bubbles for span in find(bubble, KINDS)}
    for reply, history in zip(replies, histories, strict=True):
        known = "\n".join(message["content"] for message in history)
        copy = learned.longest(reply, known)
        longest = max(longest, len(copy))
        copies += len(copy) >= COPY and copy not in base
        spans = [span for span in find(reply, KINDS) if span.value not in {s.value for s in find(known, KINDS)}]
        personal += bool(spans)
        from_training += any(span.value in training_values for span in spans)
    return Leaks(
        replies=len(replies), longest_copy=longest, copies=copies / max(1, len(replies)), personal=personal,
        personal_from_training=from_training,
    )  # fmt: skip
