"""Does one author stand behind the early and the late part of a chat?"""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from pipeline.dataset import Row
from pipeline.evaluation.classifier import logistic_regression, text_features

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
    from sklearn.metrics import roc_auc_score
    from sklearn.pipeline import make_pipeline

    sides = [_turns(rows, role) for rows in (early, late) for role in ("assistant", "user")]
    if min(len(side) for side in sides) < 2 * POOL:
        return None
    sides = [side[:: max(1, len(side) // MOST_TEXTS)][:MOST_TEXTS] for side in sides]
    early_labels, late_labels = (np.repeat([1.0, 0.0], [len(own), len(other)]) for own, other in (sides[:2], sides[2:]))
    early_texts, late_texts = ([*own, *other] for own, other in (sides[:2], sides[2:]))
    classifier = make_pipeline(text_features(), logistic_regression(len(early_texts)))
    scores = classifier.fit(early_texts, early_labels).decision_function(late_texts)
    pools, pool_labels = [], []
    for label in (1.0, 0.0):
        own = scores[late_labels == label]
        for start in range(0, len(own) - POOL + 1, POOL // 2):
            pools.append(own[start : start + POOL].mean())
            pool_labels.append(label)
    return AuthorshipCheck(auc=float(roc_auc_score(pool_labels, pools)), messages=len(late_labels))


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
