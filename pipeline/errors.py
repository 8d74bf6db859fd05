"""What went wrong, for the user in one sentence and for the log without a word of anybody's chat."""

from pathlib import Path

__all__ = ["ChatError", "described"]


class ChatError(Exception):
    """Its text is one sentence for the user: what is wrong and what to do. It never quotes a message of the chat."""


def described(error: BaseException, places: int = 5) -> str:
    """The kind of an error and where it was raised, for a log: never what it says, which may hold a chat."""
    trace, found = error.__traceback__, []
    while trace is not None:
        found.append(f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}")
        trace = trace.tb_next
    return f"{type(error).__name__} at {' > '.join(found[-places:]) or 'an unknown place'}"
