"""One fine-tune from a run's folder: dataset, model, steps, validation, the best adapter."""

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.compat import is_conv1d
from pipeline.errors import ChatError
from pipeline.machine.hardware import act_as_t4, this_machine
from pipeline.models import load_config, load_model, load_tokenizer
from pipeline.planning.config import DEFAULT_RANK, TrainingConfig
from pipeline.planning.packing import room_for
from pipeline.planning.plan import parameters_of, plan_for, settle, splits_weights
from pipeline.planning.recipe import Plan
from pipeline.prompt import Template, read_template
from pipeline.runs import RunFolder, last_checkpoint, write_config, write_state
from pipeline.store import replace_text
from pipeline.training.attention import ATTENTION, register_attention
from pipeline.training.data import Example, encode_rows, learned_text, plan_steps, without_repeats
from pipeline.training.launch import leader
from pipeline.training.monitor import RunMonitor, make_callback
from pipeline.training.trainer import Batches, make_trainer, trainer_arguments

__all__ = ["Prepared", "finetune", "is_first_process", "prepare"]

VALIDATION_TOKENS = 24_000  # enough for a loss that is good to a few thousandths; more only takes time


@dataclass(frozen=True)
class Prepared:
    """What is to be learned from: rows as token ids, and the template that made them so."""

    tokenizer: Any
    template: Template
    train: list[Example]
    validation: list[Example]


def is_first_process() -> bool:
    """Whether this process writes: of several that train together, one does."""
    return os.environ.get("RANK", "0") == "0"


def prepare(run_dir: Path, config: TrainingConfig) -> Prepared:
    """The run's dataset as token ids. Raises ChatError where there is nothing to learn."""
    from pipeline.dataset import read_dataset

    dataset = read_dataset(RunFolder(run_dir).dataset.path)
    tokenizer = load_tokenizer(config.model)
    template = read_template(tokenizer)
    if is_first_process():
        replace_text(RunFolder(run_dir).template, template.model_dump_json(indent=1))
    rows = dataset.train if config.repeat_context else without_repeats(dataset.train)
    longest = room_for(load_config(config.model), config.max_tokens)
    train = encode_rows(rows, template, tokenizer, longest, config.learn)
    validation = encode_rows(dataset.validation, template, tokenizer, longest)
    learned_text(train, tokenizer)
    kept: list[Example] = []
    tokens = 0
    for example in validation:
        tokens += len(example.ids)
        if kept and tokens > VALIDATION_TOKENS:
            break
        kept.append(example)
    return Prepared(tokenizer, template, train, kept)


def finetune(run_dir: Path, config: TrainingConfig) -> None:
    """Train until done, stopped or paused, from the last checkpoint if there is one; the folder tells the rest.

    Raises ChatError for what the user can mend.
    """
    began = time.monotonic()
    if config.act_as == "t4":
        act_as_t4()
    data = prepare(run_dir, config)
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    machine, parameters = this_machine(config.act_as), parameters_of(config.model)
    shards = processes if splits_weights(config, machine, parameters, processes) else 1
    plan = plan_for(config if shards == 1 else config.model_copy(update={"quantise": "none"}))
    model = load_for_training(config, plan, shards)
    config = settle_on(run_dir, config, plan, model, data.train)
    batches, per_step = make_batches(data.train, config, plan, processes)
    steps = len(batches) // per_step
    monitor = RunMonitor(run_dir, config, steps, make_held_out(data.validation, plan), began)
    arguments = trainer_arguments(
        config, run_dir,
        dtype=plan.dtype.value, device=plan.device, optimiser=plan.optimiser.value, steps=steps,
        batches_per_step=per_step // processes, checkpointing=plan.checkpointing.value == "on",
    )  # fmt: skip
    try:
        trainer = make_trainer(
            model, data.tokenizer, arguments, lora_config(config, model), batches, [make_callback(monitor)],
            padded=config.batching == "rows",
        )  # fmt: skip
    except ValueError as error:
        if "target_modules" not in str(error):
            raise
        raise ChatError(f"LoRA cannot be put on the layers of a {model.config.model_type}: choose another.") from error
    monitor.attach(trainer)
    checkpoint = last_checkpoint(run_dir)
    if is_first_process():
        write_state(run_dir, status="running", pid=leader(), total_steps=steps, message="")
    monitor.begin(checkpoint)
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    monitor.finish()


