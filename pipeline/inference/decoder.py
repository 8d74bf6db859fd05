"""A causal language model run step by step, with caches of our own.

Most chat models have the Llama layout (Llama, SmolLM2, Mistral, Qwen 2 and 3). For these the forward pass is written
out here: projections that read the same input are one matrix, grouped heads are not copied, nothing is checked anew at
each token. `Decoder.fits` says whether a model has that layout.
"""

from typing import TYPE_CHECKING, Any, TypeAlias

from pipeline.compat import is_plain_lora, lora_parts, multiply_int8
from pipeline.inference.caches import KVCache, TreeAttentionCache
from pipeline.inference.shared_prefix import SharedPrefixCache

if TYPE_CHECKING:
    from torch import Tensor

    from pipeline.inference.cuda_graphs import StaticCache

    LayerCache: TypeAlias = KVCache | SharedPrefixCache | TreeAttentionCache | StaticCache

__all__ = ["Decoder"]

_LAYOUTS = {"llama", "mistral", "qwen2", "qwen3"}
_ROPES = {"default", "linear", "llama3", "yarn"}  # whose tables do not depend on the length of the sequence


class Decoder:
    """The forward pass of a model with the Llama layout; read-only once made, so requests may share it."""

    def __init__(self, model: Any) -> None:
        """model: a `transformers` causal model in evaluation mode; its projections are fused in place."""
        config = model.config
        self.model = model
        self.embed = model.model.embed_tokens
        self.norm = model.model.norm
        self.head = _Product([model.lm_head])
        self.heads: int = config.num_attention_heads
        self.kv_heads: int = config.num_key_value_heads
        self.head_size: int = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        self.device = self.embed.weight.device
        self.dtype = self.embed.weight.dtype
        self.layers = [_Layer(layer, index) for index, layer in enumerate(model.model.layers)]
        self._rotary_tables: tuple[Tensor, Tensor] | None = None

    @staticmethod
    def fits(model: Any) -> bool:
        """Whether this model can be run here: Llama layout, full attention in every layer, fixed rotary embeddings."""
        config = model.config
        rope = getattr(config, "rope_parameters", None) or {}
        kinds = set(getattr(config, "layer_types", None) or ["full_attention"])
        return (
            config.model_type in _LAYOUTS
            and kinds == {"full_attention"}
            and (config.model_type != "mistral" or config.sliding_window is None)
            and rope.get("rope_type", "default") in _ROPES
            and config.hidden_act == "silu"
        )

    def empty(self, rows: int, room: int) -> KVCache:
        """An empty cache for `rows` sequences of up to `room` tokens."""
        import torch

        shape = (rows, self.kv_heads, room, self.head_size)
        keys, values = (
            [torch.zeros(shape, dtype=self.dtype, device=self.device) for _ in self.layers] for _ in range(2)
        )
        return KVCache(keys, values, torch.zeros(rows, dtype=torch.int64, device=self.device))

    def forward(
        self, ids: "Tensor", cache: KVCache | SharedPrefixCache | TreeAttentionCache, used: "Tensor | None" = None
    ) -> "Tensor":
        """Hidden states [rows, tokens, width] of `ids` [rows, tokens], which follow what `cache` holds and enter it.

        used: how many of the ids of each row are real, the rest being padding at its end (all are where None).
        """
        count = ids.shape[1]
        positions = cache.begin(count)
        hidden = self.run_layers(ids, positions, self.rotary_tables(int(positions.max()) + 1), cache)
        cache.advance(count if used is None else used)
        return hidden

    def run_layers(
        self,
        ids: "Tensor",
        positions: "Tensor",
        tables: "tuple[Tensor, Tensor]",
        cache: "LayerCache",
    ) -> "Tensor":
        """Hidden states of `ids` at `positions` [rows or 1, tokens], with no step that waits for the device."""
        cos, sin = (table[positions][:, None] for table in tables)
        hidden = self.embed(ids)
        for layer in self.layers:
            hidden = layer(self, hidden, cos, sin, cache)
        return self.norm(hidden)  # type: ignore[no-any-return]

    def logits(self, hidden: "Tensor") -> "Tensor":
        """Scores of the next token in float32, [..., vocabulary]."""
        return self.head(hidden).float()

    def rotary_tables(self, length: int) -> "tuple[Tensor, Tensor]":
        """Cosines and sines of at least `length` positions, each [positions, head size]; from a table that grows."""
        import torch

        if self._rotary_tables is None or self._rotary_tables[0].shape[0] < length:
            upto = torch.arange(max(2048, 2 * length), device=self.device)[None]
            cos, sin = self.model.model.rotary_emb(self.embed.weight, upto)
            self._rotary_tables = cos[0], sin[0]
        return self._rotary_tables


