"""One GPU and two: the same run by the same command, then a run of one killed and gone on with on the other.

    python benchmarks/train_scaling.py                           7B shape: 4-bit (DDP) on 1 and 2, 16-bit split (FSDP)
    python benchmarks/train_scaling.py --device cpu --shape tiny --replies 120 --tokens 512 --steps 8      a dry run

The runs are the app's own (`pipeline.runs`), which starts itself with `accelerate launch`; NCCL is left as the machine
has it. The chat has the lengths of `benchmarks/train.py`'s: 2,000 replies, log-normal around 10 tokens a message, in
sessions of about 12 turns, each token a word of its own, some words far more often than others, so that there is
something to learn. Weights are random ones of the shape: speed, memory and whether two curves agree do not depend on
what they are. The tokenizer is the starter model's (or --tokenizer FOLDER).
"""

import argparse
import itertools
import json
import os
import random
import shutil
import signal
import statistics
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.train import make_turns
from pipeline import runs
from pipeline.planning import TrainingConfig
from pipeline.runs import read_state
from pipeline.store import replace_text

WARM_UP = 3  # steps that are not timed
SHAPES: dict[str, dict[str, Any]] = {
    "7b": {"hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32, "num_attention_heads": 32,
           "num_key_value_heads": 32, "tie_word_embeddings": False},
    "starter": {"hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30, "num_attention_heads": 9,
                "num_key_value_heads": 3, "tie_word_embeddings": True},
    "tiny": {"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4,
             "num_key_value_heads": 2, "tie_word_embeddings": True},
}  # fmt: skip


def write_model(folder: Path, shape: str, tokenizer: str) -> Path:
    """A random model of the shape with a tokenizer, as a folder; in float16, or float32 where it is small."""
    import torch
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    made = AutoTokenizer.from_pretrained(tokenizer)
    config = LlamaConfig(
        vocab_size=len(made), max_position_embeddings=4096, bos_token_id=made.bos_token_id,
        eos_token_id=made.eos_token_id, pad_token_id=made.pad_token_id or made.eos_token_id, **SHAPES[shape],
    )  # fmt: skip
    torch.manual_seed(0)
    torch.set_default_dtype(torch.float16 if shape == "7b" else torch.float32)
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        LlamaForCausalLM(config).save_pretrained(folder, max_shard_size="2GB")
    torch.set_default_dtype(torch.float32)
    made.save_pretrained(folder)
    return folder


