"""How a run will train on a machine, and what it will need: known before anything is loaded."""

from dataclasses import replace
from typing import Any, Literal

from pipeline.errors import ChatError
from pipeline.machine.hardware import Device, Machine, this_machine
from pipeline.models import BaseModelInfo, load_config
from pipeline.planning.config import (
    DEFAULT_RANK,
    TrainingConfig,
    choose_epochs,
    choose_learning_rate,
    choose_rank,
    choose_step,
    processes_for,
)
from pipeline.planning.forecast import Forecast, forecast, shape_of
from pipeline.planning.packing import choose_rows
from pipeline.planning.recipe import Plan, choose_checkpointing, plan_training

__all__ = [
    "count_parameters",
    "forecast_for",
    "parameters_of",
    "plan_for",
    "plan_shape",
    "planned_tokens_per_batch",
    "settle",
    "shards_for",
    "splits_weights",
    "with_rows",
]

OWN_TOKENS = 2048  # at once where the model's own attention holds the scores of all their pairs
ROOM = 0.8  # of what is free, so that a forecast which errs, or a neighbour that grows, does not end the run


def plan_for(config: TrainingConfig) -> Plan:
    """How this machine will train what the configuration names."""
    machine = this_machine(config.act_as)
    plan = with_rows(config, _plan(config, machine, parameters_of(config.model)))
    try:
        return _with_checkpointing(config, plan, machine, shape_of(config.model))
    except ChatError:  # a shape that transformers alone can read
        fits = None if machine.device == "cuda" else True
        return replace(plan, checkpointing=choose_checkpointing(fits, config.checkpointing))


def plan_shape(config: TrainingConfig, machine: Machine, shape: BaseModelInfo) -> Plan:
    """How a machine, this one or another, would train a model of this shape; nothing is read or loaded."""
    if shards_for(config, machine, shape.parameters) > 1:
        config = config.model_copy(update={"quantise": "none"})
    return _with_checkpointing(config, _plan(config, machine, shape.parameters), machine, shape)


def splits_weights(config: TrainingConfig, machine: Machine, parameters: int, processes: int) -> bool:
    """Whether the frozen weights are split over the processes (FSDP): as asked, or where 4 bits do not fit one GPU."""
    if processes == 1 or config.shard == "never":
        return False
    if config.shard == "always":
        if config.quantise == "nf4":
            raise ChatError("Weights that are split over GPUs are not kept in 4 bits: choose one or the other.")
        return True
    nf4_bytes, room = 0.6, 0.8
    too_large = parameters * nf4_bytes > room * machine.memory * 2**30
    return machine.device == "cuda" and config.quantise != "nf4" and too_large


def shards_for(config: TrainingConfig, machine: Machine, parameters: int) -> int:
    """Over how many of a machine's GPUs the frozen weights would be split: 1 where each holds them all."""
    processes = processes_for(config, machine.gpus)
    return processes if splits_weights(config, machine, parameters, processes) else 1


def with_rows(config: TrainingConfig, plan: Plan) -> Plan:
    """The plan with how the rows of this model go through it, where that is not as most models take them."""
    rows = choose_rows(load_config(config.model), config.max_tokens)
    if rows is None:
        return plan
    if rows.value == "alone":
        return replace(plan, attention=rows, tokens_per_batch=1, batch_reason="each row goes alone")
    most = min(plan.tokens_per_batch, max(OWN_TOKENS, config.max_tokens))
    return replace(plan, attention=rows, tokens_per_batch=config.tokens_per_batch or most)


