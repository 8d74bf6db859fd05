"""A base model by its name or folder: its configuration, its tokenizer, its weights with or without an adapter."""

from pathlib import Path
from typing import Any

from pipeline.compat import causal_classes, load_adapter, quieten, split_weights
from pipeline.errors import ChatError
from pipeline.models.catalogue import STARTER
from pipeline.models.starter import starter_folder

__all__ = ["load_config", "load_model", "load_tokenizer", "name_or_path"]


def name_or_path(model: str) -> str:
    """What transformers should be given for `model`: the starter's folder, a local folder's path, or the Hub id."""
    if model == STARTER:
        return str(starter_folder())
    if Path(model).expanduser().is_dir():
        return str(Path(model).expanduser())
    return model


def load_config(model: str) -> Any:
    """The configuration of a model that continues text. Raises ChatError where it is of another kind."""
    from transformers import AutoConfig

    try:
        config = AutoConfig.from_pretrained(name_or_path(model), trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise _unreadable(model, error) from error
    # BERT and its like have a causal class, too, but were not trained with it.
    trained, known = config.architectures or ["CausalLM"], causal_classes()
    causal = any("CausalLM" in name or "LMHead" in name or name in known.values() for name in trained)
    if config.model_type not in known or config.is_encoder_decoder or not causal:
        raise ChatError(
            f"The model {model} ({config.model_type}) does not continue a text, so it cannot chat: choose a causal "
            "language model."
        )
    if getattr(config, "quantization_config", None):
        raise ChatError(
            f"The weights of {model} are quantised already: choose the same model in 16 bits, which is packed into 4 "
            "bits here where memory needs it."
        )
    return config


def load_tokenizer(model: str, *, fetch: bool = True) -> Any:
    """The model's tokenizer, with an end token and a padding token. Raises ChatError.

    fetch: from the Hub, where it is not on this computer.
    Base models have no chat template: `prompt.read_template` gives them a plain one.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(
            name_or_path(model), trust_remote_code=False, local_files_only=not fetch
        )
    except (OSError, ValueError) as error:
        raise _unreadable(model, error) from error
    if tokenizer.eos_token is None:
        raise ChatError(f"The model {model} names no end-of-text token, so replies could not end: choose another.")
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def load_model(
    model: str,
    *,
    dtype: Any = None,
    quantise: bool = False,
    adapter: Path | None = None,
    merge: bool = False,
    device: str | int | None = None,
    attention: str | None = None,
    shards: int = 1,
) -> Any:
    """A causal language model, on `device` (default: the CPU, or the first GPU), in evaluation mode.

    dtype: a torch dtype (default float32 on a CPU, float16 on a GPU). quantise: NF4 with double quantisation, and a
    check that the linear layers really are 4-bit. adapter: a PEFT folder, kept beside the weights or (merge) folded in.
    attention: transformers' name for it (default: the fastest that the model has).
    shards: with several processes, split the weights over so many (FSDP); each reads and keeps its own part.
    """
    import torch
    from transformers import AutoModelForCausalLM

    quieten()
    if device is None:
        device = 0 if torch.cuda.is_available() else "cpu"
    if dtype is None:
        dtype = torch.float32 if str(device) == "cpu" else torch.float16
    options: dict[str, Any] = {"dtype": dtype, "device_map": {"": device}, "trust_remote_code": False}
    if attention is not None:
        options["attn_implementation"] = attention
    if quantise:
        options["quantization_config"] = _nf4(dtype)
    if shards > 1:
        del options["device_map"]
        options |= split_weights(shards)
    try:
        loaded = AutoModelForCausalLM.from_pretrained(name_or_path(model), **options)
    except (OSError, ValueError) as error:
        raise _unreadable(model, error) from error
    if quantise:
        _require_4bit(loaded)
    if adapter is not None:
        loaded = load_adapter(loaded, adapter)
        if merge:
            loaded = loaded.merge_and_unload()
    return loaded.eval()


def _nf4(dtype: Any) -> Any:
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=dtype
    )


def _require_4bit(model: Any) -> None:
    """A quantisation setting that silently fails to arrive costs three times the memory: look at the layers."""
    import torch
    from bitsandbytes.nn import Linear4bit

    head = model.get_output_embeddings()  # stays as it is, whatever it is called
    plain = [
        name
        for name, layer in model.named_modules()
        if isinstance(layer, torch.nn.Linear) and not isinstance(layer, Linear4bit) and layer is not head
    ]
    if plain:
        raise RuntimeError(f"{len(plain)} linear layers are not 4-bit although 4-bit was asked for, {plain[0]} first")


def _unreadable(model: str, error: Exception) -> ChatError:
    if "trust_remote_code" in str(error):
        return ChatError(f"The model {model} brings Python code of its own, which is not run here: choose another.")
    if "does not recognize this architecture" in str(error):
        return ChatError(
            f"The model {model} is of a kind that this version of transformers does not know: update transformers, or "
            "choose another model."
        )
    where = "this folder holds no model" if Path(model).expanduser().is_dir() else "the Hub did not give it"
    return ChatError(
        f"The model {model} could not be loaded ({where}): check its name, accept its licence on the Hub and sign in "
        'if it is gated, or use "starter".'
    )
