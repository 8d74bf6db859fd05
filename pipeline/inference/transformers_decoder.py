"""Models of other layouts (sliding windows, extra norms): the forward pass of `transformers`, the same interface."""

from typing import TYPE_CHECKING, Any

from pipeline.compat import can_crop

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["TransformersCache", "TransformersDecoder"]


class TransformersCache:
    """A cache that `transformers` keeps; where it cannot be cropped, going back means to read again."""

    def __init__(self, config: Any) -> None:
        from transformers import DynamicCache

        self._config = config
        self.held = DynamicCache(config=config)
        self.length = 0

    def crop(self, length: int) -> int:
        """Forget what is held beyond `length` tokens; returns how many are held then."""
        from transformers import DynamicCache

        if length < self.length:
            if can_crop(self.held):
                self.held.crop(length - self.length)
                self.length = length
            else:
                self.held, self.length = DynamicCache(config=self._config), 0
        return self.length

    @property
    def bytes(self) -> int:
        """Memory that the cache takes."""
        tensors = [getattr(layer, name, None) for layer in self.held.layers for name in ("keys", "values")]
        return sum(t.numel() * t.element_size() for t in tensors if t is not None)


class TransformersDecoder:
    """A causal model of any layout, one step at a time; as `Decoder`, but its conversations share nothing."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.head = model.get_output_embeddings()
        self.device = model.get_input_embeddings().weight.device
        config = model.config.get_text_config()
        self.cap: float | None = getattr(config, "final_logit_softcapping", None)
        self.scale = scale_of(config)

    def empty(self, rows: int, room: int) -> TransformersCache:
        """An empty cache."""
        return TransformersCache(self.model.config)

    def forward(self, ids: "Tensor", cache: TransformersCache, used: "Tensor | None" = None) -> "Tensor":
        """Hidden states [rows, tokens, width] of `ids`, which follow what `cache` holds and enter it."""
        outputs = self.model(
            input_ids=ids, cache=cache.held, use_cache=True, output_hidden_states=True, logits_to_keep=1
        )
        cache.length += ids.shape[1]
        return outputs.hidden_states[-1]  # type: ignore[no-any-return]

    def logits(self, hidden: "Tensor") -> "Tensor":
        """Scores of the next token in float32, [..., vocabulary]."""
        scores = self.head(hidden).float() * self.scale
        return (scores / self.cap).tanh() * self.cap if self.cap else scores  # type: ignore[no-any-return]


def scale_of(config: Any) -> float:
    """What a model's scores are multiplied by after its head: each of these names is one architecture's."""
    for name in ("logit_scale", "lm_head_multiplier", "output_multiplier"):  # Cohere, Falcon-H1, Muse
        if isinstance(times := getattr(config, name, None), int | float):
            return float(times)
    divided = getattr(config, "logits_scaling", None) or 1.0  # Granite and MiniCPM; HyperCLOVA X multiplies by it
    return float(divided if config.model_type == "hyperclovax" else 1 / divided)
