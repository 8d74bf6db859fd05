"""Adapter to replies: prompts as in training, streamed, one bubble after the other."""

from pipeline.chat.cache import KeptConversations
from pipeline.chat.engine import Engine, LoadedModels, load_engine
from pipeline.chat.generation import GenerationConfig
from pipeline.chat.line import Line
from pipeline.chat.rhythm import Pace
from pipeline.chat.side_by_side import stream_side_by_side
from pipeline.chat.twin import Ended, Piece, Twin, load_twin, prompt_messages, stream

__all__ = [
    "Ended",
    "Engine",
    "GenerationConfig",
    "KeptConversations",
    "Line",
    "LoadedModels",
    "Pace",
    "Piece",
    "Twin",
    "load_engine",
    "load_twin",
    "prompt_messages",
    "stream",
    "stream_side_by_side",
]
