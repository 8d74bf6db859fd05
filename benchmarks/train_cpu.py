"""Training the starter model on a CPU: ours beside the blog's recipe and format, and plain TRL's defaults.

    python benchmarks/train_cpu.py     # each engine in a process of its own, one after another; the table

Everyone sees the same replies of the sample once, in their own form: ours and TRL whole conversations in the model's
chat template, the blog one exchange a row as "### Home: ... ### Assistant: ...". Speed counts the tokens of the replies
alone (a context is a means). The held-out loss is of the same replies for all, without their end-of-turn tokens, each
in the form that it was trained in, taken by the base model in float32 with the adapter on it.
"""

import argparse
import functools
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))
from pipeline.machine import share_cores

share_cores()
os.environ.setdefault("HF_HUB_OFFLINE", "1")

ENGINES = ("ours", "blog", "plain")  # "blog-4bit" besides: the blog's weights as it has them


@dataclass(frozen=True)
class Scored:
    """A text as token ids, and the positions of its held-out replies' tokens; `characters` are those of the replies."""

    ids: tuple[int, ...]
    wanted: tuple[int, ...]
    characters: int


def make_sample(replies: int) -> tuple[list[Any], list[Any], Any]:
    """(rows with the last so many replies before those held out, rows held out, tokenizer), of the sample."""
    from pipeline.dataset import DatasetConfig, build_dataset
    from pipeline.models import load_tokenizer
    from pipeline.sample import PERSON, sample_text
    from pipeline.sources import parse

    tokenizer = load_tokenizer("starter")
    messages = parse(sample_text())[0]
    dataset = build_dataset(messages, DatasetConfig(person=PERSON), tokenizer)
    rows: list[Any] = []
    for row in reversed(dataset.train):
        if replies and sum(1 for _ in pairs(rows)) >= replies:
            break
        rows.insert(0, row)
    return rows, dataset.validation, tokenizer


def pairs(rows: Sequence[Any]) -> Iterator[tuple[str, str]]:
    """(what was said before, the reply) of every learned reply."""
    from pipeline.dataset import format_row

    for row in rows:
        for record in format_row(row, "alpaca"):
            yield record["instruction"], record["output"]


def reply_tokens(rows: Sequence[Any], tokenizer: Any) -> int:
    """Tokens of the learned replies themselves: the same count for every engine."""
    return sum(map(len, tokenizer([reply for _, reply in pairs(rows)], add_special_tokens=False).input_ids))


class Clock:
    """Wall and CPU seconds from the first step's beginning to the last one's end."""

    def __init__(self) -> None:
        self.began: tuple[float, float] | None = None
        self.wall = self.cpu = 0.0

    def callback(self) -> Any:
        from transformers import TrainerCallback

        clock = self

        class Follow(TrainerCallback):
            def on_step_begin(self, *_: Any, **__: Any) -> None:
                clock.began = clock.began or (time.perf_counter(), time.process_time())

            def on_step_end(self, *_: Any, **__: Any) -> None:
                assert clock.began
                clock.wall = time.perf_counter() - clock.began[0]
                clock.cpu = time.process_time() - clock.began[1]

        return Follow()


def ours(rows: Sequence[Any], tokenizer: Any, clock: Clock) -> Any:
    """Our trainer at its defaults."""
    from pipeline.machine import this_machine
    from pipeline.planning import DatasetShape, TrainingConfig, resolve, shape_of
    from pipeline.prompt import read_template
    from pipeline.training.data import encode_rows, without_repeats
    from pipeline.training.finetune import load_for_training, lora_config, make_batches
    from pipeline.training.trainer import make_trainer, trainer_arguments

    config = TrainingConfig(epochs=1)  # as its peers
    examples = encode_rows(without_repeats(rows), read_template(tokenizer), tokenizer, config.max_tokens)
    dataset = DatasetShape(tuple(len(example.ids) for example in examples))
    plan = resolve(config, this_machine(), dataset, shape_of(config.model))
    model = load_for_training(plan)
    batches, per_step = make_batches(examples, plan)
    arguments = trainer_arguments(plan, Path(tempfile.mkdtemp()), per_step)
    return make_trainer(model, tokenizer, arguments, lora_config(plan), batches, [clock.callback()], padded=False)


