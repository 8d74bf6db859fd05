"""What a run will need in memory, before anything is loaded."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pipeline.errors import ChatError
from pipeline.machine.hardware import Device
from pipeline.models import BaseModelInfo, load_config, model_list

__all__ = ["UNLISTED", "Forecast", "Part", "forecast", "shape_of", "trainable"]

GIB = 2**30
UNLISTED = "see its page"  # licence and languages of a model that is not on the list
NF4_BYTES = 0.516  # a weight: half a byte, and its share of a block's scale, quantised once more
CONTEXT_GIB = 0.5  # CUDA itself, outside what torch counts
# Architectures whose feed-forward part is two matrices, not three.
UNGATED = frozenset(("bloom", "falcon", "gpt2", "gpt_bigcode", "gpt_neox", "gptj", "opt", "phi", "starcoder2"))
PYTHON_GIB = 1.4  # Python and its libraries, where the model lies in the same memory


@dataclass(frozen=True)
class Part:
    """One stretch of the memory bar."""

    name: str
    gib: float
    what: str


@dataclass(frozen=True)
class Forecast:
    """The peak of a run, in parts. `available` in GiB, None where there is no GPU."""

    parts: tuple[Part, ...]
    available: float | None

    @property
    def torch_gib(self) -> float:
        """What torch will report as its peak: all but CUDA's (or Python's) own share."""
        return sum(part.gib for part in self.parts[:-1])

    @property
    def peak(self) -> float:
        """GiB at the peak, CUDA's (or Python's) own share included."""
        return sum(part.gib for part in self.parts)

    @property
    def fits(self) -> bool:
        """Whether it leaves a twentieth of the GPU free, for what the allocator wastes."""
        return self.available is None or self.peak <= 0.95 * self.available


def shape_of(model: str) -> BaseModelInfo:
    """The shape of a model from the list, or read from its configuration. Raises ChatError."""
    for info in model_list():
        if info.id == model:
            return info
    config = load_config(model).get_text_config()
    if any(getattr(config, name, None) for name in ("num_experts", "num_local_experts", "n_routed_experts")):
        raise ChatError("How much memory this model needs is not known beforehand: it is a mixture of experts.")
    folder = Path(model).expanduser()
    try:
        heads = config.num_attention_heads
        return BaseModelInfo(
            model, folder.name if folder.is_dir() else model, UNLISTED, UNLISTED,
            config.max_position_embeddings, config.hidden_size,
            _intermediate(config), config.num_hidden_layers, heads,
            getattr(config, "num_key_value_heads", None) or heads,
            getattr(config, "head_dim", None) or config.hidden_size // heads, config.vocab_size,
            bool(config.tie_word_embeddings),
        )  # fmt: skip
    except AttributeError as error:
        raise ChatError(f"How much memory a {config.model_type} needs is not known beforehand.") from error


def _intermediate(config: Any) -> int:
    """The width of the feed-forward part, as if it were a gated one: of two matrices a third fewer are needed."""
    names = ("intermediate_size", "n_inner", "ffn_dim", "ffn_hidden_size")
    wide = next((size for name in names if (size := getattr(config, name, None))), 4 * config.hidden_size)
    return int(wide * 2 / 3) if config.model_type in UNGATED else int(wide)


def trainable(shape: BaseModelInfo, rank: int, targets: Sequence[str] = ()) -> int:
    """Weights of LoRA matrices of this rank on the named layers (none: all linear ones)."""
    q, kv = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    sides = {
        "q_proj": shape.hidden + q,
        "k_proj": shape.hidden + kv,
        "v_proj": shape.hidden + kv,
        "o_proj": q + shape.hidden,
        "gate_proj": shape.hidden + shape.intermediate,
        "up_proj": shape.hidden + shape.intermediate,
        "down_proj": shape.intermediate + shape.hidden,
    }
    return shape.layers * rank * sum(size for name, size in sides.items() if not targets or name in targets)


def forecast(
    shape: BaseModelInfo,
    *,
    tokens: int,
    rank: int = 16,
    targets: Sequence[str] = (),
    weights: Literal["nf4", "16-bit", "32-bit"] = "nf4",
    checkpointing: bool = True,
    paged: bool = True,
    device: Device = "cuda",
    available: float | None = None,
    shards: int = 1,
) -> Forecast:
    """The peak of our training with `tokens` going through the model at once; off a GPU, of the whole process.

    paged: the optimiser's 8-bit moments live in main memory when the GPU is full, so they do not count.
    shards: GPUs over which the weights are split (not in 4 bits); the peak is of each.
    """
    wide = 4 if weights == "32-bit" else 2
    embeddings = shape.vocabulary * shape.hidden * (1 if shape.tied else 2)
    linear = shape.parameters - embeddings
    thin = trainable(shape, rank, targets)
    layer = _layer_bytes(shape)
    # Of what a layer makes in passing, 6.5 h bytes a token are gone when it is done (fitted to two measured runs).
    whole = layer - int(6.5 * shape.hidden)
    if device != "cuda" and wide == 2:  # there the attention weights are kept too; of rows of 1,024 tokens at most
        whole += 2 * shape.heads * (min(tokens, 1024) // 2 + 64)
    kept = shape.layers * (2 * shape.hidden if checkpointing else whole) * wide // 2
    # While the backward pass is in a layer, that layer is whole; the head's tiles are gone by then.
    passing = (layer if checkpointing else 12 * shape.intermediate) * wide // 2
    logits = min(tokens, 4096) * min(shape.vocabulary, 32768) * 2 + 8 * tokens * shape.hidden
    if device != "cuda":  # no fused head there: learned tokens (half of all, say) meet the whole vocabulary
        logits = tokens // 2 * shape.vocabulary * 12
    packed = NF4_BYTES if weights == "nf4" else wide
    # The words are gathered once and stay; of the layers, one is used while the next arrives.
    gathered = wide * (shape.vocabulary * shape.hidden + 2 * linear / shape.layers) if shards > 1 else 0
    made = [
        ("Frozen weights", linear * packed / shards, f"{_many(linear)} at {packed:g} bytes each{_split(shards)}"),
        ("Embeddings", embeddings * wide / shards, f"words in and out are never quantised{_split(shards)}"),
        ("Gathered", gathered, "of the split weights: the layer at work, the next one, and the words"),
        ("LoRA and its gradient", thin * 8, f"{_many(thin)} in float32, twice"),
        ("Optimiser", 0 if paged else thin * 8, "two moments a LoRA weight"),
        ("Kept for the way back", tokens * kept, "what each layer was given" if checkpointing else "every layer whole"),
        ("Layer at work", max(tokens * passing, logits), "one layer's insides, or the vocabulary's tile"),
    ]
    parts = [Part(name, count / GIB, what) for name, count, what in made if count]
    own = Part("CUDA", CONTEXT_GIB, "the driver's own share")
    if device != "cuda":
        own = Part("Python", PYTHON_GIB, "the libraries")
    return Forecast((*parts, own), available)


def _split(shards: int) -> str:
    return f", split over {shards} GPUs" if shards > 1 else ""


def _many(weights: int) -> str:
    return f"{weights / 1e9:.2f} billion" if weights >= 1e9 else f"{weights / 1e6:.1f} million"


def _layer_bytes(shape: BaseModelInfo) -> int:
    """Bytes a token that the backward pass needs of one layer: inputs of products, norms and activations, 16-bit."""
    q, kv = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    return 8 * shape.intermediate + 18 * shape.hidden + 6 * q + 4 * kv
