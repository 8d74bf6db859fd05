"""What each part of our training gains on a CPU: the same batches of the sample, one part of ours undone at a time.

python benchmarks/train_gains.py
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
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
    "checkpointing": "activations computed twice instead of kept",
}


def show_gains(replies: int, steps: int) -> None:
    """CPU and wall milliseconds a token of each variant on the same batches, taken in turn."""
    import torch

    from pipeline.prompt import read_template
    from pipeline.training.config import TrainingConfig
    from pipeline.training.data import encode_rows
    from pipeline.training.fit import make_batches
    from pipeline.training.plan import plan_for

    rows, _, tokenizer = make_sample(replies)
    config = TrainingConfig(tokens_per_step=1024)
    examples = encode_rows(rows, read_template(tokenizer), tokenizer, config.max_tokens)
    batches, _ = make_batches(examples, config, plan_for(config), 1)
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    variants = {part: make_variant(part) for part in PARTS}
    spent = {part: [0.0, 0.0, 0] for part in PARTS}
    for number in range(steps + 1):  # the first warms up
        for part, step in variants.items():
            batch = batches[number]
            wall, cpu = time.perf_counter(), time.process_time()
            step(batch)
            if number:
                spent[part][0] += time.perf_counter() - wall
                spent[part][1] += time.process_time() - cpu
                spent[part][2] += sum(len(example.ids) for example in batch)
    print("| ours, but | tokens/s | CPU ms a token | ours is so many times as fast |\n| --- | --- | --- | --- |")
    base = spent["ours"][1] / spent["ours"][2]
    for part, (wall, cpu, tokens) in spent.items():
        print(f"| {PARTS[part]} | {tokens / wall:.0f} | {1000 * cpu / tokens:.2f} | {cpu / tokens / base:.2f} |")


def make_variant(part: str) -> Callable[[Sequence[Any]], None]:
    """One forward and backward pass over a batch, with one part of ours undone."""
    import torch
    from peft import get_peft_model

    from pipeline.models import load_model
    from pipeline.training.attention import register_attention
    from pipeline.training.config import TrainingConfig
    from pipeline.training.data import collate
    from pipeline.training.fit import lora_config
    from pipeline.training.lora import fuse_lora
    from pipeline.training.trainer import learned_loss, pad

    dtype = torch.float32 if part == "float32" else torch.bfloat16
    attention = "sdpa" if part == "padded" else register_attention()
    model = get_peft_model(load_model("starter", dtype=dtype, attention=attention), lora_config(TrainingConfig()))
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
    if part != "peft":
        fuse_lora(model)
    if part == "checkpointing":
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
        model.enable_input_require_grads()
    model.train()

    def loss(batch: Sequence[Any]) -> Any:
        if part == "padded":
            inputs = pad(batch, 2)
            labels = inputs.pop("labels")
            hidden = model.base_model.model.model(**inputs, use_cache=False).last_hidden_state
            learned = (labels[:, 1:] != -100).nonzero(as_tuple=True)
            logits = model.base_model.model.lm_head(hidden[:, :-1][learned])
            return torch.nn.functional.cross_entropy(logits.float(), labels[:, 1:][learned], reduction="sum")
        inputs = collate(batch)
        if part == "vocabulary":
            labels = inputs.pop("labels")
            logits = model(**inputs, use_cache=False).logits[0, :-1]
            return torch.nn.functional.cross_entropy(logits.float(), labels[0, 1:], reduction="sum")
        return learned_loss(model, inputs)[0]

    def step(batch: Sequence[Any]) -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=part != "float32"):
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
    parser.add_argument("--replies", type=int, default=0, help="replies that batches are made of; 0 for all")
    parser.add_argument("--steps", type=int, default=3, help="batches that are timed")
    options = parser.parse_args()
    show_gains(options.replies, options.steps)
