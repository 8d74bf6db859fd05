"""A classifier of short texts: TF-IDF of character n-grams beside figures of style, logistic regression."""

import re
from collections.abc import Sequence
from math import log1p, sqrt
from typing import TYPE_CHECKING, Any

from pipeline.prompt import split_bubbles

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

__all__ = ["cross_validated_scores", "logistic_regression", "text_features"]

SIZES = (1, 4)  # shortest and longest of character n-grams
STYLE_WEIGHT = 0.7  # of the style features beside a unit of n-grams
STRENGTH = 200  # of the fit over the number of texts: with more of them each text may pull less
_MARKS = re.compile(r"[^\w\s]")


def text_features() -> Any:
    """A scikit-learn transformer of texts into rows: TF-IDF of n-grams, of unit length, beside figures of style."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import FeatureUnion, make_pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    ngrams = TfidfVectorizer(analyzer="char", ngram_range=SIZES, lowercase=False, min_df=2, sublinear_tf=True)
    style = make_pipeline(FunctionTransformer(_style), StandardScaler())
    weights = {"style": STYLE_WEIGHT / sqrt(_style(["?"]).shape[1])}
    return FeatureUnion([("ngrams", ngrams), ("style", style)], transformer_weights=weights)


def logistic_regression(count: int) -> Any:
    """A scikit-learn classifier of such rows, to be fitted to `count` of them."""
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=STRENGTH / count, max_iter=1000)


def _style(texts: Sequence[str]) -> "Array":
    """Lengths, marks, capitals and ends of each text, [texts, 9]."""
    import numpy as np

    return np.array([_style_of(text) for text in texts])


def _style_of(text: str) -> list[float]:
    bubbles = split_bubbles(text)
    letters = [c for c in text if c.isalpha()]
    return [
        log1p(len(text)),
        log1p(len(text) / len(bubbles)),
        log1p(len(bubbles)),
        len(_MARKS.findall(text)) / max(1, len(text)),
        sum(c.isupper() for c in letters) / max(1, len(letters)),
        sum(bubble[:1].isupper() for bubble in bubbles) / len(bubbles),
        sum(bubble[-1:] in ".!?" for bubble in bubbles if bubble) / len(bubbles),
        float("?" in text),
        sum(ord(c) > 0x2190 for c in text) / max(1, len(text)),
    ]


def cross_validated_scores(rows: Any, labels: "Array", groups: "Array", folds: int = 5, seed: int = 0) -> "Array":
    """Each row's score (above 0: label 1) by a classifier that has seen nothing of its group, [rows]."""
    from sklearn.model_selection import GroupKFold, cross_val_predict

    split = GroupKFold(min(folds, len(set(groups.tolist()))), shuffle=True, random_state=seed)
    classifier = logistic_regression(len(labels) * (folds - 1) // folds)
    scores: Array = cross_val_predict(classifier, rows, labels, groups=groups, cv=split, method="decision_function")
    return scores
