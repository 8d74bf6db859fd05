"""From a dataset and a base model to an adapter: one process, one line of metrics a step."""

from pipeline.training.worker import train

__all__ = ["train"]
