"""The process that trains: one run's folder in, everything else out through that folder."""

import contextlib
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import ChatError
from pipeline.machine import probe_machine, this_machine
from pipeline.planning import Plan, TrainingConfig
from pipeline.runs import (
    RunFolder,
    hold_both,
    hold_run,
    hold_training,
    lay_out,
    read_config,
    read_plan,
    read_state,
    write_state,
)
from pipeline.training.launch import die_with_launcher, how_many_processes, is_first_process, is_launched, launch
from pipeline.training.plans import halve, plan_run
from pipeline.training.prepare import prepare

if TYPE_CHECKING:
    from pipeline.training.prepare import Prepared

__all__ = ["train", "work"]


def train(dataset_dir: Path, run_dir: Path, config: TrainingConfig) -> None:
    """Fine-tune in this process, start to end. The adapter and the metrics are in `run_dir`. Raises ChatError."""
    with hold_training(run_dir):
        lay_out(dataset_dir, run_dir, config.model_copy(update={"processes": 1}))
        with hold_run(run_dir):
            work(run_dir)


def work(run_dir: Path) -> None:
    """Train, or go on with, the run in this folder. Whatever ends it is in the state before it is raised."""
    from pipeline.training.finetune import finetune

    with _failure_in_state(run_dir):
        config = read_config(run_dir)
        prepared = prepare(RunFolder(run_dir).dataset.path, config)
        plan = _launched_plan(run_dir) if is_launched() else plan_run(run_dir, this_machine(config.act_as), prepared)
        if not _fits(run_dir, plan, prepared):
            finetune(run_dir, _halve(run_dir, plan), prepared)


@contextlib.contextmanager
def _failure_in_state(run_dir: Path) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        if is_first_process():
            write_state(run_dir, status="failed", message=_sentence(error))
        raise


def _launched_plan(run_dir: Path) -> Plan:
    """What the launcher has planned, for all processes alike."""
    plan = read_plan(run_dir)
    if plan is None:
        raise RuntimeError("a launched process found no plan")
    return plan


def _fits(run_dir: Path, plan: Plan, prepared: "Prepared") -> bool:
    """Train; False where memory ran out. Returning lets go of everything that the try holds."""
    from pipeline.training.finetune import finetune

    try:
        finetune(run_dir, plan, prepared)
    except Exception as error:
        if not _out_of_memory(error):
            raise
        if is_launched():  # the others wait for this process's turn: all must start again
            _halve(run_dir, plan)
            raise
        return False
    return True


def _out_of_memory(error: Exception) -> bool:
    """Of a GPU, which torch tells by a class of its own, or of this computer, which it tells by a sentence."""
    said = ("CUDA out of memory", "CUBLAS_STATUS_ALLOC_FAILED", "can't allocate memory", "bad_alloc")
    by_class = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
    return by_class or any(words in str(error) for words in said)


def _halve(run_dir: Path, plan: Plan) -> Plan:
    import gc

    import torch

    gc.collect()
    torch.cuda.empty_cache()
    return halve(run_dir, plan)


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
        else:
            held = hold_both(run_dir)
            if how_many_processes(config) > 1:
                with _failure_in_state(run_dir):
                    plan = plan_run(run_dir, probe_machine(config.act_as))
                return launch(run_dir, plan.processes.value, held)
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
