"""How a run is asked to train: one pydantic model for the form, the command line, the worker and the card."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["RECIPES", "Optimiser", "Precision", "Recipe", "TrainingConfig"]

Precision = Literal["bf16", "fp16", "fp32"]
Optimiser = Literal["adamw_torch", "paged_adamw_8bit", "paged_adamw_32bit"]
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
    optimiser: Literal["auto"] | Optimiser = Field("auto")
    weight_decay: float = Field(0.0, ge=0, description="pull of the LoRA weights towards zero")
    max_grad_norm: float = Field(1.0, gt=0, description="gradients longer than this are cut to it")

    learn: Literal["replies", "everything"] = Field("replies", description="which tokens count in the loss")
    repeat_context: bool = Field(False, description="show what came before a window again, where a row began it")
    batching: Literal["tokens", "rows"] = Field("tokens", description="steps filled by tokens, or padded rows")
    max_tokens: int = Field(1024, ge=64, description="longest row; older turns beyond it are left out")
    tokens_per_step: int | None = Field(None, ge=128, description="tokens an optimiser step takes; none: by dataset")
    tokens_per_batch: int | None = Field(None, ge=128, description="tokens at once; none: by the machine")
    rows_per_step: int = Field(4, ge=1, description="rows an optimiser step learns from (batching: rows)")

    precision: Literal["auto"] | Precision = Field("auto", description="what is computed in")
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
