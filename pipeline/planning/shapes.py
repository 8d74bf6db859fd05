"""What planning has to know of a model: read from the list or its configuration, before anything is loaded."""

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.compat import is_conv1d
from pipeline.errors import ChatError
from pipeline.models import STARTER, BaseModelInfo, DecoderSizes, load_config, model_list, starter_is_here

__all__ = ["ModelShape", "linear_layers", "lora_parameters", "non_text_modules", "read_shape", "shape_of"]

# Architectures whose feed-forward part is two matrices, not three.
UNGATED = frozenset(("bloom", "falcon", "gpt2", "gpt_bigcode", "gpt_neox", "gptj", "opt", "phi", "starcoder2"))


@dataclass(frozen=True)
class ModelShape:
    """A model as far as a plan depends on it.

    linear: of the linear layers of each name the sides (in + out) of all together, which is what a rank more adds to
    LoRA. sizes: None where memory cannot be forecast from them (a mixture of experts, a state space). positions: tokens
    of the longest row. window: tokens that a layer looks back. capped: whether attention scores are.
    """

    model: str
    name: str
    architecture: str
    parameters: int
    linear: tuple[tuple[str, int], ...]
    sizes: DecoderSizes | None
    positions: int | None = None
    window: int | None = None
    capped: bool = False


def shape_of(model: str) -> ModelShape:
    """The shape of a model from the list, or read from its configuration. Raises ChatError."""
    for info in model_list():
        if info.id == model and (model != STARTER or _is_the_listed_starter(info)):
            return _listed(info)
    settings = Path(model).expanduser().glob("*.json")  # of a folder, which may have changed since it was read
    return _read(model, max((path.stat().st_mtime_ns for path in settings), default=0))


def _is_the_listed_starter(info: BaseModelInfo) -> bool:
    """Whether the starter in the cache, where it is there, is of the listed size: somebody may have put in another."""
    if not starter_is_here():
        return True
    text = load_config(STARTER).get_text_config()
    return (text.hidden_size, text.num_hidden_layers) == (info.sizes.hidden, info.sizes.layers)


def lora_parameters(shape: ModelShape, rank: int, targets: Sequence[str] = ()) -> int:
    """Weights of LoRA of this rank on the named layers (none: all linear ones but the head).

    Raises ChatError where the model has no such layers.
    """
    sides = sum(size for name, size in shape.linear if not targets or name in targets)
    if not sides:
        named = " or ".join(targets) or "linear layers"
        raise ChatError(f"A {shape.architecture} has no {named} to train: use our recipe, which names no layers.")
    return rank * sides


def _listed(info: BaseModelInfo) -> ModelShape:
    sides = {name: info.sizes.layers * sum(size) for name, size in info.sizes.projections().items()}
    return ModelShape(
        info.id, info.name, info.architecture, info.parameters, tuple(sides.items()), info.sizes, info.context
    )


@functools.lru_cache(maxsize=32)
def _read(model: str, stamp: int) -> ModelShape:
    return read_shape(model, load_config(model))


def read_shape(model: str, config: Any) -> ModelShape:
    """The shape of a model by transformers' configuration of it, counted on a copy without weights (takes seconds)."""
    import torch
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        empty = AutoModelForCausalLM.from_config(config)
    text, folder = config.get_text_config(), Path(model).expanduser()
    return ModelShape(
        model,
        folder.name if folder.is_dir() else model,
        text.model_type,
        sum(parameter.numel() for parameter in empty.parameters()),
        linear_layers(empty),
        _sizes(text),
        getattr(text, "max_position_embeddings", None),
        _window(text),
        bool(getattr(text, "attn_logit_softcapping", None)),
    )


def linear_layers(model: Any) -> tuple[tuple[str, int], ...]:
    """`ModelShape.linear` of a model, loaded or without weights: what LoRA is put on when no layers are named."""
    import torch

    sides: dict[str, int] = {}
    head, excluded = model.get_output_embeddings(), non_text_modules(model) or ""
    for path, layer in model.named_modules():
        if layer is head or re.fullmatch(excluded, path):
            continue
        name = path.rsplit(".", 1)[-1]
        if isinstance(layer, torch.nn.Linear):
            sides[name] = sides.get(name, 0) + layer.in_features + layer.out_features
        elif is_conv1d(layer):  # GPT-2's linear layer
            sides[name] = sides.get(name, 0) + layer.nx + layer.nf
    return tuple(sides.items())


def non_text_modules(model: Any) -> str | None:
    """A pattern for the modules of a model that sees or hears, too, which have nothing to learn from text."""
    reads = any(name.endswith("language_model") for name, _ in model.named_modules())
    return r"(?!.*language_model\.).*" if reads else None


def _sizes(text: Any) -> DecoderSizes | None:
    """The sizes that memory is forecast from, or None where it takes more than these."""
    if any(getattr(text, name, None) for name in ("num_experts", "num_local_experts", "n_routed_experts")):
        return None
    try:
        heads = text.num_attention_heads
        return DecoderSizes(
            text.hidden_size,
            _intermediate(text),
            text.num_hidden_layers,
            heads,
            getattr(text, "num_key_value_heads", None) or heads,
            getattr(text, "head_dim", None) or text.hidden_size // heads,
            text.vocab_size,
            bool(text.tie_word_embeddings),
        )
    except AttributeError:
        return None


def _intermediate(text: Any) -> int:
    """The width of the feed-forward part, as if it were a gated one: of two matrices a third fewer are needed."""
    names = ("intermediate_size", "n_inner", "ffn_dim", "ffn_hidden_size")
    width = next((size for name in names if (size := getattr(text, name, None))), 4 * text.hidden_size)
    return int(width * 2 / 3) if text.model_type in UNGATED else int(width)


def _window(text: Any) -> int | None:
    """Tokens that a layer with a window sees; None where no layer has one."""
    layers = getattr(text, "layer_types", None)
    if layers and "sliding_attention" not in layers:
        return None
    return getattr(text, "sliding_window", None) or None
