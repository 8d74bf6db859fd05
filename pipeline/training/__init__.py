"""From a dataset and a base model to an adapter: one process, one line of metrics a step."""

from pipeline.training.data import without_repeats
from pipeline.training.plans import dataset_shape, keep_shown, plan_for
from pipeline.training.trackio_log import dashboard_command
from pipeline.training.worker import train

__all__ = ["dashboard_command", "dataset_shape", "keep_shown", "plan_for", "train", "without_repeats"]
