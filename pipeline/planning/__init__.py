"""What will be trained, and what it needs: worked out once, before anything is loaded."""

from pipeline.planning.config import RECIPES, TrainingConfig, choose_epochs, choose_learning_rate, choose_rank
from pipeline.planning.forecast import UNLISTED, Forecast, Part, forecast, shape_of, trainable
from pipeline.planning.packing import choose_rows, room_for
from pipeline.planning.plan import (
    count_parameters,
    forecast_for,
    parameters_of,
    plan_for,
    plan_shape,
    planned_tokens_per_batch,
    settle,
    shards_for,
    splits_weights,
    with_rows,
)

__all__ = [
    "RECIPES",
    "UNLISTED",
    "Forecast",
    "Part",
    "TrainingConfig",
    "choose_epochs",
    "choose_learning_rate",
    "choose_rank",
    "choose_rows",
    "count_parameters",
    "forecast",
    "forecast_for",
    "parameters_of",
    "plan_for",
    "plan_shape",
    "planned_tokens_per_batch",
    "room_for",
    "settle",
    "shape_of",
    "shards_for",
    "splits_weights",
    "trainable",
    "with_rows",
]
