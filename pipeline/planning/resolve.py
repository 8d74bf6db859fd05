"""From what is asked for to a plan, in one order: later choices see the earlier ones settled, never as they were asked.

The machine gives processes, precision and weights; the architecture how rows are packed; the dataset tokens a step,
epochs, steps, rank and rate, and with them the optimiser; and only then memory says whether activations are kept.
"""

from typing import Any

from pipeline.errors import ChatError
from pipeline.machine import Machine
from pipeline.planning import recipe
from pipeline.planning.config import TrainingConfig
from pipeline.planning.forecast import Forecast, Weights, forecast
from pipeline.planning.packing import count_steps
from pipeline.planning.plan import KEPT_ON_RESUME, Attention, Choice, DatasetShape, Plan
from pipeline.planning.shapes import ModelShape, lora_parameters

__all__ = ["halve_batch", "keep_within_memory", "replan", "resolve"]

ROOM = 0.8  # of what is free, so that a forecast which errs, or a neighbour that grows, does not end the run
ENOUGH = 0.95  # of what is free may be taken: the rest is what allocators waste
SMALLEST_BATCH = 128  # tokens at once; fewer save little more


def resolve(config: TrainingConfig, machine: Machine, dataset: DatasetShape, shape: ModelShape) -> Plan:
    """The plan for training a model of this shape as configured on this dataset with this machine. Raises ChatError.

    Pure: nothing is read, loaded or measured, so the same is said by whoever asks.
    """
    processes = recipe.choose_processes(config, machine.gpus)
    split = recipe.splits_weights(config, machine, shape.parameters, processes)
    dtype = recipe.choose_dtype(config, machine)
    weights = recipe.choose_weights(config, machine, shape.parameters, dtype=dtype.value, split=split)

    attention = recipe.choose_attention(config, machine, shape)
    longest = recipe.longest_row(shape, config.max_tokens)
    limit = recipe.choose_batch_limit(config, machine, shape, attention.value)

    tokens = dataset.size.tokens
    per_step = recipe.choose_tokens_per_step(config, tokens, packed=weights.value == "nf4")
    epochs = recipe.choose_epochs(config, tokens)
    steps = _count_steps(config, dataset, per_step.value, epochs.value)
    rank = recipe.choose_rank(config, tokens, lora_parameters(shape, 1, config.targets))
    optimiser = recipe.choose_optimiser(config, machine, lora_parameters(shape, rank.value, config.targets))
    rate = recipe.choose_learning_rate(config, shape.parameters, steps)
    rows_per_batch = -(-config.rows_per_step // processes)
    batch = _batch(attention.value, limit, per_step.value, rows_per_batch, longest, processes)

    settled: dict[str, Any] = {
        "weights": weights.value, "rank": rank.value, "targets": config.targets, "device": machine.device,
        "paged": optimiser.value.startswith("paged"), "available": machine.free,
        "shards": processes if split else 1, "tokens": max(batch.value, longest),
    }  # fmt: skip
    kept = _forecast(shape, checkpointing=False, **settled)
    fits = kept.peak <= ROOM * machine.free if kept is not None else None if machine.device == "cuda" else True
    checkpointing = recipe.choose_checkpointing(config, fits)
    return Plan(
        config=config, machine=machine, dataset=dataset.size, parameters=shape.parameters,
        lora_parameters=lora_parameters(shape, rank.value, config.targets), processes=_processes(processes, split),
        shards=settled["shards"], dtype=dtype, weights=weights, attention=attention, optimiser=optimiser,
        checkpointing=checkpointing, longest_row=longest, batch_limit=limit.value, tokens_per_batch=batch,
        rows_per_batch=rows_per_batch,
        tokens_per_step=_rows_reason(config, per_step), rank=rank, learning_rate=rate, epochs=epochs, steps=steps,
        forecast=_forecast(shape, checkpointing=checkpointing.value == "on", **settled),
    )  # fmt: skip


def replan(plan: Plan, config: TrainingConfig, machine: Machine, dataset: DatasetShape, shape: ModelShape) -> Plan:
    """A plan for a run that has one already: for another machine, other settings, or a dataset that is counted now.

    What it learns with stays as the run began (rank, rate, epochs, tokens a step; the optimiser, whose moments go on,
    where this machine has it). `changed` says what does not.
    """
    left_open = [name for name in KEPT_ON_RESUME if getattr(config, name) is None]
    if config.optimiser == "auto" and (machine.device == "cuda" or not plan.optimiser.value.startswith("paged")):
        left_open.append("optimiser")
    fixed = config.model_copy(update={name: getattr(plan, name).value for name in left_open})
    kept = {name: getattr(plan, name) for name in left_open}
    fresh = resolve(fixed, machine, dataset, shape).model_copy(update={"config": config, **kept})
    return fresh.model_copy(update={"changed": _changes(plan, fresh)})


def keep_within_memory(plan: Plan, machine: Machine, shape: ModelShape) -> Plan:
    """The plan where it still fits in what is free of a machine like its own; else without activations kept."""
    keeps = plan.config.checkpointing == "auto" and plan.checkpointing.value == "off"
    if not keeps or plan.forecast is None or plan.forecast.peak <= ENOUGH * machine.free:
        return plan
    checkpointing = recipe.choose_checkpointing(plan.config, fits=False)
    return plan.model_copy(
        update={
            "machine": machine,
            "checkpointing": checkpointing,
            "forecast": _forecast_of(plan, shape, plan.tokens_per_batch.value, machine, checkpointing=True),
            "changed": f"Less memory is free than when this was planned: {checkpointing.reason}.",
        }
    )


def halve_batch(plan: Plan, shape: ModelShape) -> Plan:
    """The plan with half as much going through the model at once, after memory ran out.

    Raises ChatError where it cannot be halved.
    """
    padded = plan.attention.value == "padded"
    at_once = plan.rows_per_batch * plan.longest_row if padded else plan.tokens_per_batch.value
    smallest = plan.rows_per_batch == 1 if padded else at_once < 2 * SMALLEST_BATCH
    if smallest or plan.attention.value == "alone":
        raise ChatError("Memory ran out, and the batch is as small as it gets: choose a smaller model or rank.")
    rows = max(1, plan.rows_per_batch // 2)
    half = rows * plan.longest_row if padded else at_once // 2
    changed = f"Memory ran out, so the batch was halved to {f'{rows} rows' if padded else f'{half:,} tokens'}."
    checkpointing = plan.checkpointing.value == "on"
    return plan.model_copy(
        update={
            "tokens_per_batch": Choice(half, f"memory ran out with {at_once:,}"),
            "batch_limit": plan.batch_limit if padded else half,
            "rows_per_batch": rows if padded else plan.rows_per_batch,
            "forecast": _forecast_of(plan, shape, half, plan.machine, checkpointing=checkpointing),
            "changed": changed,
        }
    )


def _count_steps(config: TrainingConfig, dataset: DatasetShape, tokens_per_step: int, epochs: float) -> int:
    if config.batching == "rows":
        return max(1, round(epochs)) * -(-len(dataset.lengths) // config.rows_per_step)
    return count_steps(dataset.lengths, epochs=epochs, tokens_per_step=tokens_per_step)


def _batch(
    attention: Attention, limit: Choice[int], per_step: int, rows_per_batch: int, longest: int, processes: int
) -> Choice[int]:
    """Tokens that go through the model at once while it learns: a process's share of a step, or as many as may."""
    if attention == "padded":
        return Choice(rows_per_batch * longest, f"{rows_per_batch} rows at their longest")
    if attention == "alone":
        return Choice(longest, limit.reason)
    share = per_step // processes
    if share < limit.value:
        return Choice(share, "all of a step's together" if processes == 1 else "a GPU's share of a step")
    return limit


def _processes(processes: int, split: bool) -> Choice[int]:
    if split:
        return Choice(
            processes,
            "each holds a part of the weights in 16 bits and takes its share of every step; slower, but more fits",
        )
    return Choice(processes, "each holds the whole model and takes its share of every step")


def _rows_reason(config: TrainingConfig, per_step: Choice[int]) -> Choice[int]:
    """Where rows are counted, not tokens, the reason is that of the rows."""
    if config.batching == "tokens":
        return per_step
    return Choice(per_step.value, recipe.as_asked(config, "rows_per_step"))


def _forecast(shape: ModelShape, *, weights: Weights, **settings: Any) -> Forecast | None:
    return forecast(shape, weights=weights, **settings) if shape.sizes is not None else None


def _forecast_of(
    plan: Plan, shape: ModelShape, batch: int, machine: Machine, *, checkpointing: bool
) -> Forecast | None:
    """The forecast of a plan with another batch."""
    return _forecast(
        shape, tokens=max(batch, plan.longest_row), rank=plan.rank.value, targets=plan.config.targets,
        weights=plan.weights.value, checkpointing=checkpointing, paged=plan.optimiser.value.startswith("paged"),
        device=machine.device, available=machine.free, shards=plan.shards,
    )  # fmt: skip


def _changes(before: Plan, now: Plan) -> str:
    """What is different, in a sentence; nothing where all is as it was."""
    words = {
        "processes": "processes", "dtype": "precision", "weights": "base weights", "attention": "attention",
        "optimiser": "optimiser", "checkpointing": "checkpointing", "tokens_per_batch": "tokens at once",
    }  # fmt: skip

    def shown(value: Any) -> str:
        return f"{value:,}" if isinstance(value, int) else str(value)

    pairs = [(word, getattr(before, name).value, getattr(now, name).value) for name, word in words.items()]
    different = [f"{word} {shown(new)} instead of {shown(old)}" for word, old, new in pairs if old != new]
    if before.shards != now.shards:
        different.append("weights split over the GPUs" if now.shards > 1 else "the whole model on each GPU")
    if not now.machine.is_like(before.machine):
        why = f"on {now.machine.name} instead of {before.machine.name}"
    elif before.config != now.config:
        why = "as its settings were changed"
    elif different:  # only now is it known how long the rows are
        why = "with the model's own tokenizer"
    else:
        return ""
    what = ", ".join(different) or "all else stays as it was"
    return f"Planned anew {why}: {what}."
