"""What this machine is, and what it costs."""

from pipeline.machine.hardware import (
    T4,
    T4_GIB,
    Choice,
    Device,
    Machine,
    Plan,
    act_as_t4,
    choose_checkpointing,
    memory_kills,
    plan_training,
    share_cores,
    this_machine,
)
from pipeline.machine.prices import price_per_hour

__all__ = [
    "T4",
    "T4_GIB",
    "Choice",
    "Device",
    "Machine",
    "Plan",
    "act_as_t4",
    "choose_checkpointing",
    "memory_kills",
    "plan_training",
    "price_per_hour",
    "share_cores",
    "this_machine",
]
