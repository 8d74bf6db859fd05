"""A classifier of short texts, small enough to write out: character n-grams and style, logistic regression."""

import re
from collections import Counter
from collections.abc import Sequence
from math import log1p, sqrt
from typing import TYPE_CHECKING, Any

from pipeline.prompt import split_bubbles

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

__all__ = ["cross_validated_scores", "kernel", "separation", "train"]

SIZES = (1, 2, 3, 4)  # of character n-grams
STYLE_WEIGHT = 0.7  # of the style features beside a unit of n-grams
RIDGE = 0.02
STEPS = 12  # of Newton's method; it has settled by then
_MARKS = re.compile(r"[^\w\s]")


def kernel(texts: Sequence[str]) -> "Array":
    """How alike the texts are, [n, n]: dot products of n-grams (weighted by rarity, unit length) and of style."""
    import numpy as np

    counts = [Counter(text[i : i + size] for size in SIZES for i in range(len(text) - size + 1)) for text in texts]
    appears = Counter(gram for count in counts for gram in count)
    index = {gram: i for i, gram in enumerate(g for g, n in appears.items() if n > 1)}
    rarity = {gram: log1p(len(texts) / appears[gram]) for gram in index}
    grams = np.zeros((len(texts), max(1, len(index))), dtype=np.float32)
    for row, count in enumerate(counts):
        for gram, n in count.items():
            if gram in index:
                grams[row, index[gram]] = (1 + log1p(n - 1)) * rarity[gram]
    grams /= np.maximum(np.linalg.norm(grams, axis=1, keepdims=True), 1e-9)
    style = np.array([_style(text) for text in texts])
    style = (style - style.mean(0)) / np.maximum(style.std(0), 1e-9)
    style *= STYLE_WEIGHT / sqrt(style.shape[1])
    alike: Array = (grams @ grams.T).astype(np.float64) + style @ style.T + 0.1
    return alike


def _style(text: str) -> list[float]:
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


def train(gram: "Array", labels: "Array") -> "Array":
    """Weights of a kernel logistic regression, [n], by Newton's method. gram: [n, n]; labels: 0 or 1."""
    import numpy as np

    weights: Array = np.zeros(len(labels))
    for _ in range(STEPS):
        shares = 1 / (1 + np.exp(-np.clip(gram @ weights, -30, 30)))
        curve = np.maximum(shares * (1 - shares), 1e-6)
        target = gram @ weights + (labels - shares) / curve
        weights = np.linalg.solve(gram + RIDGE * len(labels) * np.diag(1 / curve) / 4, target)
    return weights


def cross_validated_scores(gram: "Array", labels: "Array", groups: "Array", folds: int = 5, seed: int = 0) -> "Array":
    """Each text's score (above 0: label 1) by a classifier that has seen nothing of its group, [n]."""
    import numpy as np

    generator = np.random.default_rng(seed)
    names = generator.permutation(np.unique(groups))
    scores = np.zeros(len(labels))
    for held in np.array_split(names, min(folds, len(names))):
        out = np.isin(groups, held)
        if out.all() or not out.any():
            continue
        weights = train(gram[np.ix_(~out, ~out)], labels[~out])
        scores[out] = gram[np.ix_(out, ~out)] @ weights
    return scores


def separation(scores: "Array", labels: "Array") -> float:
    """The chance that a text with label 1 scores above one with label 0 (area under the curve), 0.5 for none."""
    import numpy as np

    ones, zeros = scores[labels == 1], np.sort(scores[labels == 0])
    below = np.searchsorted(zeros, ones, side="left") + np.searchsorted(zeros, ones, side="right")
    return float(below.mean() / 2 / len(zeros))