class _Layer:
    """One transformer block over fused projections."""

    def __init__(self, layer: Any, index: int) -> None:
        attention, mlp = layer.self_attn, layer.mlp
        self.index = index
        self.before_attention, self.before_mlp = layer.input_layernorm, layer.post_attention_layernorm
        self.query_key_value = _Product([attention.q_proj, attention.k_proj, attention.v_proj])
        self.out = _Product([attention.o_proj])
        self.gate_up = _Product([mlp.gate_proj, mlp.up_proj])
        self.down = _Product([mlp.down_proj])
        self.query_norm, self.key_norm = getattr(attention, "q_norm", None), getattr(attention, "k_norm", None)
        self.scale: float = attention.scaling

    def __call__(
        self, decoder: Decoder, hidden: "Tensor", cos: "Tensor", sin: "Tensor", cache: "LayerCache"
    ) -> "Tensor":
        from torch.nn.functional import silu

        rows, count, _ = hidden.shape
        heads, kv_heads, size = decoder.heads, decoder.kv_heads, decoder.head_size
        mixed = self.query_key_value(self.before_attention(hidden)).view(rows, count, heads + 2 * kv_heads, size)
        if self.query_norm is not None and self.key_norm is not None:
            query, key = self.query_norm(mixed[:, :, :heads]), self.key_norm(mixed[:, :, heads:-kv_heads])
            query, key = _rotate(query.transpose(1, 2), cos, sin), _rotate(key.transpose(1, 2), cos, sin)
        else:
            turned = _rotate(mixed[:, :, :-kv_heads].transpose(1, 2), cos, sin)
            query, key = turned[:, :heads], turned[:, heads:]
        value = mixed[:, :, -kv_heads:].transpose(1, 2)
        hidden = hidden + self.out(cache.attend(self.index, query, key, value, self.scale))
        gate, up = self.gate_up(self.before_mlp(hidden)).chunk(2, dim=-1)
        return hidden + self.down(silu(gate) * up)


class _Product:
    """Linear layers on one input as one matrix product, where their weights are plain; else one after the other.

    Layers with a plain LoRA beside them (4-bit weights keep it there) share one product with their A matrices, in the
    model's own dtype.

    On a CPU a single token is multiplied from a copy in 8 bits (a scale for each row): reading the weights is what
    takes the time there, and these are half the bytes. It costs about 0.2 % in loss; benchmarks/chat.py measures both.
    """

    def __init__(self, layers: list[Any]) -> None:
        import torch

        self.layers = layers
        self.weight = self.bias = self.small = self.scale = None
        self.lora_a: Tensor | None = None
        if all(is_plain_lora(layer) for layer in layers):
            self._split_lora(layers)
            return
        if any(type(layer) is not torch.nn.Linear for layer in layers):
            return
        self.weight, self.bias = layers[0].weight.data, layers[0].bias
        if len(layers) > 1:
            self.weight = torch.cat([layer.weight.data for layer in layers])
            self.bias = None if self.bias is None else torch.cat([layer.bias.data for layer in layers])
            at = 0
            for layer in layers:  # the model's own layers become views, so that nothing is held twice
                layer.weight.data = self.weight[at : at + layer.out_features]
                at += layer.out_features
        if self.weight.device.type == "cpu" and self.weight.dtype == torch.bfloat16 and self.bias is None:
            largest = self.weight.abs().amax(1).float().clamp(min=1e-8)
            self.small = (self.weight.float() * (127 / largest)[:, None]).round().to(torch.int8)
            self.scale = (largest / 127).to(torch.bfloat16)

    def _split_lora(self, layers: list[Any]) -> None:
        """The frozen layers, the A matrices of all in one, and of each the B matrix with its scale in it."""
        import torch

        self.layers = [layer.get_base_layer() for layer in layers]
        dtype = getattr(self.layers[0], "compute_dtype", None) or self.layers[0].weight.dtype
        parts = [lora_parts(layer) for layer in layers]
        self.lora_a = torch.cat([a for a, _, _ in parts]).to(dtype).t().contiguous()
        lora_b = [b * scale for _, b, scale in parts]
        self.lora_b = [weight.to(dtype).t().contiguous() for weight in lora_b]
        self.ranks = [len(weight) for weight in self.lora_b]

    def __call__(self, x: "Tensor") -> "Tensor":
        import torch

        if self.lora_a is not None:
            inner = torch.split(x @ self.lora_a, self.ranks, dim=-1)
            return torch.cat(
                [layer(x) + part @ lora_b for layer, part, lora_b in zip(self.layers, inner, self.lora_b, strict=True)],
                dim=-1,
            )
        if self.weight is None:
            return torch.cat([layer(x) for layer in self.layers], dim=-1)
        if self.small is not None and self.scale is not None and x.numel() == x.shape[-1]:
            return multiply_int8(x.view(1, -1), self.small, self.scale).view(*x.shape[:-1], -1)
        return torch.nn.functional.linear(x, self.weight, self.bias)


def _rotate(x: "Tensor", cos: "Tensor", sin: "Tensor") -> "Tensor":
    """Rotary position embedding of x [rows, heads, tokens, head size]."""
    import torch

    half = x.shape[-1] // 2
    return x * cos + torch.cat((-x[..., half:], x[..., :half]), dim=-1) * sin
