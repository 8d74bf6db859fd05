"""The process that trains: one run's folder in, everything else out through that folder."""

import os
import shutil
import traceback
from pathlib import Path

from pipeline.errors import ChatError
from pipeline.training.config import TrainingConfig
from pipeline.training.launch import die_with_launcher, how_many_processes, is_launched, launch
from pipeline.training.state import (
    add_metrics,
    read_killed,
    read_state,
    replace_text,
    write_control,
    write_killed,
    write_state,
)
from pipeline.training.tracked import require_trackio

__all__ = ["LOCK_VARIABLE", "hold_lock", "lay_out", "read_config", "train", "work"]

SMALLEST = 128  # tokens at once; fewer save little more
LOCK_VARIABLE = "CHAT_TWIN_RUN_LOCK"  # the descriptor of a lock that was taken for the worker before it began


def lay_out(dataset_dir: Path, run_dir: Path, config: TrainingConfig) -> None:
    """Make a run's folder: its config, a copy of the dataset, state "starting". Raises ChatError if one is there."""
    if (run_dir / "config.json").exists():
        raise ChatError("There is a run in this folder already: resume it, or choose another folder.")
    if not (dataset_dir / "dataset.json").exists():
        raise ChatError(f"The folder {dataset_dir.name} holds no dataset: build one first.")
    if config.trackio:
        require_trackio()
    run_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    shutil.copytree(dataset_dir, run_dir / "dataset", dirs_exist_ok=True)
    write_state(run_dir, status="starting")
    write_control(run_dir, "")
    replace_text(run_dir / "config.json", config.model_dump_json(indent=1))


def read_config(run_dir: Path) -> TrainingConfig:
    """The run's configuration. Raises ChatError where the folder holds no run."""
    try:
        return TrainingConfig.model_validate_json((run_dir / "config.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ChatError(f"The folder {run_dir.name} holds no run, or one of another version: train anew.") from error


def hold_lock(run_dir: Path) -> int:
    """Take the run's lock for the life of this process; the kernel frees it however the process ends.

    So a lock that is held means a run that lives, whatever process ids say. Raises ChatError if another holds it.
    """
    import fcntl

    inherited = os.environ.pop(LOCK_VARIABLE, None)
    if inherited is not None:
        os.set_inheritable(int(inherited), False)
        return int(inherited)
    descriptor = os.open(run_dir / "worker.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise ChatError("This run is still going: stop it first.") from None
    return descriptor


def train(dataset_dir: Path, run_dir: Path, config: TrainingConfig) -> None:
    """Fine-tune in this process, start to end. The adapter and the metrics are in `run_dir`. Raises ChatError."""
    lay_out(dataset_dir, run_dir, config)
    lock = hold_lock(run_dir)
    try:
        work(run_dir)
    finally:
        os.close(lock)


def work(run_dir: Path) -> None:
    """Train, or go on with, the run in this folder. Whatever ends it is in the state before it is raised."""
    from pipeline.training.fit import fit, is_first_process

    try:
        if not _fits(run_dir, read_config(run_dir)):
            fit(run_dir, _halve_batch(run_dir))
    except BaseException as error:
        if is_first_process():
            write_state(run_dir, status="failed", message=_sentence(error))
        raise


def _fits(run_dir: Path, config: TrainingConfig) -> bool:
    """Train; False where memory ran out. Returning lets go of everything that the try holds."""
    from pipeline.training.fit import fit

    try:
        fit(run_dir, config)
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

    from pipeline.training.plan import planned_tokens_per_batch

    gc.collect()
    torch.cuda.empty_cache()
    config = read_config(run_dir)  # settled, where the try came so far
    planned, step = planned_tokens_per_batch(config), config.tokens_per_step or config.max_tokens
    share = step // int(os.environ.get("WORLD_SIZE", "1"))  # a batch is never more than a process's part of a step
    if min(planned, share) < 2 * SMALLEST or (config.batching == "rows" and config.rows_per_step == 1):
        raise ChatError("Memory ran out, and the batch is as small as it gets: choose a smaller model or rank.")
    half, rows = min(planned, share) // 2, max(1, config.rows_per_step // 2)
    smaller = config.model_copy(update={"tokens_per_batch": half, "rows_per_step": rows})
    replace_text(run_dir / "config.json", smaller.model_dump_json(indent=1))
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
            lock = hold_lock(run_dir)
            config = _after_kill(run_dir)
            processes = how_many_processes(config) if "RANK" not in os.environ else 1
            if processes > 1:
                return launch(run_dir, processes, lock)
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
