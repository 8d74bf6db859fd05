"""How the rows of a model of any architecture go through it, so that each gives what it would give alone.

Rows that lie end to end save the padding, but only plain causal attention can be told where one ends. What an
architecture was tried with stands here; one that is not here takes a row at a time, which is right for all.
"""

from typing import Any

from pipeline.errors import ChatError
from pipeline.planning.recipe import Choice

__all__ = ["choose_rows", "room_for"]

# Architectures (`model_type`) whose attention knows of nothing but positions, softmax and windows.
PLAIN = frozenset(
    (
        "arcee", "cohere", "cohere2", "ernie4_5", "exaone4", "gemma", "gemma2", "gemma3_text", "glm", "glm4", "gpt2",
        "gpt_bigcode", "gpt_neox", "granite", "helium", "llama", "ministral3", "mistral", "mixtral", "olmo", "olmo2",
        "olmo3", "phi", "phi3", "qwen2", "qwen2_moe", "qwen3", "qwen3_moe", "seed_oss", "smollm3", "starcoder2",
    )
)  # fmt: skip
WRITES_OVER = frozenset(("falcon",))  # adds to what a linear layer gave in its place, which the fused LoRA forbids


def choose_rows(shape: Any, max_tokens: int) -> Choice | None:
    """How rows of at most so many tokens go through a model of this configuration; None: as plain ones do."""
    text = shape.get_text_config()
    kind = text.model_type
    if kind in WRITES_OVER:
        raise ChatError(f"A {kind} cannot be trained here: choose a newer model.")
    if kind not in PLAIN:
        return Choice("alone", f"it is not known whether rows may lie end to end in a {kind}, so each goes alone")
    if getattr(text, "attn_logit_softcapping", None):
        return Choice("own", f"the scores of a {kind} are capped, which its own attention alone does")
    if (window := look_back(text)) is not None and window < max_tokens:
        return Choice("own", f"some layers look back {window:,} tokens only, less than a long row, as its own does")
    return None


def look_back(text: Any) -> int | None:
    """Tokens that a layer with a window sees; None where no layer has one."""
    layers = getattr(text, "layer_types", None)
    if layers and "sliding_attention" not in layers:
        return None
    return getattr(text, "sliding_window", None) or None


def room_for(shape: Any, tokens: int) -> int:
    """The longest row, of so many tokens at most, that the model has positions for."""
    most = getattr(shape.get_text_config(), "max_position_embeddings", None)
    return min(tokens, most) if most else tokens
