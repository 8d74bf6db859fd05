"""TRL's trainer for our batches: rows end to end, the loss on learned tokens only, what happens in the run's folder."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.compat import average_gradients_ourselves, fused_loss, trainer_class, weights_are_split
from pipeline.planning import Plan
from pipeline.runs import RunFolder
from pipeline.training.data import FILLER, IGNORED, Example, collate
from pipeline.training.lora import fuse_lora

__all__ = ["Batches", "adapter_weights", "held_out_loss", "make_trainer", "trainer_arguments"]


@dataclass(frozen=True)
class Batches:
    """Rows, and which of them (by index) go through the model together, in order."""

    examples: Sequence[Example]
    rows: Sequence[Sequence[int]]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> list[Example]:
        return [self.examples[row] for row in self.rows[index]]


def pad(examples: Sequence[Example], padding: int) -> dict[str, Any]:
    """Rows beside each other, padded to the longest: shape (rows, tokens). How most recipes batch."""
    import torch

    examples = examples or [FILLER]
    longest = max(len(example.ids) for example in examples)
    fill = [longest - len(example.ids) for example in examples]
    rows = list(zip(examples, fill, strict=True))
    return {
        "input_ids": torch.tensor([[*e.ids, *[padding] * n] for e, n in rows]),
        "labels": torch.tensor([[*e.labels, *[IGNORED] * n] for e, n in rows]),
        "attention_mask": torch.tensor([[1] * len(e.ids) + [0] * n for e, n in rows]),
    }


def learned_loss(model: Any, inputs: dict[str, Any]) -> tuple[Any, Any]:
    """(sum of losses in nats, number of learned tokens) of one batch; only learned positions meet the vocabulary."""
    from torch.nn.functional import cross_entropy

    labels = inputs["labels"]
    others = {name: value for name, value in inputs.items() if name != "labels"}
    if labels.device.type == "cuda":
        return fused_loss(model, others, labels)
    targets = labels[0, 1:]
    positions = (targets != IGNORED).nonzero().squeeze(1)
    logits = model(**others, logits_to_keep=positions, use_cache=False).logits[0]
    return cross_entropy(logits.float(), targets[positions], reduction="sum"), positions.numel()


def held_out_loss(trainer: Any, batches: Batches) -> float:
    """Mean loss in nats a learned token over all batches; each process takes its share."""
    import torch

    accelerator, model = trainer.accelerator, trainer.model
    total = torch.zeros(2, dtype=torch.float64 if accelerator.device.type == "cpu" else torch.float32)
    model.eval()
    with torch.no_grad(), trainer.compute_loss_context_manager():
        turns = -(-len(batches) // accelerator.num_processes)
        for turn in range(turns):  # as many on each process: where weights are split, all take part in each pass
            index = turn * accelerator.num_processes + accelerator.process_index
            batch = batches[index] if index < len(batches) else []
            loss, learned = learned_loss(model, collate(batch, accelerator.device))
            total += torch.tensor([float(loss), float(learned)])
    model.train()
    nats, tokens = accelerator.reduce(total.to(accelerator.device), "sum").tolist()
    return float(nats / max(tokens, 1))


def trainer_arguments(plan: Plan, run_dir: Path, batches_per_step: int) -> Any:
    """TRL's SFTConfig for a plan. batches_per_step: of one process.

    Saving, validation and logging are the run's own: off here.
    """
    import math

    from trl import SFTConfig

    config, device, dtype = plan.config, plan.machine.device, plan.dtype.value
    checkpointing = plan.checkpointing.value == "on"
    return SFTConfig(
        output_dir=str(RunFolder(run_dir).checkpoints),
        max_steps=plan.steps,
        per_device_train_batch_size=1,
        gradient_accumulation_steps=batches_per_step,
        learning_rate=plan.learning_rate.value,
        lr_scheduler_type=config.scheduler if config.scheduler != "constant" else "constant_with_warmup",
        warmup_steps=math.ceil(config.warmup * plan.steps),
        optim=plan.optimiser.value,
        weight_decay=config.weight_decay,
        max_grad_norm=config.max_grad_norm,
        use_cpu=device == "cpu",
        bf16=dtype == "bf16",
        fp16=dtype == "fp16",
        activation_checkpointing=checkpointing,
        activation_checkpointing_kwargs={"use_reentrant": False} if checkpointing else None,
        dataset_kwargs={"skip_prepare_dataset": True},
        remove_unused_columns=False,
        max_length=None,
        eval_strategy="no",
        save_strategy="no",
        save_total_limit=2,
        logging_steps=config.logging_steps,
        logging_nan_inf_filter=False,  # which would tell the mean of the steps before in place of NaN
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=False,
        ddp_find_unused_parameters=False,
        seed=config.seed,
        data_seed=config.seed,
    )


def adapter_weights(model: Any) -> dict[str, Any]:
    """The weights that are learned. From a model split over processes PEFT would gather all others to save these."""
    return {name: weight for name, weight in model.named_parameters() if weight.requires_grad}


@functools.cache
def reply_trainer() -> Any:
    """TRL's trainer, with batches in our order and the loss on learned tokens."""
    from torch.utils.data import SequentialSampler

    class ReplyTrainer(trainer_class()):  # type: ignore[misc]
        tokens_seen = 0

        def train_sampler(self, dataset: Any) -> Any:
            return SequentialSampler(dataset)

        def weights_to_save(self) -> dict[str, Any]:
            return adapter_weights(self.model)

        def compute_loss(
            self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
        ) -> Any:
            self.tokens_seen += inputs["input_ids"].numel()
            if "row_lengths" not in inputs:
                return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
            nats, learned = learned_loss(model, inputs)
            # The count is of the whole step on all processes; gradients are averaged over processes afterwards.
            count = learned if num_items_in_batch is None else num_items_in_batch
            return nats * self.accelerator.num_processes / count

        def create_model_card(self, *_: Any, **__: Any) -> None:
            """The run writes one card at the end, not one a checkpoint."""

    return ReplyTrainer