def settle(
    config: TrainingConfig, *, device: Device, parameters: int, lora_parameters_per_rank: int, tokens: int, rows: int
) -> tuple[TrainingConfig, list[tuple[str, str, str]]]:
    """The configuration with nothing left open for a dataset of so many tokens in so many rows, and the reasons.

    The reasons are (setting, value, reason), for the user.
    """
    asked = "as asked" if config.recipe == "ours" else "as the recipe has it"
    step, why_step = (
        (config.tokens_per_step, asked) if config.tokens_per_step else choose_step(tokens, device == "cuda")
    )
    an_epoch = tokens / step if config.batching == "tokens" else rows / config.rows_per_step
    epochs, why_epochs = (config.epochs, asked) if config.epochs else choose_epochs(tokens)
    steps = round(epochs * an_epoch)
    rank, why_rank = (config.rank, asked) if config.rank else choose_rank(tokens, lora_parameters_per_rank)
    rate, why_rate = (config.learning_rate, asked) if config.learning_rate else choose_learning_rate(parameters, steps)
    settled = config.model_copy(update={"tokens_per_step": step, "rank": rank, "learning_rate": rate, "epochs": epochs})
    size = ("Tokens a step", f"{step:,}", why_step)
    if config.batching == "rows":
        size = ("Rows a step", str(config.rows_per_step), asked)
    return settled, [
        ("Rank", str(rank), why_rank),
        ("Learning rate", f"{rate:g}", why_rate),
        ("Times each reply is seen", f"{epochs:g}", why_epochs),
        size,
    ]


def planned_tokens_per_batch(config: TrainingConfig) -> int:
    """How many tokens go through the model at once."""
    return plan_for(config).tokens_per_batch


def forecast_for(config: TrainingConfig, plan: Plan, machine: Machine, shape: BaseModelInfo) -> Forecast:
    """The peak of the run that this plan makes."""
    kept: dict[str, Literal["nf4", "16-bit", "32-bit"]] = {"bf16": "16-bit", "fp16": "16-bit", "fp32": "32-bit"}
    processes = processes_for(config, machine.gpus) if plan.device == "cuda" else 1
    return forecast(
        shape,
        tokens=tokens_at_once(config, plan, processes),
        rank=config.rank or DEFAULT_RANK,
        targets=config.targets,
        weights="nf4" if plan.quantise.value == "nf4" else kept[plan.dtype.value],
        checkpointing=plan.checkpointing.value == "on",
        paged=plan.optimiser.value.startswith("paged"),
        device=plan.device,
        available=machine.free,
        shards=shards_for(config, machine, shape.parameters) if plan.device == "cuda" else 1,
    )


def tokens_at_once(config: TrainingConfig, plan: Plan, processes: int = 1) -> int:
    """Tokens in a batch: a process's share of a step, or as many as the plan has; a whole row at least.

    With batching by rows: so many rows of the longest kind.
    """
    if config.batching == "rows":
        return -(-config.rows_per_step // processes) * config.max_tokens
    share = (config.tokens_per_step or plan.tokens_per_batch * processes) // processes
    return max(min(plan.tokens_per_batch, share), config.max_tokens)


def _plan(config: TrainingConfig, machine: Machine, parameters: int) -> Plan:
    return plan_training(
        machine,
        parameters,
        precision=config.precision,
        quantise=config.quantise,
        optimiser=config.optimiser,
        tokens_per_batch=config.tokens_per_batch,
    )


def _with_checkpointing(config: TrainingConfig, plan: Plan, machine: Machine, shape: BaseModelInfo) -> Plan:
    """Activations are kept where the forecast says that they fit with room to spare."""
    kept = replace(plan, checkpointing=choose_checkpointing(True))
    fits = forecast_for(config, kept, machine, shape).peak <= ROOM * machine.free
    return replace(plan, checkpointing=choose_checkpointing(fits, config.checkpointing))


def parameters_of(model: str) -> int:
    """The number of weights, read from the model's configuration before anything is loaded."""
    import torch
    from transformers import AutoModelForCausalLM

    config = load_config(model)
    with torch.device("meta"):
        return count_parameters(AutoModelForCausalLM.from_config(config))


def count_parameters(model: Any) -> int:
    """Weights of a loaded model (a 4-bit one counts its bytes)."""
    return sum(parameter.numel() for parameter in model.parameters())
