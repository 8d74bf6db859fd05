"""What each part of our training gains: the same batches, one part of ours undone at a time.

python benchmarks/train_gains.py                    the sample and the starter model, on this computer's CPU
python benchmarks/train_gains.py --model FOLDER     benchmarks/train.py's chat in 4 bits, on a GPU held to a T4
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from train_cpu import make_sample  # it finds the pipeline too, and lets threads sleep while they wait

PARTS = {
    "ours": "as it is",
    "float32": "float32 instead of bfloat16",
    "attention": "torch's attention kernel instead of blocks of queries",
    "peft": "PEFT's own LoRA layers instead of the fused ones",
    "vocabulary": "every position meets the vocabulary, not the learned alone",
    "padded": "rows padded beside each other instead of end to end",
    "few": "a quarter of the tokens at once",
    "checkpointing": "activations computed twice instead of kept",
}
ON_GPU = ("ours", "peft", "vocabulary", "padded", "few")
ON_CPU = ("ours", "float32", "attention", "peft", "vocabulary", "padded", "checkpointing")

# One forward and backward pass over batches of rows.
Step = Callable[[Sequence[Any]], None]


@dataclass
class Spent:
    """What a variant took: seconds on the clock and of the CPU, tokens, and the most GiB that torch held."""

    wall: float = 0.0
    cpu: float = 0.0
    tokens: int = 0
    peak: float = 0.0


def compare(variants: dict[str, Step], batches: Sequence[Sequence[Any]], steps: int) -> dict[str, Spent]:
    """The variants in turn on the same batches, of which the first warms up."""
    import torch

    gpu = torch.cuda.is_available()
    spent = {part: Spent() for part in variants}
    for number in range(steps + 1):
        for part, step in variants.items():
            batch = batches[number]
            if gpu:
                torch.cuda.reset_peak_memory_stats()
            wall, cpu = time.perf_counter(), time.process_time()
            step(batch)
            if gpu:
                torch.cuda.synchronize()
            if number:
                so_far = spent[part]
                so_far.wall += time.perf_counter() - wall
                so_far.cpu += time.process_time() - cpu
                so_far.tokens += sum(len(example.ids) for example in batch)
                so_far.peak = max(so_far.peak, torch.cuda.max_memory_allocated() / 2**30 if gpu else 0)
    return spent


def show_cpu(replies: int, steps: int) -> None:
    """CPU milliseconds a token of each variant on the sample, with the starter model."""
    import torch

    from pipeline.machine import this_machine
    from pipeline.models import load_model
    from pipeline.planning import DatasetShape, TrainingConfig, resolve, shape_of
    from pipeline.prompt import read_template
    from pipeline.training.attention import register_attention
    from pipeline.training.data import encode_rows
    from pipeline.training.finetune import make_batches

    rows, _, tokenizer = make_sample(replies)
    config = TrainingConfig(tokens_per_step=1024)
    examples = encode_rows(rows, read_template(tokenizer), tokenizer, config.max_tokens)
    dataset = DatasetShape(tuple(len(example.ids) for example in examples))
    batches, _ = make_batches(examples, resolve(config, this_machine(), dataset, shape_of(config.model)))
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    variants = {}
    for part in ON_CPU:
        dtype = torch.float32 if part == "float32" else torch.bfloat16
        attention = "sdpa" if part == "padded" else register_attention()
        model = with_lora(load_model("starter", dtype=dtype, attention=attention), fused=part != "peft")
        if part == "checkpointing":
            compute_twice(model)
        variants[part] = make_step(model, part, dtype)
    spent = compare(variants, batches, steps)
    print("| ours, but | tokens/s | CPU ms a token | ours is so many times as fast |\n| --- | --- | --- | --- |")
    base = spent["ours"].cpu / spent["ours"].tokens
    for part, of in spent.items():
        a_token = of.cpu / of.tokens
        print(f"| {PARTS[part]} | {of.tokens / of.wall:.0f} | {1000 * a_token:.2f} | {a_token / base:.2f} |")


def show_gpu(folder: str, steps: int) -> None:
    """Tokens a second and peak of each variant in 4 bits and fp16, on a GPU held to a T4's memory."""
    import torch
    from peft.tuners.lora import LoraLayer
    from train import make_rows

    from pipeline.machine import act_as_t4, this_machine
    from pipeline.planning import DatasetShape, TrainingConfig, resolve, shape_of
    from pipeline.training.data import Example
    from pipeline.training.finetune import load_for_training, make_batches
    from pipeline.training.lora import fuse_lora

    act_as_t4()
    config = TrainingConfig(model=folder, tokens_per_step=4096, precision="fp16", quantise="nf4", act_as="t4")
    examples = [Example(tuple(ids), tuple(labels)) for ids, labels in make_rows("ours")]
    dataset = DatasetShape(tuple(len(example.ids) for example in examples))
    plan = resolve(config, this_machine("t4"), dataset, shape_of(folder))
    batches, _ = make_batches(examples, plan)
    model = with_lora(load_for_training(plan), fused=False)
    if plan.checkpointing.value == "on":
        compute_twice(model)

    @contextmanager
    def as_in(part: str) -> Iterator[None]:
        """The one loaded model as the variant has it."""
        if part != "peft":
            fuse_lora(model)
        model.set_attn_implementation("sdpa" if part == "padded" else "documents")
        try:
            yield
        finally:
            for layer in model.modules():
                if isinstance(layer, LoraLayer):
                    vars(layer).pop("forward", None)

    def make(part: str) -> Step:
        step = make_step(model, part, torch.float16)

        def run(batch: Sequence[Any]) -> None:
            with as_in(part):
                for quarter in (batch[at::4] for at in range(4)) if part == "few" else (batch,):
                    step(quarter)

        return run

    spent = compare({part: make(part) for part in ON_GPU}, batches, steps)
    print("| ours, but | tokens/s | ours is so many times as fast | peak GiB |\n| --- | --- | --- | --- |")
    base = spent["ours"].wall / spent["ours"].tokens
    for part, of in spent.items():
        print(f"| {PARTS[part]} | {of.tokens / of.wall:.0f} | {of.wall / of.tokens / base:.2f} | {of.peak:.2f} |")