def plain(rows: Sequence[Any], tokenizer: Any, clock: Clock) -> Any:
    """TRL as its page on LoRA shows it: its defaults, LoRA on all linear layers, ten times the default rate."""
    from datasets import Dataset
    from peft import LoraConfig
    from trl import SFTConfig, SFTTrainer

    from pipeline.models import name_or_path

    arguments = SFTConfig(
        output_dir=tempfile.mkdtemp(), num_train_epochs=1, learning_rate=2e-4, report_to="none", save_strategy="no",
        disable_tqdm=True, use_cpu=True,
    )  # fmt: skip
    return SFTTrainer(
        model=name_or_path("starter"), args=arguments, processing_class=tokenizer, callbacks=[clock.callback()],
        train_dataset=Dataset.from_list([{"messages": row.messages} for row in rows]),
        peft_config=LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM"),
    )  # fmt: skip


def blog(rows: Sequence[Any], tokenizer: Any, clock: Clock, *, quantise: bool = False) -> Any:
    """The blog's recipe and format; in float32, since without a GPU its 4 bits only cost time."""
    from datasets import Dataset
    from peft import LoraConfig
    from trl import SFTConfig, SFTTrainer

    from pipeline.models import load_model
    from pipeline.planning import RECIPES

    recipe = RECIPES["blog"]
    arguments = SFTConfig(
        output_dir=tempfile.mkdtemp(), num_train_epochs=1, report_to="none", save_strategy="no", disable_tqdm=True,
        use_cpu=True, bf16=False, optim="adamw_torch", per_device_train_batch_size=recipe["rows_per_step"],
        gradient_checkpointing=True, learning_rate=recipe["learning_rate"], lr_scheduler_type=recipe["scheduler"],
        warmup_steps=recipe["warmup"], weight_decay=recipe["weight_decay"], max_grad_norm=recipe["max_grad_norm"],
        train_sampling_strategy="group_by_length", dataset_kwargs={"skip_prepare_dataset": True},
    )  # fmt: skip
    texts = [blog_text(said, reply) for said, reply in pairs(rows)]
    return SFTTrainer(
        model=load_model("starter", quantise=quantise), args=arguments, processing_class=tokenizer,
        callbacks=[clock.callback()], train_dataset=Dataset.from_dict({"input_ids": tokenizer(texts).input_ids}),
        peft_config=LoraConfig(
            r=recipe["rank"], lora_alpha=recipe["alpha"], lora_dropout=recipe["dropout"],
            target_modules=list(recipe["targets"]), task_type="CAUSAL_LM",
        ),
    )  # fmt: skip


def blog_text(said: str, reply: str) -> str:
    return f"### Home: {said}\n### Assistant: {reply}"


MAKERS: dict[str, Callable[[Sequence[Any], Any, Clock], Any]] = {
    "ours": ours,
    "blog": blog,
    "plain": plain,
    "blog-4bit": functools.partial(blog, quantise=True),
}


def held_out(engine: str, rows: Sequence[Any], tokenizer: Any) -> list[Scored]:
    """The held-out replies in the engine's form."""
    if engine.startswith("blog"):
        return [score_pair(said, reply, tokenizer) for said, reply in pairs(rows)]
    from pipeline.prompt import encode, end_ids, read_template

    template = read_template(tokenizer)
    ends = set(end_ids(template, tokenizer))
    scored = []
    for row in rows:
        encoded = encode(template, tokenizer, row.messages, row.learn_from)
        wanted = [i for i, learned in enumerate(encoded.learned) if learned and encoded.ids[i] not in ends]
        characters = sum(len(reply) for _, reply in pairs([row]))
        scored.append(Scored(tuple(encoded.ids), tuple(wanted), characters))
    return scored


