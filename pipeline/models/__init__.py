"""The base models: a short list, the starter model that needs no account, loading one with or without an adapter."""

from pipeline.models.adapter import AdapterFolder
from pipeline.models.catalogue import STARTER, BaseModelInfo, DecoderSizes, model_list
from pipeline.models.loading import load_config, load_model, load_tokenizer, name_or_path
from pipeline.models.starter import cache_folder, starter_folder, starter_is_here

__all__ = [
    "STARTER",
    "AdapterFolder",
    "BaseModelInfo",
    "DecoderSizes",
    "cache_folder",
    "load_config",
    "load_model",
    "load_tokenizer",
    "model_list",
    "name_or_path",
    "starter_folder",
    "starter_is_here",
]