def write_chat(folder: Path, model: Path, replies: int) -> Path:
    """The dataset of a chat in which every token is a word that the tokenizer knows."""
    import polars as pl
    from transformers import AutoTokenizer

    from pipeline.dataset import DatasetConfig, build_dataset, write_dataset
    from pipeline.messages import SCHEMA

    tokenizer = AutoTokenizer.from_pretrained(model)
    texts = (tokenizer.decode([token]) for token in range(500, 12_000))
    words = [text for text in texts if text.startswith(" ") and text[1:].isascii() and text[1:].isalpha()]
    often = list(itertools.accumulate(1 / rank for rank in range(1, len(words) + 1)))
    draw, at, left = random.Random(2), datetime(2024, 1, 1), 0
    rows = []
    for number, length in enumerate(make_turns()[: 2 * replies]):
        if left == 0:  # a session ends after a reply, and the next begins ten hours later
            left, at = max(2, int(draw.gauss(12, 6)) // 2 * 2), at + timedelta(hours=10)
        left, at = left - 1, at + timedelta(minutes=1)
        text = "".join(draw.choices(words, cum_weights=often, k=length)).strip()
        rows.append((at, "Bob" if number % 2 else "Ann", text, "text", None, False, None))
    messages = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    config = DatasetConfig(person="Bob", silence_minutes=60, validation_share=0.03, language="en")
    return write_dataset(build_dataset(messages, config, tokenizer), folder)


def wait_for(run_dir: Path, until: int | None = None, limit: float = 3000) -> runs.Run:
    """Wait for the end of a run, or for a step with a checkpoint behind it."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        run = runs.read_run(run_dir)
        reached = until is not None and run.step >= until and any((run_dir / "checkpoints").glob("*/complete.json"))
        if reached or not run.live:
            return run
        time.sleep(0.05)
    raise TimeoutError(f"{run_dir.name} took longer than {limit:.0f} s")


def finish(run_dir: Path) -> None:
    run = wait_for(run_dir)
    if run.status != "done":
        raise SystemExit(f"{run_dir.name}: {run.status}. {run.message}\n{(run_dir / 'log.txt').read_text()[-4000:]}")


def losses(run_dir: Path) -> list[float]:
    return [float(loss) for loss in runs.read_metrics(run_dir)["loss"].drop_nulls()]


def measure(name: str, run_dir: Path, dataset: Path, processes: int) -> dict[str, Any]:
    """What the table says of a finished run."""
    from pipeline.dataset import read_about

    summary = read_about(dataset)[1]
    pace = statistics.median(runs.read_metrics(run_dir)["tokens_per_second"].drop_nulls()[WARM_UP:])
    state = read_state(run_dir)
    assert state is not None
    return {
        "run": name,
        "processes": processes,
        "steps": state.total_steps,
        "tokens_s": round(pace),
        "s_per_1000_replies": round(1000 * summary.train_tokens / summary.train_replies / pace, 2),
        "peak_gib": list(state.peak_gib),
        "loss": [round(loss, 4) for loss in (losses(run_dir)[0], losses(run_dir)[-1])],
    }


def apart(one: Path, other: Path) -> float:
    """The largest difference between the losses of two runs at the same step, in parts of the loss."""
    return max(abs(a - b) / a for a, b in zip(losses(one), losses(other), strict=True))


def begin_and_go_on(folder: Path, dataset: Path, config: TrainingConfig, first: int, second: int) -> Path:
    """A run on `first` processes, killed in the middle, and gone on with on `second`."""
    run_dir = folder / f"{first}-then-{second}"
    begun = config.model_copy(update={"processes": first, "checkpoint_seconds": 0.0})
    runs.start(dataset, run_dir, begun)
    run = wait_for(run_dir, until=3)
    if run.live:
        assert run.pid is not None
        os.killpg(run.pid, signal.SIGKILL)
        wait_for(run_dir)
    replace_text(run_dir / "config.json", begun.model_copy(update={"processes": second}).model_dump_json())
    runs.resume(run_dir)
    finish(run_dir)
    return run_dir


def say(result: dict[str, Any]) -> None:
    print("RES", json.dumps(result), flush=True)


def compare(options: argparse.Namespace, folder: Path) -> None:
    """Every run in turn, each result as it comes."""
    tokenizer = options.tokenizer
    if not tokenizer:
        from pipeline.models import starter_folder

        tokenizer = str(starter_folder())
    model = options.model or write_model(folder / "model", options.shape, tokenizer)
    dataset = write_chat(folder / "dataset", model, options.replies)
    from pipeline.dataset import read_about

    tokens = read_about(dataset)[1].train_tokens
    gpu = options.device != "cpu"
    common = TrainingConfig(
        model=str(model), rank=16, tokens_per_step=options.tokens, learning_rate=1e-3, validations=1,
        epochs=min(1.0, options.steps * options.tokens / tokens), checkpoint_seconds=3600, shard="never",
        precision="auto" if gpu else "fp32",
    )  # fmt: skip
    kinds = {"QLoRA, DDP": {"quantise": "nf4" if gpu else "none"}, "16-bit LoRA": {"quantise": "none"}}
    done: dict[tuple[str, int], Path] = {}
    for (kind, settings), processes in itertools.product(kinds.items(), (1, 2)):
        sharded = kind == "16-bit LoRA" and processes > 1
        config = common.model_copy(
            update={**settings, "processes": processes, "shard": "always" if sharded else "never"}
        )
        run_dir = done[kind, processes] = folder / f"{kind[:6].strip(', ')}-{processes}".replace(" ", "-")
        runs.start(dataset, run_dir, config)
        finish(run_dir)
        say(measure(f"{kind}, FSDP" if sharded else kind, run_dir, dataset, processes))
    for kind in kinds:
        one, two = done[kind, 1], done[kind, 2]
        paces = [measure(kind, run_dir, dataset, 1)["tokens_s"] for run_dir in (one, two)]
        say({"run": kind, "times_faster": round(paces[1] / paces[0], 2), "losses_apart": apart(one, two)})
    qlora = common.model_copy(update=kinds["QLoRA, DDP"])
    for first, second in ((2, 1), (1, 2)):
        run_dir = begin_and_go_on(folder, dataset, qlora, first, second)
        say({"run": f"killed on {first}, gone on with on {second}", "steps": len(losses(run_dir)),
             "losses_apart": apart(done["QLoRA, DDP", 1], run_dir)})  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="a folder with weights and tokenizer; else random weights are made")
    parser.add_argument("--shape", default="7b", choices=SHAPES)
    parser.add_argument("--tokenizer", default="", help="a folder; else the starter model's")
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    parser.add_argument("--replies", type=int, default=2000)
    parser.add_argument("--tokens", type=int, default=8192, help="tokens a step, over all GPUs")
    parser.add_argument("--steps", type=int, default=30, help="at most an epoch's")
    parser.add_argument("--keep", type=Path, help="keep everything in this folder, which must not exist yet")
    options = parser.parse_args()
    if options.device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    folder = options.keep or Path(tempfile.mkdtemp(prefix="train-scaling-"))
    folder.mkdir(parents=True, exist_ok=options.keep is None)
    try:
        compare(options, folder.resolve())
    finally:
        if options.keep is None:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
