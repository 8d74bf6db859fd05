"""What this machine is, and what it costs."""

from pipeline.machine.hardware import (
    T4,
    T4_GIB,
    Device,
    Machine,
    act_as_t4,
    available_cores,
    memory_kills,
    probe_machine,
    share_cores,
    this_machine,
)
from pipeline.machine.prices import price_per_hour

__all__ = [
    "T4",
    "T4_GIB",
    "Device",
    "Machine",
    "act_as_t4",
    "available_cores",
    "memory_kills",
    "price_per_hour",
    "probe_machine",
    "share_cores",
    "this_machine",
]
