"""Private, undocumented and passing parts of other packages: each in one place, with why it is used and until when.

Nothing else in `pipeline` names one; requirements.txt holds the versions that these were tried with.
"""

import functools
import logging
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

__all__ = [
    "attend_packed",
    "average_gradients_ourselves",
    "can_crop",
    "causal_classes",
    "cpu_has_bf16",
    "dequantise",
    "fused_loss",
    "is_conv1d",
    "is_plain_lora",
    "is_repo_id",
    "load_adapter",
    "lora_parts",
    "multiply_int8",
    "put_all",
    "quieten",
    "softmax_backward",
    "split_weights",
    "trainer_class",
    "weights_are_split",
]


# torch: operators without a public name. Each is in torch 2.10, which requirements.txt holds to.


def softmax_backward(gradient: "Tensor", weights: "Tensor") -> "Tensor":
    """The gradient of scores, from that of their softmax `weights` (last dimension).

    What autograd calls for softmax; there is no public name. The formula by hand makes two copies more.
    """
    import torch

    return torch._softmax_backward_data(gradient, weights, -1, weights.dtype)


def attend_packed(
    query: "Tensor", key: "Tensor", value: "Tensor", starts: "Tensor", longest: int, scale: float | None
) -> "Tensor":
    """Causal attention on a GPU over rows that lie end to end: [1, tokens, heads, head size] each.

    The memory-efficient kernel under scaled_dot_product_attention, which a T4 has too. The public function takes rows
    of unequal length as nested tensors only, and not on that kernel backwards; torch.nn.attention.varlen (2.10) asks
    for flash, which begins with Ampere.
    """
    import torch

    causal_from_top_left = 1
    attended = torch.ops.aten._efficient_attention_forward(
        query, key, value, None, starts, starts, longest, longest, 0.0, causal_from_top_left, True, scale=scale
    )
    return attended[0]  # type: ignore[no-any-return]


def multiply_int8(x: "Tensor", weight: "Tensor", scale: "Tensor") -> "Tensor":
    """x [1, in] by an int8 weight [out, in] with a scale for each row of it: [1, out], in bfloat16 on a CPU.

    What torchao's weight-only products call; torch has no public function for it.
    """
    import torch

    return torch.ops.aten._weight_int8pack_mm(x, weight, scale)  # type: ignore[no-any-return]


def put_all(into: Sequence["Tensor"], values: Sequence["Tensor"]) -> None:
    """Copy each tensor's values into another, all in one launch: what torch's own optimisers do it by."""
    import torch

    torch._foreach_copy_(list(into), list(values))


def cpu_has_bf16() -> bool:
    """Whether this CPU multiplies bfloat16 in hardware; torch has no public question for it."""
    import torch

    probes = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(bool(getattr(torch.cpu, probe, bool)()) for probe in probes)


# transformers and TRL


def causal_classes() -> dict[str, str]:
    """Architecture -> the class that continues a text. transformers' own list; AutoModel asks it, but does not tell."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

    return dict(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES)


def is_conv1d(layer: Any) -> bool:
    """Whether a layer is GPT-2's kind of linear layer, which is no torch.nn.Linear."""
    from transformers.pytorch_utils import Conv1D

    return isinstance(layer, Conv1D)


def can_crop(cache: Any) -> bool:
    """Whether a DynamicCache can forget its last tokens: all of its layers keep everything.

    Sliding-window and recurrent layers raise or go wrong in `crop`, and the cache does not say which it has.
    """
    from transformers.cache_utils import DynamicLayer

    return all(type(layer) is DynamicLayer for layer in cache.layers)


def split_weights(shards: int) -> dict[str, Any]:
    """Arguments of from_pretrained that split a model over processes while it is read (FSDP); new in 5.x, may move."""
    from transformers.distributed import DistributedConfig

    return {"distributed_config": DistributedConfig(fsdp_size=shards)}


