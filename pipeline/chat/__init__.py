"""Adapter to replies: prompts as in training, streamed, one bubble after the other."""

from pipeline.chat.rhythm import Pace
from pipeline.chat.side_by_side import stream_side_by_side
from pipeline.chat.twin import FinishReason, PartialReply, Twin, load_twin, prompt_messages, stream

__all__ = [
    "FinishReason",
    "Pace",
    "PartialReply",
    "Twin",
    "load_twin",
    "prompt_messages",
    "stream",
    "stream_side_by_side",
]
