"""Can a classifier tell a set of replies from the person's?"""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from pipeline.evaluation.classifier import cross_validated_scores, text_features

__all__ = ["ClassifierAccuracy", "classifier_accuracy"]

ROUNDS = 3  # cross-validations with other folds, whose answers are averaged
RESAMPLES = 500


class ClassifierAccuracy(BaseModel):
    """How often a classifier tells replies from the person's own (balanced accuracy), with its 95 % interval.

    0.5 is a coin. The person against themself is the mark to compare with: topics change, so it is seldom 0.5.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    accuracy: float
    low: float
    high: float
    replies: int


def classifier_accuracy(replies: Sequence[str], real: Sequence[str], seed: int = 0) -> ClassifierAccuracy:
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
        rows = text_features().fit_transform([*replies[start : start + count], *real])
        for i in range(ROUNDS):
            judged.append((cross_validated_scores(rows, labels, groups, seed=seed + i) > 0) == (labels == 1))
    right = np.mean(judged, axis=0)
    by_moment = (right[:count] + right[count:]) / 2
    generator = np.random.default_rng(seed)
    means = by_moment[generator.integers(0, count, (RESAMPLES, count))].mean(1)
    low, high = np.quantile(means, [0.025, 0.975])
    return ClassifierAccuracy(accuracy=float(by_moment.mean()), low=float(low), high=float(high), replies=count)
