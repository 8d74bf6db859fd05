"""The process that trains: one run's folder in, everything else out through that folder."""

import os
import traceback
from pathlib import Path

from pipeline.errors import ChatError
from pipeline.planning.config import TrainingConfig
from pipeline.runs import (
    add_metrics,
    hold_both,
    hold_run,
    hold_training,
    lay_out,
    read_config,
    read_killed,
    read_state,
    write_config,
    write_killed,
    write_state,
)
from pipeline.training.launch import die_with_launcher, how_many_processes, is_launched, launch

__all__ = ["train", "work"]

SMALLEST = 128  # tokens at once; fewer save little more


def train(dataset_dir: Path, run_dir: Path, config: TrainingConfig) -> None:
    """Fine-tune in this process, start to end. The adapter and the metrics are in `run_dir`. Raises ChatError."""
    with hold_training(run_dir):
        lay_out(dataset_dir, run_dir, config)
        with hold_run(run_dir):
            work(run_dir)


def work(run_dir: Path) -> None:
    """Train, or go on with, the run in this folder. Whatever ends it is in the state before it is raised."""
    from pipeline.training.finetune import finetune, is_first_process

    try:
        if not _fits(run_dir, read_config(run_dir)):
            finetune(run_dir, _halve_batch(run_dir))
    except BaseException as error:
        if is_first_process():
            write_state(run_dir, status="failed", message=_sentence(error))
        raise


def _fits(run_dir: Path, config: TrainingConfig) -> bool:
    """Train; False where memory ran out. Returning lets go of everything that the try holds."""
    from pipeline.training.finetune import finetune

    try:
        finetune(run_dir, config)
    except Exception as error:
        if not _out_of_memory(error):
            raise
        if is_launched():  # the others wait for this process's turn: all must start again
            _halve_batch(run_dir)
            raise
        return False
    return True


def _out_of_memory(error: Exception) -> bool:
    """Of a GPU, which torch tells by a class of its own, or of this computer, which it tells by a sentence."""
    said = ("CUDA out of memory", "CUBLAS_STATUS_ALLOC_FAILED", "can't allocate memory", "bad_alloc")
    by_class = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
    return by_class or any(words in str(error) for words in said)


def _halve_batch(run_dir: Path) -> TrainingConfig:
    """The run's configuration with half as many tokens at once, also in its folder; the metrics say so.

    Raises ChatError where it cannot be halved.
    """
    import gc

    import torch

    from pipeline.planning.plan import planned_tokens_per_batch

    gc.collect()
    torch.cuda.empty_cache()
    config = read_config(run_dir)  # settled, where the try came so far
    planned, step = planned_tokens_per_batch(config), config.tokens_per_step or config.max_tokens
    share = step // int(os.environ.get("WORLD_SIZE", "1"))  # a batch is never more than a process's part of a step
    if min(planned, share) < 2 * SMALLEST or (config.batching == "rows" and config.rows_per_step == 1):
        raise ChatError("Memory ran out, and the batch is as small as it gets: choose a smaller model or rank.")
    half, rows = min(planned, share) // 2, max(1, config.rows_per_step // 2)
    smaller = config.model_copy(update={"tokens_per_batch": half, "rows_per_step": rows})
    write_config(run_dir, smaller)
    size = f"{half:,} tokens" if config.batching == "tokens" else f"{rows} rows"
    message = f"Memory ran out, so the batch was halved to {size}."
    state = write_state(run_dir, message=message)
    add_metrics(run_dir, {"step": state.step, "message": message})
    return smaller


def _after_kill(run_dir: Path) -> TrainingConfig:
    """The configuration to go on with: of half the batch where the system ended the last try for want of memory."""
    killed = read_killed(run_dir)
    write_killed(run_dir, "")
    if killed != "memory":
        return read_config(run_dir)
    try:
        return _halve_batch(run_dir)
    except ChatError as error:
        write_state(run_dir, status="failed", message=str(error))
        raise


def _sentence(error: BaseException) -> str:
    if isinstance(error, ChatError):
        return str(error)
    if isinstance(error, KeyboardInterrupt):
        return "The run was interrupted: it can be resumed."
    if isinstance(error, Exception) and _out_of_memory(error):
        return "Memory ran out even at half the batch: choose a smaller model, rank or longest row."
    return f"Training failed ({type(error).__name__}): the run's log.txt says more."


def main(arguments: list[str]) -> int:
    """`python -m pipeline.training RUN_DIR`: exit code 0, or 2 for what the user can mend, or 1."""
    if len(arguments) != 1:
        print("usage: python -m pipeline.training RUN_DIR")
        return 2
    run_dir = Path(arguments[0])
    try:
        config = read_config(run_dir)
        if is_launched():
            die_with_launcher()
        elif os.environ.get("RANK", "0") == "0":
            held = hold_both(run_dir)
            config = _after_kill(run_dir)
            processes = how_many_processes(config) if "RANK" not in os.environ else 1
            if processes > 1:
                return launch(run_dir, processes, held)
        work(run_dir)
    except ChatError as error:
        print(error)
        return 2
    except Exception:
        traceback.print_exc()
        return 1
    state = read_state(run_dir)
    print(state.status if state else "")
    return 0
