"""The base models: a short list, the starter model that needs no account, loading one with or without an adapter."""

from pipeline.models.loading import (
    STARTER,
    BaseModelInfo,
    cache_folder,
    load_config,
    load_model,
    load_tokenizer,
    model_list,
    resolve,
    starter_folder,
)

__all__ = [
    "STARTER",
    "BaseModelInfo",
    "cache_folder",
    "load_config",
    "load_model",
    "load_tokenizer",
    "model_list",
    "resolve",
    "starter_folder",
]
