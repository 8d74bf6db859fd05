"""How a run trains: one pydantic model for the form, the command line, the worker and the card."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "DEFAULT_RANK",
    "RECIPES",
    "Recipe",
    "TrainingConfig",
    "choose_epochs",
    "choose_learning_rate",
    "choose_rank",
    "choose_step",
    "processes_for",
]

DEFAULT_RANK = 16
SHORT_RUN = 150  # steps
ENOUGH_STEPS = 64  # an epoch
ENOUGH_ON_GPU = 24
FEW_TOKENS = 32_000  # of a dataset: some 600 replies

Recipe = Literal["ours", "blog"]


class TrainingConfig(BaseModel):
    """Every setting of a fine-tune. The defaults are our recipe; `TrainingConfig.of("blog")` gives the blog's."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = Field("starter", description='"starter", a model on the Hub, or a folder')
    recipe: Recipe = Field("ours", description="which recipe the settings began as")

    rank: int | None = Field(None, ge=1, le=512, description="rank of the LoRA matrices; none: by what is learned")
    alpha: float = Field(32, gt=0, description="LoRA scale; the update is multiplied by alpha / rank")
    dropout: float = Field(0.0, ge=0, lt=1, description="dropout on the way into LoRA")
    targets: tuple[str, ...] = Field((), description="names of the layers that get LoRA; none: all linear layers")

    epochs: float | None = Field(None, gt=0, le=100, description="times each reply is seen; none: by dataset")
    learning_rate: float | None = Field(None, gt=0, lt=1, description="peak rate; none: by model and dataset")
    scheduler: Literal["cosine", "linear", "constant"] = Field("cosine", description="how the rate falls")
    warmup: float = Field(0.05, ge=0, lt=1, description="share of the steps in which the rate rises")
    optimiser: Literal["auto", "adamw_torch", "paged_adamw_8bit", "paged_adamw_32bit"] = Field("auto")
    weight_decay: float = Field(0.0, ge=0, description="pull of the LoRA weights towards zero")
    max_grad_norm: float = Field(1.0, gt=0, description="gradients longer than this are cut to it")

    learn: Literal["replies", "everything"] = Field("replies", description="which tokens count in the loss")
    repeat_context: bool = Field(False, description="show what came before a window again, where a row began it")
    batching: Literal["tokens", "rows"] = Field("tokens", description="steps filled by tokens, or padded rows")
    max_tokens: int = Field(1024, ge=64, description="longest row; older turns beyond it are left out")
    tokens_per_step: int | None = Field(None, ge=128, description="tokens an optimiser step takes; none: by dataset")
    tokens_per_batch: int | None = Field(None, ge=128, description="tokens at once; none: by the machine")
    rows_per_step: int = Field(4, ge=1, description="rows an optimiser step learns from (batching: rows)")

    precision: Literal["auto", "bf16", "fp16", "fp32"] = Field("auto", description="what is computed in")
    quantise: Literal["auto", "nf4", "none"] = Field("auto", description="how the frozen weights are kept")
    checkpointing: Literal["auto", "always", "never"] = Field("auto", description="recompute activations to save room")
    processes: int | None = Field(None, ge=1, le=64, description="processes that train together; none: one a GPU")
    shard: Literal["auto", "always", "never"] = Field("auto", description="split the frozen weights over the GPUs")
    act_as: Literal["t4"] | None = Field(None, description="behave as on a T4 on a bigger GPU")

    validations: int = Field(2, ge=1, description="times the held-out loss is taken while training")
    patience: int = Field(2, ge=1, description="validations without progress after which the run stops")
    checkpoint_seconds: float = Field(60, ge=0, description="seconds between checkpoints a run can resume from")
    logging_steps: int = Field(1, ge=1, description="steps between two lines of metrics")
    trackio: bool = Field(False, description="metrics in a local trackio project, too")
    seed: int = Field(0, ge=0)

    @classmethod
    def of(cls, recipe: Recipe, **settings: Any) -> "TrainingConfig":
        """The recipe's settings, with some of one's own."""
        return cls(**{"recipe": recipe, **RECIPES[recipe], **settings})


RECIPES: dict[Recipe, dict[str, Any]] = {
    "ours": {},
    # The settings of "Fine-tune your own Llama 2 ..." notebooks, as the blog used them.
    "blog": {
        "rank": 64,
        "alpha": 16,
        "dropout": 0.1,
        "targets": ("q_proj", "v_proj"),
        "epochs": 1.0,
        "learning_rate": 2e-4,
        "scheduler": "cosine",
        "warmup": 0.03,
        "optimiser": "paged_adamw_32bit",
        "weight_decay": 0.001,
        "max_grad_norm": 0.3,
        "learn": "everything",
        "repeat_context": True,
        "batching": "rows",
        "rows_per_step": 4,
        "checkpointing": "always",
        "logging_steps": 25,
    },
}


def processes_for(config: TrainingConfig, gpus: int) -> int:
    """How many processes train together: as many as asked for, else one a GPU; an acted T4 has no second one."""
    if config.processes is not None:
        return config.processes
    return 1 if config.act_as is not None else max(1, gpus)


def choose_rank(tokens: int, lora_parameters_per_rank: int) -> tuple[int, str]:
    """The rank for so many tokens to learn from, and on what evidence; a rank more is so many LoRA weights more."""
    rank = next((rank for rank in (DEFAULT_RANK, 32, 64, 128) if rank * lora_parameters_per_rank >= tokens), 128)
    weights = rank * lora_parameters_per_rank
    if weights < tokens:
        return rank, f"as far as it pays; {tokens:,} tokens to learn from are more than its {weights:,} weights"
    return rank, (
        f"its {weights:,} weights outnumber the {tokens:,} tokens to learn from, and then LoRA learns what full "
        "fine-tuning does (LoRA Without Regret, 2025, and its authors' primer)"
    )


def choose_step(tokens: int, on_gpu: bool) -> tuple[int, str]:
    """Tokens that a step learns from where an epoch has so many, and on what evidence."""
    steps = ENOUGH_ON_GPU if on_gpu else ENOUGH_STEPS
    why = f"some {steps} steps an epoch or more where the chat allows it; LoRA bears no large batches "
    why += "(under 32 rows: LoRA Without Regret, 2025)"
    if on_gpu:
        why += ", and a GPU is slow with small ones"
    return max(1024, min(4096, tokens // steps // 512 * 512)), why


def choose_epochs(tokens: int) -> tuple[float, str]:
    """How often each reply of a dataset of so many tokens is seen, and on what evidence."""
    if tokens < FEW_TOKENS:
        return 2.0, (
            f"fewer than {FEW_TOKENS:,} tokens: on a chat of 239 replies the second time took the held-out loss from "
            "11.8 to 12.9 % below the start; of four times, the last two made it worse"
        )
    return 1.0, "enough to learn from in one go"


def choose_learning_rate(parameters: int, steps: int) -> tuple[float, str]:
    """The peak rate for LoRA on a model of so many weights in so many steps, and on what evidence."""
    if parameters < 8e8:
        return 2e-3, "a small model: the better of the rates tried on the sample chat, 0.001 and 0.002"
    size, rate = ("6 billion weights and more", 2e-4) if parameters >= 6e9 else ("1 to 4 billion weights", 3e-4)
    times, length = ("fifteen", "few steps") if steps < SHORT_RUN else ("ten", "many steps")
    evidence = f"about {times} times the rate of full fine-tuning, whatever the rank (LoRA Without Regret, 2025)"
    return rate * (1.5 if steps < SHORT_RUN else 1), f"{size}, {length}: {evidence}"
