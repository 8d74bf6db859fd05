"""What to train with, a choice each: the machine's, the model's, the dataset's. All can be overridden by the config."""

from typing import Literal

from pipeline.errors import ChatError
from pipeline.machine import Machine
from pipeline.planning.config import RECIPES, Precision, TrainingConfig
from pipeline.planning.forecast import Weights
from pipeline.planning.plan import Attention, Choice
from pipeline.planning.shapes import ModelShape

__all__ = [
    "DEFAULT_RANK",
    "as_asked",
    "choose_attention",
    "choose_batch_limit",
    "choose_checkpointing",
    "choose_dtype",
    "choose_epochs",
    "choose_learning_rate",
    "choose_optimiser",
    "choose_processes",
    "choose_rank",
    "choose_tokens_per_step",
    "choose_weights",
    "longest_row",
    "splits_weights",
]

GIB = 2**30
DEFAULT_RANK = 16
SHORT_RUN = 150  # steps
ENOUGH_STEPS = 64  # an epoch
ENOUGH_IF_PACKED = 24
MOMENT_BYTES = 8  # two float32 a LoRA weight
MOST_MOMENTS = 0.05  # of a GPU's memory
FEW_TOKENS = 32_000  # of a dataset: some 600 replies
OWN_TOKENS = 2048  # at once where the model's own attention holds the scores of all their pairs

# Architectures (`model_type`) whose attention knows of nothing but positions, softmax and windows. Rows that lie end to
# end save the padding, but only such attention can be told where one ends. What an architecture was tried with stands
# here; one that is not here takes a row at a time, which is right for all.
PLAIN = frozenset(
    (
        "arcee", "cohere", "cohere2", "ernie4_5", "exaone4", "gemma", "gemma2", "gemma3_text", "glm", "glm4", "gpt2",
        "gpt_bigcode", "gpt_neox", "granite", "helium", "llama", "ministral3", "mistral", "mixtral", "olmo", "olmo2",
        "olmo3", "phi", "phi3", "qwen2", "qwen2_moe", "qwen3", "qwen3_moe", "seed_oss", "smollm3", "starcoder2",
    )
)  # fmt: skip
WRITES_OVER = frozenset(("falcon",))  # adds to what a linear layer gave in its place, which the fused LoRA forbids


def as_asked(config: TrainingConfig, setting: str) -> str:
    """Why a setting that the configuration names is what it is."""
    recipe = RECIPES[config.recipe]
    return "as the recipe has it" if recipe.get(setting) == getattr(config, setting) else "as asked"


def choose_processes(config: TrainingConfig, gpus: int) -> int:
    """How many processes train together: as many as asked for, else one a GPU; an acted T4 has no second one."""
    if config.processes is not None:
        return config.processes
    return 1 if config.act_as is not None else max(1, gpus)


def splits_weights(config: TrainingConfig, machine: Machine, parameters: int, processes: int) -> bool:
    """Whether the frozen weights are split over the processes (FSDP): as asked, or where 4 bits do not fit one GPU."""
    if processes == 1 or config.shard == "never":
        return False
    if config.shard == "always":
        if config.quantise == "nf4":
            raise ChatError("Weights that are split over GPUs are not kept in 4 bits: choose one or the other.")
        return True
    nf4_bytes, room = 0.6, 0.8
    too_large = parameters * nf4_bytes > room * machine.memory * GIB
    return machine.device == "cuda" and config.quantise != "nf4" and too_large


def choose_dtype(config: TrainingConfig, machine: Machine) -> Choice[Precision]:
    """What is computed in."""
    if config.precision != "auto":
        return Choice(config.precision, as_asked(config, "precision"))
    if machine.device == "cuda":
        if machine.fast_bf16:
            return Choice("bf16", "this GPU computes bfloat16 at full speed, and it needs no loss scaling")
        return Choice("fp16", "GPUs before Ampere (a T4, say) only emulate bfloat16; the LoRA weights stay in float32")
    if machine.device == "cpu" and machine.fast_bf16:
        return Choice("bf16", "this CPU multiplies bfloat16 in hardware: it trains about twice as fast as in float32")
    if machine.device == "cpu":
        return Choice("fp32", "this CPU has no bfloat16 instructions, so float32 is faster")
    return Choice("fp32", "the safe choice on Apple's GPU")


