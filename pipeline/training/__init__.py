"""From a dataset and a base model to an adapter: one process, one line of metrics a step."""

from pipeline.training.plans import dataset_shape, keep_shown, plan_for
from pipeline.training.worker import train

__all__ = ["dataset_shape", "keep_shown", "plan_for", "train"]
