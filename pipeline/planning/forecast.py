"""What a run will need in memory, before anything is loaded."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import ConfigDict

from pipeline.machine import Device
from pipeline.models import DecoderSizes
from pipeline.planning.shapes import ModelShape, lora_parameters

__all__ = ["Forecast", "Part", "Weights", "forecast"]

Weights = Literal["nf4", "16-bit", "32-bit"]

GIB = 2**30
NF4_BYTES = 0.516  # a weight: half a byte, and its share of a block's scale, quantised once more
CONTEXT_GIB = 0.5  # CUDA itself, outside what torch counts
PYTHON_GIB = 1.4  # Python and its libraries, where the model lies in the same memory


@dataclass(frozen=True)
class Part:
    """One stretch of the memory bar."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    name: str
    gib: float
    what: str


@dataclass(frozen=True)
class Forecast:
    """The peak of a run, in parts. `available` in GiB, None where that is not asked."""

    __pydantic_config__ = ConfigDict(extra="forbid")

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


def forecast(
    shape: ModelShape,
    *,
    tokens: int,
    rank: int = 16,
    targets: Sequence[str] = (),
    weights: Weights = "nf4",
    checkpointing: bool = True,
    paged: bool = True,
    device: Device = "cuda",
    available: float | None = None,
    shards: int = 1,
) -> Forecast:
    """The peak of our training with `tokens` going through the model at once; off a GPU, of the whole process.

    paged: the optimiser's 8-bit moments live in main memory when the GPU is full, so they do not count.
    shards: GPUs over which the weights are split (not in 4 bits); the peak is of each.
    Raises ValueError where the shape has no sizes.
    """
    sizes = shape.sizes
    if sizes is None:
        raise ValueError(f"the memory of a {shape.architecture} cannot be forecast")
    width = 4 if weights == "32-bit" else 2  # bytes per weight that is not packed
    embeddings = sizes.vocabulary * sizes.hidden * (1 if sizes.tied else 2)
    linear = shape.parameters - embeddings
    lora = lora_parameters(shape, rank, targets)
    layer = _layer_bytes(sizes)
    # Of what a layer makes in passing, 6.5 h bytes a token are gone when it is done (fitted to two measured runs).
    whole = layer - int(6.5 * sizes.hidden)
    if device != "cuda" and width == 2:  # there the attention weights are kept too; of rows of 1,024 tokens at most
        whole += 2 * sizes.heads * (min(tokens, 1024) // 2 + 64)
    kept = sizes.layers * (2 * sizes.hidden if checkpointing else whole) * width // 2
    # While the backward pass is in a layer, that layer is whole; the head's tiles are gone by then.
    passing = (layer if checkpointing else 12 * sizes.intermediate) * width // 2
    logits = min(tokens, 4096) * min(sizes.vocabulary, 32768) * 2 + 8 * tokens * sizes.hidden
    if device != "cuda":  # no fused head there: learned tokens (half of all, say) meet the whole vocabulary
        logits = tokens // 2 * sizes.vocabulary * 12
    bytes_per_weight = NF4_BYTES if weights == "nf4" else width
    # The words are gathered once and stay; of the layers, one is used while the next arrives.
    gathered = width * (sizes.vocabulary * sizes.hidden + 2 * linear / sizes.layers) if shards > 1 else 0
    each = f"{_count(linear)} at {bytes_per_weight:g} bytes each"
    made = [
        (
            "Frozen weights",
            linear * bytes_per_weight / shards,
            each + _split(shards),
        ),
        ("Embeddings", embeddings * width / shards, f"words in and out are never quantised{_split(shards)}"),
        ("Gathered", gathered, "of the split weights: the layer at work, the next one, and the words"),
        ("LoRA and its gradient", lora * 8, f"{_count(lora)} in float32, twice"),
        ("Optimiser", 0 if paged else lora * 8, "two moments a LoRA weight"),
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


def _count(weights: int) -> str:
    return f"{weights / 1e9:.2f} billion" if weights >= 1e9 else f"{weights / 1e6:.1f} million"


def _layer_bytes(sizes: DecoderSizes) -> int:
    """Bytes a token that the backward pass needs of one layer: inputs of products, norms and activations, 16-bit."""
    q, kv = sizes.heads * sizes.head_dim, sizes.kv_heads * sizes.head_dim
    return 8 * sizes.intermediate + 18 * sizes.hidden + 6 * q + 4 * kv
