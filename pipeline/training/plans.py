"""The plan of a run: what the page shows before it, what the worker does, what it goes on with elsewhere."""

from collections import OrderedDict
from pathlib import Path
from threading import Lock

from pipeline.dataset import DatasetFolder
from pipeline.errors import ChatError
from pipeline.machine import Machine
from pipeline.models import load_tokenizer
from pipeline.planning import (
    DatasetShape,
    Plan,
    TrainingConfig,
    halve_batch,
    keep_within_memory,
    replan,
    resolve,
    shape_of,
)
from pipeline.runs import (
    RunFolder,
    add_metrics,
    last_checkpoint,
    read_config,
    read_killed,
    read_plan,
    write_killed,
    write_plan,
    write_state,
)
from pipeline.training.prepare import Prepared, estimate_shape, prepare, train_examples

__all__ = ["dataset_shape", "halve", "keep_shown", "plan_for", "plan_run"]

SAMPLE = DatasetShape.even(65_000, 77)  # of the sample chat's size, where there is no dataset yet
MOST_COUNTED = 32
_counted: "OrderedDict[tuple[object, ...], DatasetShape]" = OrderedDict()  # lengths alone, nothing of the chat
_lock = Lock()


def plan_for(dataset_dir: Path, config: TrainingConfig, machine: Machine) -> Plan:
    """How this dataset would be trained on so, without loading the model. Raises ChatError."""
    return resolve(config, machine, dataset_shape(dataset_dir, config), shape_of(config.model))


def keep_shown(shown: Plan | None, now: Plan) -> Plan:
    """The plan that was shown, so that it is what is done; or the one of now, where more than free memory changed."""
    if shown is None or (shown.config, shown.dataset) != (now.config, now.dataset):
        return now
    return (
        keep_within_memory(shown, now.machine, shape_of(now.config.model))
        if now.machine.is_like(shown.machine)
        else now
    )


def dataset_shape(dataset_dir: Path, config: TrainingConfig) -> DatasetShape:
    """The dataset's rows as a plan sees them; an estimate where the model's tokenizer is not on this computer.

    Nothing is fetched for it. Without a dataset: as if it were of the sample's size.
    """
    try:
        found = DatasetFolder(dataset_dir).train.stat()
    except OSError:
        return SAMPLE
    file = (found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size)
    key = (*file, config.model, config.repeat_context, config.learn, config.max_tokens)
    with _lock:
        if key in _counted:
            _counted.move_to_end(key)
            return _counted[key]
    try:
        tokenizer = load_tokenizer(config.model, fetch=False)
    except ChatError:
        return estimate_shape(dataset_dir, config)
    examples = train_examples(dataset_dir, config, tokenizer)
    shape = DatasetShape(tuple(len(example.ids) for example in examples))
    with _lock:
        _counted[key] = shape
        while len(_counted) > MOST_COUNTED:
            _counted.popitem(last=False)
    return shape


def plan_run(run_dir: Path, machine: Machine, prepared: Prepared | None = None) -> Plan:
    """The plan that the run in this folder is trained by on this machine; saved there, and what changed is said.

    The saved plan, where it was made for such a machine. Else a new one, also for a run that is older than plans are.
    Where the system ended the last try for want of memory: with half the batch. Raises ChatError.
    """
    config, saved = read_config(run_dir), read_plan(run_dir)
    shape = shape_of(config.model)

    def counted() -> DatasetShape:
        return (prepared or prepare(RunFolder(run_dir).dataset.path, config)).shape

    if saved is None:
        plan = resolve(config, machine, counted(), shape)
    elif saved.config != config or not machine.is_like(saved.machine) or saved.dataset.estimated:
        plan = replan(saved, config, machine, counted(), shape)
        if plan.optimiser.value != saved.optimiser.value and last_checkpoint(run_dir) is not None:
            raise ChatError(
                f"This run was begun with {saved.optimiser.value}, whose moments {plan.optimiser.value} cannot take "
                "over: go on on a GPU with the settings that it began with, or train anew."
            )
    else:
        plan = keep_within_memory(saved, machine, shape)
    if read_killed(run_dir) == "memory":
        plan = halve_batch(plan, shape)
    write_killed(run_dir, "")
    _save(run_dir, plan, saved)
    return plan


def halve(run_dir: Path, plan: Plan) -> Plan:
    """The plan with half as much at once, saved and said. Raises ChatError where it cannot be halved."""
    smaller = halve_batch(plan, shape_of(plan.config.model))
    _save(run_dir, smaller, plan)
    return smaller


def _save(run_dir: Path, plan: Plan, before: Plan | None) -> None:
    if plan == before:
        write_state(run_dir, message="")
        return
    write_plan(run_dir, plan)
    state = write_state(run_dir, message=plan.changed)
    if plan.changed:
        add_metrics(run_dir, {"step": state.step, "message": plan.changed})