def with_lora(model: Any, *, fused: bool) -> Any:
    """The model with LoRA in float32 on all linear layers, in training mode."""
    from peft import LoraConfig, get_peft_model

    from pipeline.training.lora import fuse_lora

    lora = LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")  # our defaults
    model = get_peft_model(model, lora)
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
    if fused:
        fuse_lora(model)
    return model.train()


def compute_twice(model: Any) -> None:
    model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    model.enable_input_require_grads()


def make_step(model: Any, part: str, dtype: Any) -> Step:
    """One forward and backward pass over a batch, with one part of ours undone."""
    import torch

    from pipeline.training.data import collate
    from pipeline.training.trainer import learned_loss, pad

    device = model.get_input_embeddings().weight.device

    def loss(batch: Sequence[Any]) -> Any:
        if part == "padded":
            inputs = {name: value.to(device) for name, value in pad(batch, 2).items()}
            labels = inputs.pop("labels")
            hidden = model.base_model.model.model(**inputs, use_cache=False).last_hidden_state
            learned = (labels[:, 1:] != -100).nonzero(as_tuple=True)
            logits = model.base_model.model.lm_head(hidden[:, :-1][learned])
            return torch.nn.functional.cross_entropy(logits.float(), labels[:, 1:][learned], reduction="sum")
        inputs = collate(batch, device)
        if part == "vocabulary" or device.type == "cuda":
            labels = inputs.pop("labels")
            targets = labels[0, 1:]
            learned = targets != -100
            positions = (learned | True if part == "vocabulary" else learned).nonzero().squeeze(1)
            hidden = model.base_model.model.model(**inputs, use_cache=False).last_hidden_state
            logits = model.base_model.model.lm_head(hidden[0, positions])
            return torch.nn.functional.cross_entropy(logits.float(), targets[positions], reduction="sum")
        return learned_loss(model, inputs)[0]

    def step(batch: Sequence[Any]) -> None:
        with torch.autocast(device.type, dtype, enabled=dtype != torch.float32):
            value = loss(batch)
        value.backward()
        model.zero_grad()

    return with_torch_attention(step) if part == "attention" else step


def with_torch_attention(step: Callable[[Sequence[Any]], None]) -> Callable[[Sequence[Any]], None]:
    """The step with torch's kernel in the place of ours."""
    from torch.nn.functional import scaled_dot_product_attention

    from pipeline.training import attention

    class Kernel:
        @staticmethod
        def apply(query: Any, key: Any, value: Any, scale: float) -> Any:
            return scaled_dot_product_attention(query, key, value, is_causal=True, scale=scale, enable_gqa=True)

    def swapped(batch: Sequence[Any]) -> None:
        own, attention._blocks = attention._blocks, lambda: Kernel
        try:
            step(batch)
        finally:
            attention._blocks = own

    return swapped


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="a folder with a model that a GPU trains in 4 bits")
    parser.add_argument("--replies", type=int, default=0, help="replies that batches are made of; 0 for all (CPU)")
    parser.add_argument("--steps", type=int, default=3, help="batches that are timed")
    options = parser.parse_args()
    if options.model:
        show_gpu(options.model, options.steps)
    else:
        show_cpu(options.replies, options.steps)
