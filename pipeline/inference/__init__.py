"""A model that answers: a decoder with caches of its own, many conversations at once, shared by requests."""

from pipeline.inference.candidates import candidate_losses, shared_prompt
from pipeline.inference.engine import Engine, LoadedModels, load_engine
from pipeline.inference.generation import GenerationConfig
from pipeline.inference.prefix_cache import PrefixCache
from pipeline.inference.queue import WaitingQueue
from pipeline.inference.reading import Place, Prompts
from pipeline.inference.sampling import sample

__all__ = [
    "Engine",
    "GenerationConfig",
    "LoadedModels",
    "Place",
    "PrefixCache",
    "Prompts",
    "WaitingQueue",
    "candidate_losses",
    "load_engine",
    "sample",
    "shared_prompt",
]
