"""Can a classifier tell a set of replies from the person's? And is the person one hand?"""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from pipeline.dataset import Row
from pipeline.evaluation.classifier import cross_validated_scores, kernel, separation, train

__all__ = ["Hand", "Told", "one_hand", "tell_apart"]

ROUNDS = 3  # cross-validations with other folds, whose answers are averaged
RESAMPLES = 500
POOL = 10  # messages that are judged together for authorship: one alone says little
MOST_TEXTS = 600  # a side; beyond it the classifier gains little and takes long
SURE_HAND, OTHER_HAND = 0.7, 0.4


class Told(BaseModel):
    """How often a classifier tells replies from the person's own (balanced accuracy), with its 95 % interval.

    0.5 is a coin. The person against themself is the mark to compare with: topics change, so it is seldom 0.5.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    accuracy: float
    low: float
    high: float
    replies: int


def tell_apart(replies: Sequence[str], real: Sequence[str], seed: int = 0) -> Told:
    """Cross-validated balanced accuracy at telling replies from real ones; replies[i] answers what real[i] answers.

    The two replies to one message are always on the same side of the split. Where there are several times as many
    replies, each as many as are real are judged apart, and what is said of a moment is their mean.
    """
    import numpy as np

    count = len(real)
    labels = np.repeat([1.0, 0.0], count)
    groups = np.tile(np.arange(count), 2)
    judged = []
    for start in range(0, len(replies), count):
        gram = kernel([*replies[start : start + count], *real])
        for i in range(ROUNDS):
            judged.append((cross_validated_scores(gram, labels, groups, seed=seed + i) > 0) == (labels == 1))
    right = np.mean(judged, axis=0)
    by_moment = (right[:count] + right[count:]) / 2
    generator = np.random.default_rng(seed)
    means = by_moment[generator.integers(0, count, (RESAMPLES, count))].mean(1)
    low, high = np.quantile(means, [0.025, 0.975])
    return Told(accuracy=float(by_moment.mean()), low=float(low), high=float(high), replies=count)


class Hand(BaseModel):
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
        if self.auc < OTHER_HAND:
            return (
                "The late part of this chat looks as if somebody else wrote this person's messages: "
                "perhaps a phone changed hands, or the names were swapped."
            )
        if self.auc < SURE_HAND:
            return "The late part of this chat looks little like this person's early part: style may have changed."
        return None


def one_hand(early: Sequence[Row], late: Sequence[Row]) -> Hand | None:
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
    return Hand(auc=separation(np.array(pools), np.array(pool_labels)), messages=len(late_labels))


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