def choose_weights(
    config: TrainingConfig, machine: Machine, parameters: int, *, dtype: Precision, split: bool
) -> Choice[Weights]:
    """How the frozen weights are kept: in 4 bits, or as they are computed with."""
    unpacked: Weights = "32-bit" if dtype == "fp32" else "16-bit"
    if config.quantise != "auto":
        return Choice("nf4" if config.quantise == "nf4" else unpacked, as_asked(config, "quantise"))
    if split:
        return Choice(unpacked, "weights that are split over GPUs are not kept in 4 bits")
    if machine.device != "cuda":
        return Choice(unpacked, "4-bit saves memory, not time, and this model is trained in main memory")
    if parameters * 2 / GIB < 0.3 * machine.memory:
        return Choice(unpacked, "the model takes under a third of the GPU in 16 bits, and computes faster unquantised")
    return Choice("nf4", "in 4 bits (NF4, double quantisation) the frozen weights take a quarter of the memory")


def choose_optimiser(config: TrainingConfig, machine: Machine, lora_parameters: int) -> Choice[str]:
    """Which optimiser, by transformers' name for it."""
    if config.optimiser != "auto":
        return Choice(config.optimiser, as_asked(config, "optimiser"))
    if machine.device == "cuda" and MOMENT_BYTES * lora_parameters > MOST_MOMENTS * machine.memory * 2**30:
        return Choice("paged_adamw_8bit", "AdamW with 8-bit moments that may move to main memory when the GPU is full")
    return Choice("adamw_torch", "plain AdamW: only the LoRA matrices have moments, and 8-bit ones take longer")


def choose_attention(config: TrainingConfig, machine: Machine, shape: ModelShape) -> Choice[Attention]:
    """How rows go through the model together: end to end ("documents", "own"), "alone", or "padded".

    Raises ChatError where the architecture cannot be trained here.
    """
    kind = shape.architecture
    if kind in WRITES_OVER:
        raise ChatError(f"A {kind} cannot be trained here: choose a newer model.")
    if config.batching == "rows":
        rows = config.rows_per_step
        return Choice(
            "padded", f"{as_asked(config, 'batching')}: {rows} rows beside each other, filled up to the longest"
        )
    if kind not in PLAIN:
        return Choice("alone", f"it is not known whether rows may lie end to end in a {kind}, so each goes alone")
    if shape.capped:
        return Choice("own", f"the scores of a {kind} are capped, which its own attention alone does")
    if shape.window is not None and shape.window < config.max_tokens:
        return Choice(
            "own", f"some layers look back {shape.window:,} tokens only, less than a long row, as its own does"
        )
    if machine.device != "cuda":
        return Choice("documents", "rows lie end to end without padding, and each attends to itself alone")
    kernel = "memory-efficient" if (machine.capability or (0, 0)) < (8, 0) else "flash"
    return Choice("documents", f"rows lie end to end without padding, each seen alone by the {kernel} kernel")


def longest_row(shape: ModelShape, max_tokens: int) -> int:
    """The longest row, of so many tokens at most, that the model has positions for."""
    return min(max_tokens, shape.positions) if shape.positions else max_tokens


def choose_batch_limit(
    config: TrainingConfig, machine: Machine, shape: ModelShape, attention: Attention
) -> Choice[int]:
    """The most tokens that go through the model at once, when rows lie end to end."""
    if attention == "alone":
        return Choice(1, "each row goes alone")
    if config.tokens_per_batch is not None:
        return Choice(config.tokens_per_batch, as_asked(config, "tokens_per_batch"))
    limit = Choice(1024, "enough to keep the cores busy; more only takes memory")
    if machine.device == "cuda":
        tokens = 4096 if shape.parameters > 2.5e9 else 8192
        limit = Choice(tokens, "each pass unpacks every weight once, so it should carry many tokens")
    most = max(OWN_TOKENS, config.max_tokens)
    if attention == "own" and most < limit.value:
        return Choice(most, "the model's own attention holds the scores of all pairs of tokens")
    return limit


