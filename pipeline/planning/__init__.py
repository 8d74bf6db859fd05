"""What will be trained, and what it needs: worked out once, before anything is loaded."""

from pipeline.planning.config import RECIPES, TrainingConfig
from pipeline.planning.forecast import Forecast, Part, forecast
from pipeline.planning.packing import count_steps, pack_padded, pack_steps
from pipeline.planning.plan import Choice, DatasetShape, DatasetSize, Plan
from pipeline.planning.recipe import DEFAULT_RANK, choose_dtype, choose_processes, longest_row
from pipeline.planning.resolve import halve_batch, keep_within_memory, replan, resolve
from pipeline.planning.shapes import ModelShape, linear_layers, lora_parameters, non_text_modules, shape_of

__all__ = [
    "DEFAULT_RANK",
    "RECIPES",
    "Choice",
    "DatasetShape",
    "DatasetSize",
    "Forecast",
    "ModelShape",
    "Part",
    "Plan",
    "TrainingConfig",
    "choose_dtype",
    "choose_processes",
    "count_steps",
    "forecast",
    "halve_batch",
    "keep_within_memory",
    "linear_layers",
    "longest_row",
    "lora_parameters",
    "non_text_modules",
    "pack_padded",
    "pack_steps",
    "replan",
    "resolve",
    "shape_of",
]
