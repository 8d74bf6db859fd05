"""How a reply's next token is chosen, and what it may be at most."""

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from torch import Generator, Tensor

__all__ = ["GenerationConfig", "pick"]

NUCLEUS = 512  # the most likely tokens among which top-p chooses; what lies beyond has next to no mass below 1


PULL_TOKENS = 8  # past a long reply, so many tokens more make the end e times as likely: it comes at a good place


class GenerationConfig(BaseModel):
    """Sampling of replies; the same for the form, the command line and the run's folder (`generation.json`)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    temperature: float = Field(default=0.9, ge=0, le=2, description="0: always the likeliest word; 1: as learned.")
    top_p: float = Field(default=0.95, gt=0, le=1, description="Choose among the likeliest words of this share.")
    repetition_penalty: float = Field(
        default=1.0, ge=1, le=2, description="Above 1: words of the reply come back less."
    )
    end_bias: float = Field(default=0.0, ge=-5, le=5, description="Above 0: shorter replies; below: longer ones.")
    break_bias: float = Field(default=0.0, ge=-5, le=5, description="Above 0: more and shorter bubbles; below: fewer.")
    long_reply: int | None = Field(default=None, ge=1, description="Tokens from which a reply is drawn to its end.")
    max_new_tokens: int = Field(default=200, ge=1, le=2048, description="Most tokens of a reply.")
    context_tokens: int | None = Field(default=None, ge=64, description="Most tokens of context; null: as in training.")
    seed: int | None = Field(default=None, description="The same seed gives the same reply; null: a new one each time.")


def pick(
    logits: "Tensor",
    config: GenerationConfig,
    generator: "Generator | None" = None,
    *,
    end_ids: "Tensor | None" = None,
    break_ids: "Tensor | None" = None,
    step: int = 0,
    written: "Tensor | None" = None,
) -> "Tensor":
    """One token id a row, int64 [rows], from float32 logits [rows, vocabulary] (changed in place).

    end_ids: ids that end a reply, favoured as `end_bias` and `long_reply` say at the reply's token number `step`.
    break_ids: ids that end a bubble, favoured by `break_bias`.
    written: ids [rows, n] already in the reply, -1 where a row has fewer.
    """
    import torch

    pull = config.end_bias
    if config.long_reply is not None and step > config.long_reply:
        pull += (step - config.long_reply) / PULL_TOKENS
    if end_ids is not None and pull:
        logits[:, end_ids] += pull
    if break_ids is not None and config.break_bias:
        logits[:, break_ids] += config.break_bias
    if written is not None and written.numel() and config.repetition_penalty > 1:
        _penalise(logits, written, config.repetition_penalty)
    if config.temperature == 0:
        return logits.argmax(-1)
    logits /= config.temperature
    if config.top_p >= 1:
        return torch.multinomial(logits.softmax(-1), 1, generator=generator)[:, 0]
    total = logits.logsumexp(-1, keepdim=True)
    likeliest, ids = logits.topk(min(NUCLEUS, logits.shape[-1]), dim=-1)
    shares = (likeliest - total).exp()
    before = shares.cumsum(-1) - shares  # mass of the likelier tokens: the first is always kept
    shares = shares.masked_fill(before >= config.top_p, 0)
    return ids.gather(-1, torch.multinomial(shares, 1, generator=generator))[:, 0]


def _penalise(logits: "Tensor", written: "Tensor", penalty: float) -> None:
    """Divide positive scores of ids already written and multiply negative ones (Keskar et al. 2019)."""
    import torch

    seen = torch.zeros_like(logits, dtype=torch.bool)
    seen.scatter_(1, written.clamp(min=0), written >= 0)
    # Row by row an id may be both padding (clamped to 0, unset) and real: a padding -1 must not unset it.
    seen[:, 0] = (written == 0).any(-1)
    logits.copy_(torch.where(seen, torch.where(logits > 0, logits / penalty, logits * penalty), logits))