def fused_loss(model: Any, inputs: dict[str, Any], labels: "Tensor") -> tuple["Tensor", "Tensor"]:
    """(sum of losses in nats, number of learned tokens) on a GPU; only learned positions meet the vocabulary.

    TRL's trainer patches the model so (`add_fused_lm_head`); the argument and the outputs' names are TRL's own affair.
    """
    outputs = model(**inputs, labels=labels, fused_lm_head=True)
    return -outputs.log_probs.sum(), outputs.label_mask.sum()


@functools.cache
def trainer_class() -> Any:
    """TRL's SFTTrainer with two of its private hooks under names of our own, to be overridden.

    train_sampler(dataset): the order of the rows. weights_to_save(): the state dict of a checkpoint; from a model that
    is split over processes PEFT would gather all frozen weights to save the adapter.
    """
    from trl import SFTTrainer

    class Trainer(SFTTrainer):  # type: ignore[misc]
        def train_sampler(self, dataset: Any) -> Any:
            return super()._get_train_sampler(dataset)

        def weights_to_save(self) -> dict[str, Any] | None:
            return None

        def _get_train_sampler(self, train_dataset: Any = None) -> Any:
            return self.train_sampler(train_dataset if train_dataset is not None else self.train_dataset)

        def _save(self, output_dir: str | None = None, state_dict: dict[str, Any] | None = None) -> None:
            super()._save(output_dir, state_dict or self.weights_to_save())

    return Trainer


def weights_are_split(trainer: Any) -> bool:
    """Whether this trainer's model is split over processes by `split_weights`."""
    return bool(trainer.is_distributed_loading_by_transformers)


def average_gradients_ourselves(parameter: "Tensor") -> None:
    """Keep the trainer from averaging this gradient: it does so by an operation that gloo, on a CPU, does not have."""
    parameter._replicated_grad_hook_registered = True  # type: ignore[attr-defined]


def quieten() -> None:
    """No bar for every shard that is read, nor what bitsandbytes says at its import about a kernel it did not fetch."""
    from transformers.utils import logging as progress

    progress.disable_progress_bar()
    logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)


# huggingface_hub


def is_repo_id(name: str) -> bool:
    """Whether the Hub allows a repository of this name; its client checks each call so, and exports no question."""
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils._validators import validate_repo_id

    try:
        validate_repo_id(name)
    except HFValidationError:
        return False
    return True


# PEFT and bitsandbytes


def load_adapter(model: Any, adapter: Path) -> Any:
    """The model with an adapter beside its weights.

    PEFT 0.21 asks by a name that transformers gives up with version 6; nobody who reads the warning could act on it.
    """
    from peft import PeftModel

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*is_gradient_checkpointing", FutureWarning)
        return PeftModel.from_pretrained(model, str(adapter))


def is_plain_lora(layer: Any) -> bool:
    """Whether a layer is a linear one with one LoRA beside it and nothing else to it (dropout, DoRA, bias, ...)."""
    import torch
    from peft.tuners.lora import LoraLayer

    return (
        isinstance(layer, LoraLayer)
        and isinstance(layer.get_base_layer(), torch.nn.Linear)
        and list(layer.lora_A) == ["default"]
        and not layer.lora_variant
        and isinstance(layer.lora_dropout["default"], torch.nn.Identity)
        and layer.lora_A["default"].bias is None
        and layer.lora_B["default"].bias is None
    )


def lora_parts(layer: Any) -> tuple["Tensor", "Tensor", float]:
    """A [rank, in], B [out, rank] and the scale of a plain LoRA layer; PEFT names them so inside its layers only."""
    return layer.lora_A["default"].weight, layer.lora_B["default"].weight, layer.scaling["default"]


def dequantise(weight: Any) -> Any:
    """A frozen weight as a matrix, out of its 4 bits if that is how it is kept (bitsandbytes' state hangs on it)."""
    state = getattr(weight, "quant_state", None)
    if state is None:
        return weight
    from bitsandbytes.functional import dequantize_4bit

    return dequantize_4bit(weight.data, state)
