"""What can go wrong with Jobs, each in a sentence."""

from collections.abc import Callable
from typing import TypeVar

from pipeline.hub import ask_hub

__all__ = ["ask_jobs"]

Answer = TypeVar("Answer")

SENTENCES = {
    0: "The connection to Hugging Face broke. A job that has started goes on; try again.",
    400: "Hugging Face did not accept this job: choose other hardware or another time.",
    401: "The Hub does not know this token: sign in again, then try again.",
    402: "This account has no credit for Jobs: add some in its billing settings on Hugging Face, then try again.",
    403: "This token may not run jobs or make repositories: give it both rights in your Hub settings, then try again.",
    404: "Hugging Face does not know {what} any more. What it sent before is kept here.",
    409: "There is something of this name already: try again.",
    429: "Hugging Face asks to slow down: wait a few minutes, then try again.",
    500: "Hugging Face has a fault of its own ({status}). A job that has started goes on; try again later.",
}


def ask_jobs(what: str, call: Callable[[], Answer]) -> Answer:
    """What `call` returns; what the Hub's client raises in it becomes a ChatError about `what`."""
    return ask_hub(what, call, SENTENCES)