def load_for_training(config: TrainingConfig, plan: Plan, shards: int = 1) -> Any:
    """The frozen base model, as the plan has it; with `shards`, this process's part of it."""
    import torch

    own_gpu = int(os.environ.get("LOCAL_RANK", "0"))
    if plan.device == "cuda":
        torch.cuda.set_device(own_gpu)
    elif plan.device == "cpu":
        torch.set_num_threads(max(1, plan.cores // int(os.environ.get("WORLD_SIZE", "1"))))
    register_attention()
    model = load_model(
        config.model,
        dtype={"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}[plan.dtype.value],
        quantise=plan.quantise.value == "nf4",
        device=own_gpu if plan.device == "cuda" else plan.device,
        attention=ATTENTION if config.batching == "tokens" and plan.attention.value == ATTENTION else None,
        shards=shards,
    )
    model.config.use_cache = False
    return model


def settle_on(run_dir: Path, config: TrainingConfig, plan: Plan, model: Any, examples: list[Example]) -> TrainingConfig:
    """The configuration with what was left open chosen for this model and dataset; also in the run's folder."""
    settled, _ = settle(
        config, device=plan.device, parameters=parameters_of(config.model),
        lora_parameters_per_rank=lora_parameters_per_rank(model, config.targets),
        tokens=sum(len(example.ids) for example in examples), rows=len(examples),
    )  # fmt: skip
    if is_first_process() and settled != config:
        write_config(run_dir, settled)
    return settled


def lora_parameters_per_rank(model: Any, targets: tuple[str, ...]) -> int:
    """LoRA weights that a rank more adds to a loaded model, on the named layers (none: all linear but the head).

    Raises ChatError where the model has no such layers.
    """
    import torch

    weights, head, excluded = 0, model.get_output_embeddings(), non_text_modules(model) or ""
    for name, layer in model.named_modules():
        left_out = layer is head or re.fullmatch(excluded, name)
        if left_out or (targets and name.rsplit(".", 1)[-1] not in targets):
            continue
        if isinstance(layer, torch.nn.Linear):
            weights += layer.in_features + layer.out_features
        elif is_conv1d(layer):  # GPT-2's linear layer
            weights += layer.nx + layer.nf
    if not weights:
        named = " or ".join(targets) or "linear layers"
        raise ChatError(f"A {model.config.model_type} has no {named} to train: use our recipe, which names no layers.")
    return weights


def non_text_modules(model: Any) -> str | None:
    """A pattern for the modules of a model that sees or hears, too, which have nothing to learn from text."""
    reads = any(name.endswith("language_model") for name, _ in model.named_modules())
    return r"(?!.*language_model\.).*" if reads else None


def lora_config(config: TrainingConfig, model: Any = None) -> Any:
    """PEFT's configuration, for this model; no named targets means every linear layer but the head."""
    from peft import LoraConfig

    return LoraConfig(
        r=config.rank or DEFAULT_RANK,
        lora_alpha=config.alpha,
        lora_dropout=config.dropout,
        target_modules=list(config.targets) or "all-linear",
        exclude_modules=non_text_modules(model) if model is not None else None,
        task_type="CAUSAL_LM",
    )


def make_batches(examples: list[Example], config: TrainingConfig, plan: Plan, processes: int) -> tuple[Batches, int]:
    """(batches of all epochs in order, batches a step over all processes)."""
    lengths = [len(example.ids) for example in examples]
    if config.batching == "tokens":
        rows, per_step = plan_steps(
            lengths, epochs=config.epochs or 1.0, tokens_per_step=config.tokens_per_step or plan.tokens_per_batch,
            tokens_per_batch=plan.tokens_per_batch, processes=processes, seed=config.seed,
        )  # fmt: skip
    else:
        rows, per_step = plan_rows(lengths, config, processes)
    return Batches(examples, rows), per_step


def plan_rows(lengths: list[int], config: TrainingConfig, processes: int) -> tuple[list[list[int]], int]:
    """Steps of so many rows of like length (what `group_by_length` does), shuffled, and split between processes."""
    import random

    steps: list[list[int]] = []
    size = config.rows_per_step
    for epoch in range(max(1, round(config.epochs or 1.0))):
        rng = random.Random(f"{config.seed}/{epoch}")
        order = sorted(range(len(lengths)), key=lambda index: (-lengths[index], rng.random()))
        groups = [order[at : at + size] for at in range(0, len(order), size)]
        rng.shuffle(groups)
        steps += groups
    return [step[rank::processes] for step in steps for rank in range(processes)], processes


def make_held_out(examples: list[Example], plan: Plan) -> Batches | None:
    if not examples:
        return None
    lengths = [len(example.ids) for example in examples]
    if plan.attention.value == "alone":
        return Batches(examples, [[row] for row in range(len(examples))])
    size = max(plan.tokens_per_batch, *lengths) if len(lengths) > 1 else max(plan.tokens_per_batch, lengths[0])
    rows, _ = plan_steps(lengths, epochs=1, tokens_per_step=size, tokens_per_batch=size, processes=1, seed=0)
    return Batches(examples, rows)
