"""A model that answers: a decoder with caches of its own, many conversations at once, shared by requests."""

from pipeline.inference.engine import Engine, LoadedModels, load_engine
from pipeline.inference.generation import GenerationConfig
from pipeline.inference.prefix_cache import KeptConversations
from pipeline.inference.queue import Line

__all__ = ["Engine", "GenerationConfig", "KeptConversations", "Line", "LoadedModels", "load_engine"]
