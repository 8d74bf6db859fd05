"""What transformers and bitsandbytes say unasked, kept off whatever the caller shows."""

import logging

__all__ = ["quieten"]


def quieten() -> None:
    """transformers draws a bar for every shard it reads, across whatever the caller shows."""
    from transformers.utils import logging as progress

    progress.disable_progress_bar()
    # bitsandbytes says at its import that it could not fetch a kernel from the Hub, which it was not asked to.
    logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)
