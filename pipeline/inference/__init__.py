"""A model that answers: a decoder with caches of its own, many conversations at once, shared by requests."""

from pipeline.inference.engine import Engine, LoadedModels, load_engine
from pipeline.inference.generation import GenerationConfig
from pipeline.inference.prefix_cache import PrefixCache
from pipeline.inference.queue import WaitingQueue

__all__ = ["Engine", "GenerationConfig", "LoadedModels", "PrefixCache", "WaitingQueue", "load_engine"]
