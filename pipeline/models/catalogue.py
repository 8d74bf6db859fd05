"""The base models that are offered by name, with their shapes."""

from dataclasses import dataclass

__all__ = ["STARTER", "BaseModelInfo", "DecoderSizes", "model_list"]

STARTER = "starter"


@dataclass(frozen=True)
class DecoderSizes:
    """The sizes of a decoder with gated feed-forward layers; what has others is brought to these (see `shapes`)."""

    hidden: int
    intermediate: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    vocabulary: int
    tied: bool

    @property
    def parameters(self) -> int:
        """Weights in all: embeddings, attention, feed-forward (norms left out: under 0.01 %)."""
        layer = sum(rows * columns for rows, columns in self.projections().values())
        return self.layers * layer + self.vocabulary * self.hidden * (1 if self.tied else 2)

    def projections(self) -> dict[str, tuple[int, int]]:
        """(out, in) of each linear part of a layer, by the name that models give it."""
        q, kv = self.heads * self.head_dim, self.kv_heads * self.head_dim
        return {
            "q_proj": (q, self.hidden), "k_proj": (kv, self.hidden), "v_proj": (kv, self.hidden),
            "o_proj": (self.hidden, q), "gate_proj": (self.intermediate, self.hidden),
            "up_proj": (self.intermediate, self.hidden), "down_proj": (self.hidden, self.intermediate),
        }  # fmt: skip


@dataclass(frozen=True)
class BaseModelInfo:
    """One line of the list: what to call it, what it may be used for, and its shape. context: in tokens.

    architecture: what transformers calls `model_type`.
    """

    id: str
    name: str
    licence: str
    languages: str
    context: int
    architecture: str
    sizes: DecoderSizes
    gated: bool = False
    instruct: bool = True

    @property
    def parameters(self) -> int:
        """Weights in all."""
        return self.sizes.parameters


def model_list() -> tuple[BaseModelInfo, ...]:
    """The models offered by name, smallest first. Any other Hub id or local folder works too."""
    info, sizes = BaseModelInfo, DecoderSizes
    many = "29 languages"
    return (
        info(
            STARTER, "SmolLM2 135M", "Apache-2.0", "English", 8192, "llama",
            sizes(576, 1536, 30, 9, 3, 64, 49152, True),
        ),
        info(
            "Qwen/Qwen2.5-1.5B-Instruct", "Qwen2.5 1.5B", "Apache-2.0", many, 32768, "qwen2",
            sizes(1536, 8960, 28, 12, 2, 128, 151936, True),
        ),
        info(
            "HuggingFaceTB/SmolLM2-1.7B-Instruct", "SmolLM2 1.7B", "Apache-2.0", "English", 8192, "llama",
            sizes(2048, 8192, 24, 32, 32, 64, 49152, True),
        ),
        info(
            "HuggingFaceTB/SmolLM2-1.7B", "SmolLM2 1.7B, base", "Apache-2.0", "English", 8192, "llama",
            sizes(2048, 8192, 24, 32, 32, 64, 49152, True), instruct=False,
        ),
        info(
            "HuggingFaceTB/SmolLM3-3B", "SmolLM3 3B", "Apache-2.0", "6 European languages", 65536, "smollm3",
            sizes(2048, 11008, 36, 16, 4, 128, 128256, True),
        ),
        info(
            "Qwen/Qwen3-4B-Instruct-2507", "Qwen3 4B", "Apache-2.0", "over 100 languages", 262144, "qwen3",
            sizes(2560, 9728, 36, 32, 8, 128, 151936, True),
        ),
        info(
            "meta-llama/Llama-2-7b-chat-hf", "Llama 2 7B", "Llama 2 Community", "English", 4096, "llama",
            sizes(4096, 11008, 32, 32, 32, 128, 32000, False), gated=True,
        ),
        info(
            "Qwen/Qwen2.5-7B-Instruct", "Qwen2.5 7B", "Apache-2.0", many, 32768, "qwen2",
            sizes(3584, 18944, 28, 28, 4, 128, 152064, False),
        ),
    )  # fmt: skip
