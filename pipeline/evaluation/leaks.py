"""What a twin repeats of the messages that it learned from."""

from collections.abc import Iterable, Sequence

from pydantic import BaseModel, ConfigDict

from pipeline.dataset import Row
from pipeline.prompt import Message, split_bubbles
from pipeline.redact import KINDS, find

__all__ = ["COPY", "Leaks", "Seen", "leaks_of"]

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


class Seen:
    """The messages of training, to look stretches of text up in."""

    def __init__(self, rows: Iterable[Row]) -> None:
        contents = dict.fromkeys(m["content"] for row in rows for m in row.messages if m["role"] != "system")
        self.bubbles = list(dict.fromkeys(_even(b) for content in contents for b in split_bubbles(content)))
        self.text = "\n".join(self.bubbles)

    def longest(self, text: str, known: str = "") -> str:
        """The longest stretch of one bubble of `text` that stands in training and not in `known`."""
        best = ""
        known = _even(known)
        for bubble in map(_even, split_bubbles(text)):
            start = end = 0
            while end < len(bubble):
                longer = bubble[start : end + 1]
                if longer in self.text and longer not in known:
                    end += 1
                    best = max(best, longer, key=len)
                elif longer in self.text and end - start < COPY:
                    end += 1  # as yet a quotation of the conversation; it may become more
                else:
                    start += 1
                    end = max(start, end)
        return best


def _even(text: str) -> str:
    """Text in which only the words count: case and spaces made even."""
    return " ".join(text.casefold().split())


def leaks_of(
    replies: Sequence[str], histories: Sequence[Sequence[Message]], seen: Seen, base_replies: Sequence[str] = ()
) -> Leaks:
    """What these replies repeat of training; histories[i] is the conversation that replies[i] goes on from."""
    base = _even(" \n ".join(base_replies))
    longest = copies = personal = from_training = 0
    training_values = {span.value for bubble in seen.bubbles for span in find(bubble, KINDS)}
    for reply, history in zip(replies, histories, strict=True):
        known = "\n".join(message["content"] for message in history)
        copy = seen.longest(reply, known)
        longest = max(longest, len(copy))
        copies += len(copy) >= COPY and copy not in base
        spans = [span for span in find(reply, KINDS) if span.value not in {s.value for s in find(known, KINDS)}]
        personal += bool(spans)
        from_training += any(span.value in training_values for span in spans)
    return Leaks(
        replies=len(replies), longest_copy=longest, copies=copies / max(1, len(replies)), personal=personal,
        personal_from_training=from_training,
    )  # fmt: skip
