"""Training on Hugging Face Jobs: priced before it starts, in the user's own private repositories, followed as a run."""

from pipeline.jobs.hardware import Estimate, Hardware, estimate, list_hardware
from pipeline.jobs.poll import cancel, poll_job
from pipeline.jobs.submit import DATA_MOUNT, start_job

__all__ = [
    "DATA_MOUNT",
    "Estimate",
    "Hardware",
    "cancel",
    "estimate",
    "list_hardware",
    "poll_job",
    "start_job",
]