def score_pair(said: str, reply: str, tokenizer: Any) -> Scored:
    text = blog_text(said, reply)
    encoded = tokenizer(text, return_offsets_mapping=True)
    start = len(text) - len(reply)
    wanted = tuple(i for i, (_, end) in enumerate(encoded.offset_mapping) if end > start)
    return Scored(tuple(encoded.input_ids), wanted, len(reply))


def measure_loss(model: Any, texts: Sequence[Scored]) -> dict[str, float]:
    """Nats a token and bits a character of the wanted positions."""
    import torch
    from torch.nn.functional import cross_entropy

    nats = tokens = characters = 0.0
    with torch.no_grad():
        for text in texts:
            positions = torch.tensor(text.wanted)
            ids = torch.tensor([text.ids])
            logits = model(input_ids=ids, logits_to_keep=positions - 1, use_cache=False).logits[0].float()
            nats += float(cross_entropy(logits, ids[0, positions], reduction="sum"))
            tokens += len(text.wanted)
            characters += text.characters
    return {"nats_a_token": round(nats / tokens, 4), "bits_a_character": round(nats / math.log(2) / characters, 4)}


def run(engine: str, replies: int) -> dict[str, Any]:
    """Train with one engine; what it took and what it reached."""
    import psutil
    import torch

    from pipeline.models import load_model

    rows, validation, tokenizer = make_sample(replies)
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    torch.manual_seed(0)
    clock = Clock()
    trainer = MAKERS[engine](rows, tokenizer, clock)
    trainer.train()
    memory = psutil.Process().memory_info().rss / 2**30
    texts = held_out(engine, validation, tokenizer)
    before = measure_loss(load_model("starter"), texts)
    with tempfile.TemporaryDirectory() as folder:
        trainer.model.save_pretrained(folder)
        after = measure_loss(load_model("starter", adapter=Path(folder)), texts)
    tokens = reply_tokens(rows, tokenizer)
    return {
        "engine": engine, "replies": sum(1 for _ in pairs(rows)), "reply_tokens": tokens, "gib": round(memory, 2),
        "steps": trainer.state.global_step, "wall_s": round(clock.wall, 1), "cpu_s": round(clock.cpu, 1),
        "reply_tokens_s": round(tokens / clock.wall, 1), "cpu_ms_a_reply_token": round(1000 * clock.cpu / tokens, 2),
        "before": before, "after": after,
    }  # fmt: skip


def show(results: Sequence[dict[str, Any]]) -> None:
    print("| | reply tokens/s | CPU ms a reply token | nats a token | bits a character |\n" + "| --- " * 5 + "|")
    for r in results:
        print(
            f"| {r['engine']} | {r['reply_tokens_s']} | {r['cpu_ms_a_reply_token']} | "
            f"{r['before']['nats_a_token']} to {r['after']['nats_a_token']} | "
            f"{r['before']['bits_a_character']} to {r['after']['bits_a_character']} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", default="all", choices=["all", *MAKERS])
    parser.add_argument("--replies", type=int, default=300, help="replies that each engine sees once; 0 for all")
    options = parser.parse_args()
    if options.what in MAKERS:
        print("RES", json.dumps(run(options.what, options.replies)), flush=True)
    else:
        run_all(options.replies)


def run_all(replies: int) -> None:
    results = []
    for engine in ENGINES:
        done = subprocess.run(
            [sys.executable, __file__, engine, "--replies", str(replies)], stdout=subprocess.PIPE, text=True
        )
        print(done.stdout, flush=True)
        results += [json.loads(line[4:]) for line in done.stdout.splitlines() if line.startswith("RES ")]
    show(results)


if __name__ == "__main__":
    main()
