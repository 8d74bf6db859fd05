"""Does a twin answer what was said, or only in the person's style?"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from pipeline.chat import Twin
from pipeline.evaluation.replies import Moment, row_opening
from pipeline.inference import candidate_losses, shared_prompt
from pipeline.progress import SILENT, Progress
from pipeline.prompt import encode_all

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

__all__ = ["Relevance", "blocks_of", "judge", "relevance_of"]

MOMENTS = 40  # contexts that are tried: from all over the held-out part
BLOCK = 8  # moments whose replies are tried under each other's contexts
CONTEXT = 4  # messages of context; more would cost time and say little


class Relevance(BaseModel):
    """gain: nats a token that the true context saves against a shuffled one (0: it only has the style).

    first: share of contexts for which the true reply fits best of eight of the person's replies (chance 0.125);
    mean_rank: of the true reply, from 1 to 8 (chance 4.5).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    moments: int
    gain: float
    first: float
    mean_rank: float


def blocks_of(count: int, most: int) -> list[list[int]]:
    """Blocks of moment indices that lie far apart, so that no context gives another's reply away."""
    blocks = min(most, count) // BLOCK
    stride = count // BLOCK if blocks else 0
    return [[b * stride // blocks + i * stride for i in range(BLOCK)] for b in range(blocks)]


def relevance_of(
    twin: Twin, moments: Sequence[Moment], most: int = MOMENTS, progress: Progress = SILENT
) -> Relevance | None:
    """Every reply of a block under every context of the block; None where there are fewer than eight moments."""
    blocks = blocks_of(len(moments), most)
    if not blocks:
        return None
    conversations = []
    for block in blocks:
        for context in block:
            moment = moments[context]
            history = moment.history[-CONTEXT:]
            history = history[1:] if history[0]["role"] == "assistant" else history
            before = [*row_opening(twin, moment.row), *history]
            conversations += [
                ([*before, moments[other].row.messages[moments[other].index]], len(before)) for other in block
            ]
    encoded = encode_all(twin.engine.template, twin.engine.tokenizer, conversations)
    groups = [shared_prompt(encoded[i : i + BLOCK]) for i in range(0, len(encoded), BLOCK)]
    nats = [reply for replies in candidate_losses(twin.engine, groups, progress) for reply in replies]
    return judge([sum(one) for one in nats], [len(one) for one in nats])


def judge(nats: Sequence[float], tokens: Sequence[int]) -> Relevance:
    """nats, tokens: of each reply under each context of each block, flat: [block, context, reply]."""
    import numpy as np

    losses = np.array(nats).reshape(-1, BLOCK, BLOCK)
    lengths = np.array(tokens).reshape(-1, BLOCK, BLOCK)
    true = np.einsum("bii->bi", losses)
    shuffled = (losses.sum(1) - true) / (BLOCK - 1)
    gain = float((shuffled - true).sum() / np.einsum("bii->bi", lengths).sum())
    # A reply that is likely anywhere (ok, lol) must not win everywhere: what counts is how much a context helps it.
    fits = losses - losses.mean(1, keepdims=True)
    own = np.einsum("bii->bi", fits)[:, :, None]
    ranks = 0.5 + (fits < own).sum(2) + (fits == own).sum(2) / 2
    return Relevance(
        moments=int(ranks.size), gain=gain, first=float((ranks == 1).mean()), mean_rank=float(ranks.mean())
    )
