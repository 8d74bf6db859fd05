"""Adapter to replies: prompts as in training, streamed, one bubble after the other."""

from pipeline.chat.conversation import (
    BASE,
    Conversation,
    delete_conversation,
    exchange_conversation,
    read_conversation,
    user_turn,
    write_conversation,
)
from pipeline.chat.rhythm import Pace
from pipeline.chat.side_by_side import stream_side_by_side
from pipeline.chat.stop_sequences import StopSequences, is_repeating
from pipeline.chat.twin import (
    FinishReason,
    Kind,
    PartialReply,
    Twin,
    load_twin,
    prompt_budget,
    prompt_messages,
    read_generation,
    read_model,
    stream,
    with_instruction,
)

__all__ = [
    "BASE",
    "Conversation",
    "FinishReason",
    "Kind",
    "Pace",
    "PartialReply",
    "StopSequences",
    "Twin",
    "delete_conversation",
    "exchange_conversation",
    "is_repeating",
    "load_twin",
    "prompt_budget",
    "prompt_messages",
    "read_conversation",
    "read_generation",
    "read_model",
    "stream",
    "stream_side_by_side",
    "user_turn",
    "with_instruction",
    "write_conversation",
]
