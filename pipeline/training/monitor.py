"""What happens beside the steps: metrics, validation, the best adapter, checkpoints, and being told to stop."""

import json
import math
import shutil
import time
from collections import deque
from pathlib import Path
from typing import Any

from pipeline.errors import ChatError
from pipeline.planning import Plan
from pipeline.runs import (
    RunFolder,
    RunState,
    add_metrics,
    cut_metrics,
    metrics_lines,
    read_control,
    read_state,
    write_control,
    write_state,
)
from pipeline.store import limits, replace_text
from pipeline.training.trackio_log import TrackioProject
from pipeline.training.trainer import Batches, adapter_weights, held_out_loss

__all__ = ["RunMonitor", "make_callback"]

NO_BETTER = (
    "It learned nothing that helps on the held-out replies: their loss never fell below where it began. "
    "Use more replies, fewer epochs or a lower rate."
)
NO_NUMBER = "The loss became NaN (no number) at step {step}, so the training was ended"
NO_NUMBER_AT_ALL = (
    "The loss is NaN (no number) before the first step: compute in BF16 or FP32, or choose another model."
)


class RunMonitor:
    """Watches one run. Of several processes all validate and obey alike, and the first alone writes."""

    def __init__(self, run_dir: Path, plan: Plan, held_out: Batches | None, began: float) -> None:
        """began: when this process began with the run, by time.monotonic()."""
        self.run_dir = run_dir
        self.plan, self.config, self.steps = plan, plan.config, plan.steps
        self.held_out = held_out
        count = min(plan.config.validations, plan.steps)
        self.validate_at = {round(plan.steps * (i + 1) / count) for i in range(count)}
        self.base_loss: float | None = None
        self.best_loss: float | None = None
        self.best_step: int | None = None
        self.last_validated = 0
        self.without_progress = 0
        self.outcome = "done"
        self.message = ""
        self.broken_at: int | None = None  # the step at which the loss became NaN: the weights are lost from there on
        self.step_seconds: deque[float] = deque(maxlen=20)
        self.validation_seconds = 0.0
        self.step_began = self.saved_at = time.monotonic()
        self.tokens_before = 0
        self.began, self.seconds_before = began, (read_state(run_dir) or RunState()).seconds
        self.trainer: Any = None
        self.tracked: TrackioProject | None = None

    def attach(self, trainer: Any) -> None:
        """Give the monitor its trainer, which needs the monitor's callback to be made."""
        self.trainer = trainer

    @property
    def writes(self) -> bool:
        return bool(self.trainer.accelerator.is_main_process)

    def begin(self, checkpoint: Path | None) -> None:
        """Go back to where a checkpoint was, or take the held-out loss before the first step."""
        if checkpoint is None:
            self.base_loss = self._held_out()
            if self.base_loss is not None and not math.isfinite(self.base_loss):
                raise ChatError(NO_NUMBER_AT_ALL)
            if self.writes:
                cut_metrics(self.run_dir, -1)
                self._begin_tracking()
                self._record({"step": 0, "epoch": 0.0, "validation_loss": self.base_loss})
                self._write_state(step=0, base_validation_loss=self.base_loss)
        else:
            kept = json.loads(RunFolder.whole(checkpoint).read_text("utf-8"))
            for name, value in kept.items():
                setattr(self, name, value)
            if self.writes:
                cut_metrics(self.run_dir, int(checkpoint.name.split("-")[1]))
                self._begin_tracking()
        self.step_began = self.saved_at = time.monotonic()

    def after_step(self, step: int, control: Any) -> None:
        """Validate, stop or save where it is time to."""
        now = time.monotonic()
        self.step_seconds.append(now - self.step_began)
        if step in self.validate_at:
            self._validate(step)
        request = self._agreed(self._ending(now), now - self.saved_at >= self.config.checkpoint_seconds)
        if request[0] == "broken":
            self._end_broken(step)
        elif request[0] == "time":
            self.outcome, self.message = "stopped", str(limits().training_seconds)
        elif request[0] == "stop":
            self.outcome, self.message = "stopped", "Stopped as asked; the best adapter so far was kept."
        elif request[0] == "pause":
            self.outcome, self.message = "paused", "Paused; it can go on from here."
        elif self.without_progress >= self.config.patience and step < self.steps:
            self.message = "Stopped early: the held-out loss no longer fell."
        if request[0] or (self.message and step < self.steps):
            control.should_training_stop = True
        if (request[1] and request[0] != "broken") or request[0] == "pause":
            control.should_save = True
        self.step_began = time.monotonic()

    def _ending(self, now: float) -> str:
        """Why to end here: what was asked for, or what happened; nothing to go on."""
        if self.broken_at is not None:
            return "broken"
        if not limits().training_seconds.allows(self.seconds_before + now - self.began):
            return "time"
        return read_control(self.run_dir)

    def _end_broken(self, step: int) -> None:
        """End a run whose loss is no number any more, with the best adapter where there is one."""
        kept = self.best_step is not None
        self.outcome = "stopped" if kept else "failed"
        what = "; the best so far was kept" if kept else ""
        at = step if self.broken_at is None else self.broken_at
        self.message = f"{NO_NUMBER.format(step=at)}{what}. Train again with a lower learning rate, or in BF16 or FP32."
        self.last_validated = self.steps  # what the weights are now is not worth a look

    def saved(self, step: int) -> None:
        """Mark the checkpoint of this step as whole, with what the monitor knows."""
        self.saved_at = self.step_began = time.monotonic()
        if self.writes:
            names = ("base_loss", "best_loss", "best_step", "last_validated", "without_progress")
            folder = RunFolder(self.run_dir)
            replace_text(
                folder.whole(folder.checkpoint(step)), json.dumps({name: getattr(self, name) for name in names})
            )

    def log(self, step: int, logs: dict[str, Any]) -> None:
        """One line of metrics, and the state."""
        if "loss" in logs and not math.isfinite(logs["loss"]) and self.broken_at is None:
            self.broken_at = step
        if not self.writes or "loss" not in logs:
            return
        self._record(
            {
                "step": step,
                "epoch": self._times_seen(step),
                "loss": logs["loss"],
                "learning_rate": logs.get("learning_rate"),
                "tokens_per_second": self._tokens_per_second(),
                "memory_gib": used_memory(),
                "seconds_left": self._seconds_left(step),
            }
        )
        self._write_state(step=step)

    def finish(self) -> None:
        """After the last step: make sure an adapter is there, and say how the run ended."""
        step = self.trainer.state.global_step
        if self.outcome != "paused" and self.last_validated < step:
            self._validate(step)
        if self._agreed("" if self.broken_at is None else "broken", False)[0] and self.outcome != "failed":
            self._end_broken(step)
        if self.best_loss is not None and self.base_loss is not None and self.best_loss >= self.base_loss:
            self.message = f"{self.message} {NO_BETTER}".strip()
        if self.tracked is not None:
            self.tracked.close()
        peaks = self._each(used_memory())
        if self.writes:
            if self.outcome == "done":
                shutil.rmtree(RunFolder(self.run_dir).checkpoints, ignore_errors=True)
            self._write_state(status=self.outcome, step=step, message=self.message, peak_gib=peaks)
            write_control(self.run_dir, "")  # here, and not at the start: a request may come while the model loads

    def _begin_tracking(self) -> None:
        if self.config.trackio:
            settings = self.plan.settled.model_dump(mode="json", exclude={"trackio"})
            self.tracked = TrackioProject(self.run_dir, settings, metrics_lines(self.run_dir))

    def _record(self, line: dict[str, Any]) -> None:
        """A line of metrics, to all who follow."""
        add_metrics(self.run_dir, line)
        if self.tracked is not None:
            self.tracked.add(line)

    def _write_state(self, **changes: Any) -> None:
        write_state(self.run_dir, seconds=round(self.seconds_before + time.monotonic() - self.began, 1), **changes)

    def _times_seen(self, step: int) -> float:
        """How often each reply has been learned from; to the trainer the whole run is one epoch."""
        return step / self.steps * self.plan.epochs.value

    def _validate(self, step: int) -> None:
        loss = self._held_out()
        self.last_validated = step
        if loss is not None and not math.isfinite(loss):
            self.broken_at = step if self.broken_at is None else self.broken_at
            return
        better = loss is None or self.best_loss is None or loss < self.best_loss
        self.without_progress = 0 if better else self.without_progress + 1
        if better:
            self.best_loss, self.best_step = loss, step
        if not self.writes:
            return
        if better:
            self._keep_adapter()
        if loss is not None:
            self._record({"step": step, "epoch": self._times_seen(step), "validation_loss": loss})
        self._write_state(step=step, best_step=self.best_step, best_validation_loss=self.best_loss)

    def _held_out(self) -> float | None:
        if self.held_out is None:
            return None
        began = time.monotonic()
        loss = held_out_loss(self.trainer, self.held_out)
        self.validation_seconds = time.monotonic() - began
        return loss

    def _keep_adapter(self) -> None:
        """Put the adapter in its place whole: written beside it, then renamed."""
        scratch = self.run_dir / ".adapter-new"
        shutil.rmtree(scratch, ignore_errors=True)
        model = self.trainer.accelerator.unwrap_model(self.trainer.model)
        model.save_pretrained(str(scratch), state_dict=adapter_weights(model))
        RunFolder(self.run_dir).replace_adapter(scratch)

    def _agreed(self, request: str, save: bool) -> tuple[str, bool]:
        """The first process's request and clock, for all: they must take the same turn."""
        if self.trainer.accelerator.num_processes == 1:
            return request, save
        from accelerate.utils import broadcast_object_list

        said: list[Any] = [request, save]
        broadcast_object_list(said)
        return said[0], said[1]

    def _each(self, value: float) -> tuple[float, ...]:
        """What each process says, in order of their ranks."""
        from accelerate.utils import gather_object

        return tuple(gather_object([value]))

    def _tokens_per_second(self) -> float | None:
        seen, self.tokens_before = self.trainer.tokens_seen - self.tokens_before, self.trainer.tokens_seen
        taken = sum(list(self.step_seconds)[-self.config.logging_steps :])
        return round(seen * self.trainer.accelerator.num_processes / taken, 1) if taken else None

    def _seconds_left(self, step: int) -> float:
        pace = sum(self.step_seconds) / max(len(self.step_seconds), 1)
        validations = sum(at > step for at in self.validate_at)
        return round((self.steps - step) * pace + validations * self.validation_seconds, 1)


def used_memory() -> float:
    """GiB at the peak: of the GPU where there is one, else of this process now."""
    import torch

    if torch.cuda.is_available():
        return round(torch.cuda.max_memory_reserved() / 2**30, 3)
    import psutil

    return float(round(psutil.Process().memory_info().rss / 2**30, 3))


def make_callback(monitor: RunMonitor) -> Any:
    """The trainer's events, passed on to the monitor."""
    from transformers import TrainerCallback

    class MonitorCallback(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            monitor.after_step(state.global_step, control)

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            monitor.log(state.global_step, logs or {})

        def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            monitor.saved(state.global_step)

    return MonitorCallback()
