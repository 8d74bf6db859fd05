"""One message, several who answer: replies that grow side by side."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from pipeline.chat.twin import PartialReply, Twin, stream
from pipeline.prompt import Message

__all__ = ["stream_side_by_side"]


def stream_side_by_side(
    twins: Mapping[str, Twin],
    history: Sequence[Message],
    *,
    now: datetime | None = None,
) -> Iterator[dict[str, PartialReply]]:
    """What each has written so far, every time one has written more; each samples as suits it. Raises ChatError."""
    growing = {name: stream(twin, history, now=now) for name, twin in twins.items()}
    replies = {name: PartialReply("") for name in twins}
    while growing:
        for name in list(growing):
            reply = next(growing[name], None)
            if reply is None:
                del growing[name]
            else:
                replies[name] = reply
        yield dict(replies)
