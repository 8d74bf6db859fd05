"""The process that trains: one run's folder in, everything else out through that folder."""

import os
import shutil
import traceback
from pathlib import Path

from pipeline.errors import ChatError
from pipeline.training.config import TrainingConfig
from pipeline.training.launch import die_with_launcher, how_many_processes, is_launched, launch
from pipeline.training.state import add_metrics, read_state, replace_text, write_control, write_state

__all__ = ["LOCK_VARIABLE", "hold_lock", "lay_out", "read_config", "train", "work"]

LOCK_VARIABLE = "CHAT_TWIN_RUN_LOCK"  # the descriptor of a lock that was taken for the worker before it began


def lay_out(dataset_dir: Path, run_dir: Path, config: TrainingConfig) -> None:
    """Make a run's folder: its config, a copy of the dataset, state "starting". Raises ChatError if one is there."""
    if (run_dir / "config.json").exists():
        raise ChatError("There is a run in this folder already: resume it, or choose another folder.")
    if not (dataset_dir / "dataset.json").exists():
        raise ChatError(f"The folder {dataset_dir.name} holds no dataset: build one first.")
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

    config = read_config(run_dir)
    try:
        if not _fits(run_dir, config):
            fit(run_dir, _halve_batch(run_dir, config))
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
            _halve_batch(run_dir, config)
            raise
        return False
    return True


def _out_of_memory(error: Exception) -> bool:
    """Of a GPU, which torch tells by a class of its own, or of this computer, which it tells by a sentence."""
    said = ("CUDA out of memory", "can't allocate memory")
    return type(error).__name__ in ("OutOfMemoryError", "MemoryError") or any(words in str(error) for words in said)


def _halve_batch(run_dir: Path, config: TrainingConfig) -> TrainingConfig:
    """The configuration with half as many tokens at once, also in the run's folder; the metrics say so."""
    import gc

    import torch

    from pipeline.training.plan import planned_tokens_per_batch

    gc.collect()
    torch.cuda.empty_cache()
    step = read_config(run_dir).tokens_per_step or config.max_tokens  # settled by now
    share = step // int(os.environ.get("WORLD_SIZE", "1"))  # a batch is never more than a process's part of a step
    half = max(128, min(planned_tokens_per_batch(config), share) // 2)
    smaller = config.model_copy(update={"tokens_per_batch": half, "rows_per_step": max(1, config.rows_per_step // 2)})
    replace_text(run_dir / "config.json", smaller.model_dump_json(indent=1))
    message = f"Memory ran out, so the batch was halved to {half:,} tokens."
    state = write_state(run_dir, message=message)
    add_metrics(run_dir, {"step": state.step, "message": message})
    return smaller


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
