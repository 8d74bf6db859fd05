"""From a dataset and a base model to an adapter: one process, one line of metrics a step."""

from pipeline.training.config import RECIPES, TrainingConfig, choose_epochs, choose_learning_rate, choose_rank
from pipeline.training.state import RunState, Status, read_state
from pipeline.training.worker import train

__all__ = [
    "RECIPES",
    "RunState",
    "Status",
    "TrainingConfig",
    "choose_epochs",
    "choose_learning_rate",
    "choose_rank",
    "read_state",
    "train",
]