def choose_tokens_per_step(config: TrainingConfig, tokens: int, *, packed: bool) -> Choice[int]:
    """Tokens that a step learns from where an epoch has so many. packed: weights in 4 bits, unpacked at every pass."""
    if config.tokens_per_step is not None:
        return Choice(config.tokens_per_step, as_asked(config, "tokens_per_step"))
    steps = ENOUGH_IF_PACKED if packed else ENOUGH_STEPS
    why = f"some {steps} steps an epoch or more where the chat allows it; LoRA bears no large batches "
    why += "(under 32 rows: LoRA Without Regret, 2025)"
    if packed:
        why += ", and each pass unpacks every weight, so it should carry many tokens"
    return Choice(max(1024, min(4096, tokens // steps // 512 * 512)), why)


def choose_epochs(config: TrainingConfig, tokens: int) -> Choice[float]:
    """How often each reply of a dataset of so many tokens is seen."""
    if config.epochs is not None:
        return Choice(config.epochs, as_asked(config, "epochs"))
    if tokens < FEW_TOKENS:
        return Choice(
            2.0,
            f"fewer than {FEW_TOKENS:,} tokens: on a chat of 239 replies the second time took the held-out loss from "
            "11.8 to 12.9 % below the start; of four times, the last two made it worse",
        )
    return Choice(1.0, "enough to learn from in one go")


def choose_rank(config: TrainingConfig, tokens: int, parameters_per_rank: int) -> Choice[int]:
    """The rank of LoRA for so many tokens to learn from."""
    if config.rank is not None:
        return Choice(config.rank, as_asked(config, "rank"))
    rank = next((rank for rank in (DEFAULT_RANK, 32, 64, 128) if rank * parameters_per_rank >= tokens), 128)
    weights = rank * parameters_per_rank
    if weights < tokens:
        return Choice(rank, f"as far as it pays; {tokens:,} tokens to learn from are more than its {weights:,} weights")
    return Choice(
        rank,
        f"its {weights:,} weights outnumber the {tokens:,} tokens to learn from, and then LoRA learns what full "
        "fine-tuning does (LoRA Without Regret, 2025, and its authors' primer)",
    )


def choose_learning_rate(config: TrainingConfig, parameters: int, steps: int) -> Choice[float]:
    """The peak rate for LoRA on a model of so many weights in so many steps."""
    if config.learning_rate is not None:
        return Choice(config.learning_rate, as_asked(config, "learning_rate"))
    if parameters < 8e8:
        return Choice(2e-3, "a small model: the better of the rates tried on the sample chat, 0.001 and 0.002")
    size, rate = ("6 billion weights and more", 2e-4) if parameters >= 6e9 else ("1 to 4 billion weights", 3e-4)
    times, length = ("fifteen", "few steps") if steps < SHORT_RUN else ("ten", "many steps")
    evidence = f"about {times} times the rate of full fine-tuning, whatever the rank (LoRA Without Regret, 2025)"
    return Choice(rate * (1.5 if steps < SHORT_RUN else 1), f"{size}, {length}: {evidence}")


def choose_checkpointing(config: TrainingConfig, fits: bool | None) -> Choice[Literal["on", "off"]]:
    """Whether activations are computed twice. fits: whether they can be kept; None: nobody knows."""
    if config.checkpointing != "auto":
        return Choice("on" if config.checkpointing == "always" else "off", as_asked(config, "checkpointing"))
    if fits:
        return Choice("off", "what each layer computes fits in memory with room to spare, so nothing is computed twice")
    if fits is None:
        return Choice("on", "how much each layer needs is not known, so it is computed twice rather than kept")
    return Choice("on", "what each layer computes would not fit, so it is computed again on the way back")
