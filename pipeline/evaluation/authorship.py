"""Does one author stand behind the early and the late part of a chat?"""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from pipeline.dataset import Row
from pipeline.evaluation.classifier import kernel, separation, train

__all__ = ["AuthorshipCheck", "check_authorship"]

POOL = 10  # messages that are judged together for authorship: one alone says little
MOST_TEXTS = 600  # a side; beyond it the classifier gains little and takes long
SAME_AUTHOR, OTHER_AUTHOR = 0.7, 0.4


class AuthorshipCheck(BaseModel):
    """Whether the late part of the chat looks like the author of the early part.

    auc: the chance that ten late messages of the person look more like the person's early ones than ten late messages
    of the others do; 0.5 is a coin, near 0 means that the accounts were swapped.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    auc: float
    messages: int

    @property
    def warning(self) -> str | None:
        """A sentence where the parts do not look like one author."""
        if self.auc < OTHER_AUTHOR:
            return (
                "The late part of this chat looks as if somebody else wrote this person's messages: "
                "perhaps a phone changed hands, or the names were swapped."
            )
        if self.auc < SAME_AUTHOR:
            return "The late part of this chat looks little like this person's early part: style may have changed."
        return None


def check_authorship(early: Sequence[Row], late: Sequence[Row]) -> AuthorshipCheck | None:
    """Train an authorship classifier on early rows and test it on late ones; None where there is too little."""
    import numpy as np

    sides = [_turns(rows, role) for rows in (early, late) for role in ("assistant", "user")]
    if min(len(side) for side in sides) < 2 * POOL:
        return None
    sides = [side[:: max(1, len(side) // MOST_TEXTS)][:MOST_TEXTS] for side in sides]
    gram = kernel([text for side in sides for text in side])
    known = len(sides[0]) + len(sides[1])
    labels = np.repeat([1.0, 0.0, 1.0, 0.0], [len(side) for side in sides])
    # Who wrote more must not decide: both authors weigh the same through their shares of the training set.
    weights = train(gram[:known, :known], labels[:known])
    scores = gram[known:, :known] @ weights
    late_labels = labels[known:]
    pools, pool_labels = [], []
    for label in (1.0, 0.0):
        own = scores[late_labels == label]
        for start in range(0, len(own) - POOL + 1, POOL // 2):
            pools.append(own[start : start + POOL].mean())
            pool_labels.append(label)
    return AuthorshipCheck(auc=separation(np.array(pools), np.array(pool_labels)), messages=len(late_labels))


def _turns(rows: Sequence[Row], role: str) -> list[str]:
    """What one side said, each turn once; context that rows share is left to the first."""
    seen: set[tuple[int, str]] = set()
    made = []
    for row in rows:
        for message in row.messages:
            key = (row.session, message["content"])
            if message["role"] == role and key not in seen:
                seen.add(key)
                made.append(message["content"])
    return made
