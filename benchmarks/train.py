"""Training speed and memory: ours beside the blog's recipe, plain TRL and Unsloth, on one GPU.

    python benchmarks/train.py shape DEST [--small]          a model of Llama-2-7B's (or the starter's) shape, random
    python benchmarks/train.py gpu ENGINE --model DEST       one engine; prints one line `RES {json}`

Speed and memory do not depend on what the weights are, so random ones of the right shape do. All engines learn the same
synthetic chat: 2,000 replies, messages log-normal around 10 tokens, 1 to 3 bubbles a turn, sessions of about 12 turns;
the blog's recipe takes it as pairs. `--cap 14.56` holds the process to a T4's memory.
"""

import argparse
import json
import os
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

ENGINES = ("ours", "blog", "plain", "unsloth")
GIB = 2**30
REPLIES = 2000
ROW_TOKENS = 1024


def make_turns() -> list[int]:
    """Tokens of each turn, the other side's and the twin's in alternation."""
    draw = random.Random(0)

    def bubble() -> int:
        return max(2, min(200, int(draw.lognormvariate(2.3, 0.8)))) + 1

    return [sum(bubble() for _ in range(draw.choice([1, 1, 1, 2, 2, 3]))) for _ in range(2 * REPLIES)]


def make_rows(engine: str) -> list[tuple[list[int], list[int]]]:
    """(ids, labels): for the blog one pair a row, all of it learned; for the others sessions, replies learned."""
    turns, draw = make_turns(), random.Random(1)

    def words(count: int) -> list[int]:
        return [draw.randrange(10, 30000) for _ in range(count)]

    rows = []
    if engine == "blog":
        for at in range(0, len(turns), 2):
            ids = words(14 + turns[at] + turns[at + 1] + 2)
            rows.append((ids, ids))
        return rows
    at = 0
    while at < len(turns):
        count = min(len(turns) - at, max(2, int(draw.gauss(12, 6)) // 2 * 2))
        ids: list[int] = []
        labels: list[int] = []
        for turn in range(at, at + count):
            made = words(turns[turn] + 4)
            if len(ids) + len(made) > ROW_TOKENS:
                break
            ids += made
            labels += made if turn % 2 else [-100] * len(made)
        rows.append((ids, labels))
        at += count
    return rows


def write_shape(dest: Path, small: bool) -> None:
    """A random model of the shape, in float16. A tokenizer has to be copied beside it."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    shape: dict[str, Any] = (
        {"hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30, "num_attention_heads": 9,
         "num_key_value_heads": 3, "tie_word_embeddings": True}
        if small
        else {"hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32, "num_attention_heads": 32,
              "num_key_value_heads": 32, "tie_word_embeddings": False}
    )  # fmt: skip
    config = LlamaConfig(
        vocab_size=49152, max_position_embeddings=4096, bos_token_id=1, eos_token_id=2, pad_token_id=2, **shape
    )
    torch.set_default_dtype(torch.float16)
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        LlamaForCausalLM(config).save_pretrained(dest, max_shard_size="2GB")


class Clock:
    """Milliseconds of each step, the GPU's work included."""

    def __init__(self) -> None:
        self.steps: list[float] = []
        self.tokens: list[int] = []
        self.began = 0.0

    def callback(self) -> Any:
        import torch
        from transformers import TrainerCallback

        clock = self

        def now() -> float:
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            return time.perf_counter()

        class Follow(TrainerCallback):
            def on_step_begin(self, *_: Any, **__: Any) -> None:
                clock.began = now()

            def on_step_end(self, *_: Any, **__: Any) -> None:
                clock.steps.append(now() - clock.began)

        return Follow()


def train_ours(options: argparse.Namespace, clock: Clock) -> tuple[Any, int]:
    """Our trainer on our batches, planned as the app plans them; returns it and the number of steps in an epoch."""
    from pipeline.machine import this_machine
    from pipeline.models import load_tokenizer
    from pipeline.planning import DatasetShape, TrainingConfig, resolve, shape_of
    from pipeline.training.data import Example
    from pipeline.training.finetune import load_for_training, lora_config, make_batches
    from pipeline.training.trainer import make_trainer, trainer_arguments

    examples = [Example(tuple(ids), tuple(labels)) for ids, labels in make_rows("ours")]
    config = TrainingConfig(
        model=options.model, rank=options.rank, learning_rate=2e-4, logging_steps=5, tokens_per_step=options.tokens,
        tokens_per_batch=options.tokens, precision={"float16": "fp16", "bfloat16": "bf16"}[options.dtype],
        quantise="none" if options.unquantised else "nf4", checkpointing=options.checkpointing,
        act_as="t4" if options.cap else None,
    )  # fmt: skip
    dataset = DatasetShape(tuple(len(example.ids) for example in examples))
    plan = resolve(config, this_machine(config.act_as), dataset, shape_of(options.model))
    batches, per_step = make_batches(examples, plan)
    clock.tokens = [sum(len(example.ids) for example in batch) for batch in batches]
    steps = min(options.steps, plan.steps)
    arguments = trainer_arguments(plan.model_copy(update={"steps": steps}), Path(tempfile.mkdtemp()), per_step)
    trainer = make_trainer(
        load_for_training(plan), load_tokenizer(options.model), arguments, lora_config(plan), batches,
        [clock.callback()], padded=False,
    )  # fmt: skip
    return trainer, len(batches)


def train_peer(engine: str, options: argparse.Namespace, clock: Clock) -> tuple[Any, int]:
    """The blog's recipe, TRL's defaults or Unsloth, as their users run them."""
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig
    from trl import SFTConfig, SFTTrainer

    rows = make_rows(engine)
    size = options.rows
    half = {"fp16": options.dtype == "float16", "bf16": options.dtype == "bfloat16"}
    common: dict[str, Any] = dict(
        output_dir=tempfile.mkdtemp(), max_steps=options.steps, learning_rate=2e-4, logging_steps=5, report_to="none",
        save_strategy="no", lr_scheduler_type="cosine", max_grad_norm=0.3, weight_decay=0.001,
        dataset_kwargs={"skip_prepare_dataset": True}, remove_unused_columns=False, per_device_train_batch_size=size,
        train_sampling_strategy="group_by_length", max_length=None, **half,
    )  # fmt: skip
    linear = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    lora = None
    if engine == "unsloth":
        from unsloth import FastLanguageModel

        model, tokenizer = FastLanguageModel.from_pretrained(
            options.model, max_seq_length=ROW_TOKENS, dtype=getattr(torch, options.dtype), load_in_4bit=True
        )
        model = FastLanguageModel.get_peft_model(
            model, r=16, lora_alpha=16, lora_dropout=0, target_modules=linear, random_state=0,
            use_gradient_checkpointing="unsloth",
        )  # fmt: skip
        arguments = SFTConfig(optim="adamw_8bit", **{**common, "max_length": ROW_TOKENS})
    else:
        blog = engine == "blog"
        quantised = BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=getattr(torch, options.dtype),
            bnb_4bit_use_double_quant=not blog,
        )  # fmt: skip
        tokenizer = AutoTokenizer.from_pretrained(options.model)
        model = AutoModelForCausalLM.from_pretrained(
            options.model, quantization_config=quantised, device_map={"": 0}, dtype=getattr(torch, options.dtype)
        )
        lora = (
            LoraConfig(
                r=64, lora_alpha=16, lora_dropout=0.1, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM"
            )
            if blog
            else LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
        )
        optimiser = "paged_adamw_32bit" if blog else "paged_adamw_8bit"
        arguments = SFTConfig(optim=optimiser, gradient_checkpointing=True, **common)

    def collate(items: list[dict[str, list[int]]]) -> dict[str, Any]:
        longest = (max(len(item["input_ids"]) for item in items) + 7) // 8 * 8
        clock.tokens.append(sum(len(item["input_ids"]) for item in items))

        def padded(name: str, fill: int) -> Any:
            return torch.tensor([item[name] + [fill] * (longest - len(item[name])) for item in items])

        mask = torch.tensor([[int(at < len(item["input_ids"])) for at in range(longest)] for item in items])
        return {"input_ids": padded("input_ids", 2), "labels": padded("labels", -100), "attention_mask": mask}

    data = Dataset.from_list([{"input_ids": ids, "labels": labels} for ids, labels in rows])
    trainer = SFTTrainer(
        model=model, args=arguments, train_dataset=data, processing_class=tokenizer, peft_config=lora,
        data_collator=collate, callbacks=[clock.callback()],
    )  # fmt: skip
    for parameter in trainer.model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
    return trainer, len(rows) / size


def run_gpu(options: argparse.Namespace) -> None:
    """Train some steps with one engine, print its pace and peak."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    if options.engine == "unsloth":
        os.environ["UNSLOTH_DISABLE_STATISTICS"] = "1"
        import unsloth  # noqa: F401  (patches transformers, so it comes first)
    import torch

    result: dict[str, Any] = {k: v for k, v in vars(options).items() if k not in ("run", "model")}
    gpu = torch.cuda.is_available()  # without one, a dry run
    if options.cap and gpu:
        total = torch.cuda.get_device_properties(0).total_memory
        torch.cuda.set_per_process_memory_fraction(options.cap * GIB / total)
    if options.engine == "ours" and options.dtype == "float16":
        from pipeline.machine import act_as_t4

        act_as_t4()
    torch.manual_seed(0)
    clock, began = Clock(), time.perf_counter()
    try:
        if options.engine == "ours":
            trainer, steps = train_ours(options, clock)
        else:
            trainer, steps = train_peer(options.engine, options, clock)
        result["load_s"] = round(time.perf_counter() - began, 1)
        trainer.train()
        if options.profile:
            profile_step(trainer)
        taken = clock.steps[5:]
        mean = sum(taken) / len(taken)
        result |= {
            "step_ms": round(sorted(taken)[len(taken) // 2] * 1000, 1),
            "tokens_s": round(sum(clock.tokens[5 : 5 + len(taken)]) / sum(taken)),
            "s_per_1000_replies": round(mean * steps / (REPLIES / 1000), 1),
        }
    except torch.cuda.OutOfMemoryError as error:
        result["oom"] = str(error)[:90]
    if gpu:
        result["allocated_gib"] = round(torch.cuda.max_memory_allocated() / GIB, 3)
        result["reserved_gib"] = round(torch.cuda.max_memory_reserved() / GIB, 3)
    print("RES", json.dumps(result), flush=True)


def profile_step(trainer: Any) -> None:
    """Where the time of one step goes, by kernel."""
    from torch.profiler import ProfilerActivity, profile

    batch = next(iter(trainer.get_train_dataloader()))
    with profile(activities=[ProfilerActivity.CUDA, ProfilerActivity.CPU]) as found:
        trainer.training_step(trainer.model, batch)
    print(found.key_averages().table(sort_by="self_cuda_time_total", row_limit=25, max_name_column_width=70))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="run", required=True)
    shape = commands.add_parser("shape")
    shape.add_argument("dest", type=Path)
    shape.add_argument("--small", action="store_true")
    gpu = commands.add_parser("gpu")
    gpu.add_argument("engine", choices=ENGINES)
    gpu.add_argument("--model", required=True)
    gpu.add_argument("--steps", type=int, default=25)
    gpu.add_argument("--cap", type=float, default=14.56, help="GiB this process may use; 0 for all")
    gpu.add_argument("--dtype", default="float16", choices=["float16", "bfloat16"])
    gpu.add_argument("--rows", type=int, default=4, help="rows a step (the peers)")
    gpu.add_argument("--tokens", type=int, default=4096, help="tokens a step (ours)")
    gpu.add_argument("--rank", type=int, default=16)
    gpu.add_argument("--unquantised", action="store_true")
    gpu.add_argument("--checkpointing", default="auto", choices=["auto", "always", "never"], help="(ours)")
    gpu.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    if options.run == "shape":
        write_shape(options.dest, options.small)
    else:
        run_gpu(options)


if __name__ == "__main__":
    main()