def make_trainer(
    model: Any, tokenizer: Any, arguments: Any, lora: Any, batches: Batches, callbacks: list[Any], *, padded: bool
) -> Any:
    """TRL's SFTTrainer over our batches, in our order."""
    from datasets import Dataset
    from transformers import PrinterCallback

    def make_batch(items: list[dict[str, list[int]]]) -> dict[str, Any]:
        (item,) = items  # an item of the dataset is a whole batch
        examples = [batches.examples[row] for row in item["rows"]]
        return pad(examples, tokenizer.pad_token_id) if padded else collate(examples)

    trainer = reply_trainer()(
        model=model,
        args=arguments,
        train_dataset=Dataset.from_dict({"rows": [list(rows) for rows in batches.rows]}),
        processing_class=tokenizer,
        peft_config=lora,
        data_collator=make_batch,
        callbacks=callbacks,
    )
    trainer.remove_callback(PrinterCallback)
    for parameter in trainer.model.parameters():
        if parameter.requires_grad:
            # TRL makes them bfloat16 on a 4-bit model, and then fp16's gradient scaler fails on a GPU without it.
            parameter.data = parameter.data.float()
    fuse_lora(trainer.model)
    if arguments.use_cpu:
        average_on_cpu(trainer)
    return trainer


def average_on_cpu(trainer: Any) -> None:
    """Where weights are split over processes on a CPU, average the adapter's gradients in the trainer's stead."""
    import torch.distributed as dist

    if trainer.accelerator.num_processes == 1 or not weights_are_split(trainer):
        return

    def average(parameter: Any) -> None:
        if trainer.accelerator.sync_gradients:
            dist.all_reduce(parameter.grad)
            parameter.grad /= dist.get_world_size()

    for parameter in trainer.model.parameters():
        if parameter.requires_grad:
            parameter.register_post_accumulate_grad_hook(average)
            average_gradients_ourselves(parameter)
