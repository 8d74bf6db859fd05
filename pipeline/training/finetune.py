"""One fine-tune from a run's folder: model, steps, validation, the best adapter; all as its plan has it."""

import os
import time
from pathlib import Path
from typing import Any

from pipeline.errors import ChatError
from pipeline.machine import act_as_t4, available_cores
from pipeline.models import load_model
from pipeline.planning import Plan, linear_layers, non_text_modules, pack_padded, pack_steps
from pipeline.runs import RunFolder, last_checkpoint, write_state
from pipeline.store import replace_text
from pipeline.training.attention import ATTENTION, register_attention
from pipeline.training.data import Example
from pipeline.training.launch import how_many_together, is_first_process, leader
from pipeline.training.monitor import RunMonitor, make_callback
from pipeline.training.prepare import Prepared
from pipeline.training.trainer import Batches, make_trainer, trainer_arguments

__all__ = ["finetune", "load_for_training", "lora_config", "make_batches"]


def finetune(run_dir: Path, plan: Plan, prepared: Prepared) -> None:
    """Train until done, stopped or paused, from the last checkpoint if there is one; the folder tells the rest.

    Raises ChatError for what the user can mend.
    """
    began = time.monotonic()
    if plan.config.act_as == "t4":
        act_as_t4()
    if is_first_process():
        replace_text(RunFolder(run_dir).template, prepared.template.model_dump_json(indent=1))
    model = load_for_training(plan)
    batches, per_step = make_batches(prepared.train, plan)
    _require_as_planned(plan, model, len(batches) // per_step)
    monitor = RunMonitor(run_dir, plan, make_held_out(prepared.validation, plan), began)
    try:
        trainer = make_trainer(
            model, prepared.tokenizer, trainer_arguments(plan, run_dir, per_step // plan.processes.value),
            lora_config(plan, model), batches, [make_callback(monitor)], padded=plan.attention.value == "padded",
        )  # fmt: skip
    except ValueError as error:
        if "target_modules" not in str(error):
            raise
        raise ChatError(f"LoRA cannot be put on the layers of a {model.config.model_type}: choose another.") from error
    monitor.attach(trainer)
    checkpoint = last_checkpoint(run_dir)
    if is_first_process():
        write_state(run_dir, status="running", pid=leader(), total_steps=plan.steps)
    monitor.begin(checkpoint)
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    monitor.finish()


def load_for_training(plan: Plan) -> Any:
    """The frozen base model, as the plan has it; where its weights are split, this process's part of it."""
    import torch

    own_gpu, device = int(os.environ.get("LOCAL_RANK", "0")), plan.machine.device
    if device == "cuda":
        torch.cuda.set_device(own_gpu)
    elif device == "cpu":
        torch.set_num_threads(max(1, available_cores() // plan.processes.value))
    register_attention()
    model = load_model(
        plan.config.model,
        dtype={"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}[plan.dtype.value],
        quantise=plan.weights.value == "nf4",
        device=own_gpu if device == "cuda" else device,
        attention=ATTENTION if plan.attention.value == ATTENTION else None,
        shards=plan.shards,
    )
    model.config.use_cache = False
    return model


def _require_as_planned(plan: Plan, model: Any, steps: int) -> None:
    """What was forecast is what is here, or the plan was made for something else: a fault of ours."""
    targets = plan.config.targets
    sides = sum(size for name, size in linear_layers(model) if not targets or name in targets)
    found = {
        "processes": (how_many_together(), plan.processes.value),
        "LoRA weights": (plan.rank.value * sides, plan.lora_parameters),
        "steps": (steps, plan.steps),
    }
    wrong = [f"{have:,} {what}, not {planned:,}" for what, (have, planned) in found.items() if have != planned]
    if wrong:
        raise RuntimeError(f"this is not what was planned: {', '.join(wrong)}")


def lora_config(plan: Plan, model: Any = None) -> Any:
    """PEFT's configuration, for this model; no named targets means every linear layer but the head."""
    from peft import LoraConfig

    return LoraConfig(
        r=plan.rank.value,
        lora_alpha=plan.config.alpha,
        lora_dropout=plan.config.dropout,
        target_modules=list(plan.config.targets) or "all-linear",
        exclude_modules=non_text_modules(model) if model is not None else None,
        task_type="CAUSAL_LM",
    )


def make_batches(examples: list[Example], plan: Plan) -> tuple[Batches, int]:
    """(batches of all epochs in order, batches a step over all processes)."""
    lengths = [len(example.ids) for example in examples]
    common: dict[str, Any] = {"epochs": plan.epochs.value, "processes": plan.processes.value, "seed": plan.config.seed}
    if plan.attention.value == "padded":
        rows, per_step = pack_padded(
            lengths, rows_per_step=plan.config.rows_per_step, rows_per_batch=plan.rows_per_batch, **common
        )
    else:
        rows, per_step = pack_steps(
            lengths, tokens_per_step=plan.tokens_per_step.value, tokens_per_batch=plan.batch_limit, **common
        )
    return Batches(examples, rows), per_step


def make_held_out(examples: list[Example], plan: Plan) -> Batches | None:
    if not examples:
        return None
    lengths = [len(example.ids) for example in examples]
    if plan.attention.value == "alone":
        return Batches(examples, [[row] for row in range(len(examples))])
    size = max(plan.batch_limit, *lengths) if len(lengths) > 1 else max(plan.batch_limit, lengths[0])
    rows, _ = pack_steps(lengths, epochs=1, tokens_per_step=size, tokens_per_batch=size, processes=1, seed=0)
    return Batches(examples, rows)
