"""From rows to token ids, what is learned of them marked, and to the tensors of a batch."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pipeline.errors import ChatError
from pipeline.prompt import Message, Template, encode_all

if TYPE_CHECKING:
    from pipeline.dataset import Row

__all__ = ["FILLER", "IGNORED", "Example", "collate", "encode_rows", "learned_text", "without_repeats"]

IGNORED = -100  # the label of a token that does not count in the loss


@dataclass(frozen=True)
class Example:
    """A row as token ids; `labels` are the ids where they are learned, else IGNORED."""

    ids: tuple[int, ...]
    labels: tuple[int, ...]

    @property
    def learned(self) -> int:
        """How many tokens are learned."""
        return sum(label != IGNORED for label in self.labels)


# Goes through the model where there is nothing to learn: processes that train together must take equal turns.
FILLER = Example((0, 0), (IGNORED, IGNORED))


def encode_rows(
    rows: "Iterable[Row]", template: Template, tokenizer: Any, max_tokens: int, learn: str = "replies"
) -> list[Example]:
    """Rows as examples of at most `max_tokens` tokens; a longer one loses its oldest turns. Rows too long are left out.

    learn "everything": all tokens but the first count in the loss, as most notebooks have it.
    """
    rows = list(rows)
    waiting = [(list(row.messages), row.learn_from) for row in rows]
    examples: list[Example] = []
    while waiting:
        shorter = []
        for (messages, learn_from), encoded in zip(waiting, encode_all(template, tokenizer, waiting), strict=True):
            if len(encoded.ids) > max_tokens:
                shorter += _without_oldest(messages, learn_from)
                continue
            everything = learn == "everything"
            labels = tuple(
                token if everything or learned else IGNORED
                for token, learned in zip(encoded.ids, encoded.learned, strict=True)
            )
            example = Example(tuple(encoded.ids), labels)
            if example.learned:
                examples.append(example)
        waiting = shorter
    return examples


def without_repeats(rows: "Iterable[Row]") -> "list[Row]":
    """Rows without what an earlier row of the same conversation has shown already: a sixth of the sample's tokens.

    A row whose context is in no earlier one keeps it.
    """
    kept, begun = [], set()
    for row in rows:
        first = 1 if row.messages[0]["role"] == "system" else 0
        repeated = row.learn_from - 1 - first  # all before the message that the first learned reply answers
        if row.session in begun and repeated > 0:
            messages = [*row.messages[:first], *row.messages[first + repeated :]]
            row = replace(row, messages=messages, learn_from=row.learn_from - repeated)
        begun.add(row.session)
        kept.append(row)
    return kept


def _without_oldest(messages: list[Message], learn_from: int) -> list[tuple[list[Message], int]]:
    """The conversation without its first exchange, or nothing when only one is left."""
    first = 1 if messages and messages[0]["role"] == "system" else 0
    rest = messages[:first] + messages[first + 2 :]
    if len(rest) < first + 2:
        return []
    return [(rest, max(first, learn_from - 2))]


def learned_text(examples: Sequence[Example], tokenizer: Any, count: int = 3) -> list[str]:
    """What the first rows teach, as text. Raises ChatError where nothing is learned: better now than in an hour."""
    texts = [tokenizer.decode([t for t in example.labels if t != IGNORED]) for example in examples[:count]]
    if not texts or not any(text.strip() for text in texts):
        raise ChatError("No token of this dataset would be learned from: build it again and check its rows.")
    return texts


def collate(examples: Sequence[Example], device: Any = None) -> dict[str, Any]:
    """Examples end to end as one sequence of shape (1, tokens), with what `documents` attention needs to know."""
    import torch

    examples = examples or [FILLER]
    lengths = tuple(len(example.ids) for example in examples)
    starts = [0]
    for length in lengths:
        starts.append(starts[-1] + length)

    def flat(values: Iterable[int]) -> Any:
        return torch.tensor([list(values)], device=device)

    return {
        "input_ids": flat(i for example in examples for i in example.ids),
        # Nothing comes before a row's first token, so it is never learned: else it would follow the row before.
        "labels": flat(i for example in examples for i in (IGNORED, *example.labels[1:])),
        "position_ids": flat(position for length in lengths for position in range(length)),
        "row_lengths": lengths,
        "row_starts": torch.tensor(starts, dtype=torch.int32, device=device),
    }
