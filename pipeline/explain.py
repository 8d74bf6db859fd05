"""What training does to numbers, shown on numbers at hand: the bits of a format, weights in few bits, thin matrices."""

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pipeline.errors import ChatError
from pipeline.models import STARTER, AdapterFolder, name_or_path

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Weights = NDArray[np.float32]

__all__ = [
    "FLOATS",
    "NF4",
    "NF4_BLOCK",
    "FloatBits",
    "FloatKind",
    "Matrix",
    "WeightFormat",
    "compare_formats",
    "energy_by_rank",
    "float_bits",
    "learned_change",
    "matrix_names",
    "quantise",
    "read_matrix",
]

FloatKind = Literal["fp32", "fp16", "bf16"]
FLOATS: dict[FloatKind, tuple[int, int]] = {"fp32": (8, 23), "fp16": (5, 10), "bf16": (8, 7)}  # exponent, fraction bits

# The 16 values of NormalFloat4: quantiles of a normal distribution, scaled to [-1, 1] (Dettmers et al., QLoRA, 2023).
NF4 = (
    -1.0, -0.6961928, -0.52507305, -0.3949175, -0.28444138, -0.18477343, -0.09105004, 0.0,
    0.0795803, 0.1609302, 0.2461123, 0.33791524, 0.44070983, 0.562617, 0.72295684, 1.0,
)  # fmt: skip
NF4_BLOCK = 64  # weights that share a scale
SCALES_BLOCK = 256  # scales that share a scale of their own, with double quantisation

PROJECTIONS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


@dataclass(frozen=True)
class FloatBits:
    """A number as a format keeps it: bits as text, and the value that they stand for.

    A finite value is (-1)^sign * significand * 2^power.
    """

    sign: str
    exponent: str
    fraction: str
    value: float
    power: int
    significand: float


def float_bits(number: float, kind: FloatKind) -> FloatBits:
    """How `number` is kept, rounded to nearest, ties to even; too large for the format becomes infinity."""
    if kind == "fp16":
        try:
            raw = struct.unpack(">H", struct.pack(">e", number))[0]
        except OverflowError:
            raw = 0xFC00 if number < 0 else 0x7C00
        value, width = struct.unpack(">e", raw.to_bytes(2, "big"))[0], 16
    else:
        try:
            raw = struct.unpack(">I", struct.pack(">f", number))[0]
        except OverflowError:
            raw = 0xFF800000 if number < 0 else 0x7F800000
        if kind == "bf16" and number == number:  # the upper half of a float32, rounded
            raw = (raw + 0x7FFF + (raw >> 16 & 1)) >> 16 << 16
        value, width = struct.unpack(">f", raw.to_bytes(4, "big"))[0], 32
    exponent, fraction = FLOATS[kind]
    bits = f"{raw:0{width}b}"[: 1 + exponent + fraction]
    sign, power, rest = bits[0], bits[1 : 1 + exponent], bits[1 + exponent :]
    bias, share = 2 ** (exponent - 1) - 1, int(rest, 2) / 2**fraction
    if int(power, 2) == 0:  # below the smallest normal number: no hidden one before the fraction
        return FloatBits(sign, power, rest, float(value), 1 - bias, share)
    return FloatBits(sign, power, rest, float(value), int(power, 2) - bias, 1 + share)


def quantise(values: "Sequence[float] | Weights", kind: Literal["uint8", "even4", "nf4"]) -> "tuple[Any, Any]":
    """(codes, what they stand for), as flat arrays.

    uint8: 256 even steps from the least value to the most. even4, nf4: blocks of 64 that share a scale, their largest
    magnitude; within it 15 even steps, or the 16 of NormalFloat4. A value takes the nearest.
    """
    import numpy as np

    flat = np.asarray(values, dtype=np.float64).ravel()
    if kind == "uint8":
        low = flat.min()
        step = (flat.max() - low) / 255 or 1.0
        codes = np.rint((flat - low) / step).astype(np.uint8)
        return codes, low + codes * step
    levels = np.array(NF4) if kind == "nf4" else np.arange(-7, 8) / 7
    scales = _scales(flat).repeat(NF4_BLOCK)[: flat.size]
    middles = (levels[1:] + levels[:-1]) / 2
    codes = np.searchsorted(middles, flat / scales).astype(np.uint8)
    return codes, levels[codes] * scales


def _scales(flat: Any) -> Any:
    """The largest magnitude of each block of 64 (1 where all are zero)."""
    import numpy as np

    blocks = np.abs(np.pad(flat, (0, -flat.size % NF4_BLOCK))).reshape(-1, NF4_BLOCK).max(axis=1)
    return np.where(blocks == 0, 1.0, blocks)


@dataclass(frozen=True)
class WeightFormat:
    """A way to keep weights and what it costs. bits: a weight, its share of scales included.

    error: root mean square of what is lost, as a share of the weights' own. worst: the largest loss of one weight.
    """

    name: str
    bits: float
    error: float
    worst: float


def compare_formats(values: "Weights") -> list[WeightFormat]:
    """A matrix kept in 16, 8 and 4 bits; the last is what QLoRA trains on (bitsandbytes does it, scales and all)."""
    import torch
    from bitsandbytes.functional import dequantize_4bit, quantize_4bit

    exact = torch.from_numpy(values).float()
    packed = quantize_4bit(exact, blocksize=NF4_BLOCK, compress_statistics=True, quant_type="nf4")
    scale, own = 32 / NF4_BLOCK, 8 / NF4_BLOCK + 32 / (NF4_BLOCK * SCALES_BLOCK)
    return [
        _measure("BF16", 16, exact, exact.bfloat16()),
        _measure("UINT8, from least to most", 8, exact, quantise(values, "uint8")[1]),
        _measure("4 bits, even steps", 4 + scale, exact, quantise(values, "even4")[1]),
        _measure("NF4", 4 + scale, exact, quantise(values, "nf4")[1]),
        _measure("NF4, scales in 8 bits too", 4 + own, exact, dequantize_4bit(*packed)),
    ]


def _measure(name: str, bits: float, exact: Any, back: Any) -> WeightFormat:
    import torch

    lost = torch.as_tensor(back).reshape(exact.shape).double() - exact.double()
    return WeightFormat(name, bits, float(lost.norm() / exact.double().norm()), float(lost.abs().max()))


@dataclass(frozen=True)
class Matrix:
    """A weight matrix of a model on this computer. values: (out, in), float32; `model` is whose it is."""

    model: str
    layer: int
    projection: str
    values: "Weights"


def matrix_names() -> tuple[str, ...]:
    """The linear layers whose weights can be looked at, named as in the models."""
    return PROJECTIONS


def read_matrix(model: str, projection: str) -> Matrix:
    """The named matrix of the model's middle layer; of the starter model where the model is not on this computer."""
    for name in (model, STARTER):
        folder = _folder(name)
        found = _stored(folder, projection) if folder else []
        if found:
            layer, path, key = found[len(found) // 2]
            return Matrix(name, layer, projection, _load(path, key))
    raise ChatError("No model is on this computer yet whose weights could be shown: train once, or choose the starter.")


def _folder(model: str) -> Path | None:
    if model == STARTER or Path(model).expanduser().is_dir():
        return Path(name_or_path(model))
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(model, local_files_only=True))
    except (OSError, ValueError):  # not fetched yet, or no name of a model
        return None


def _stored(folder: Path, projection: str) -> list[tuple[int, Path, str]]:
    """(layer, file, key) of the projection in each layer, first to last."""
    from safetensors import safe_open

    found = []
    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(path, framework="pt") as file:
            for key in file.keys():  # noqa: SIM118  (a file is no dict)
                parts = key.split(".")
                if parts[-2:] == [projection, "weight"] and "layers" in parts:
                    found.append((int(parts[parts.index("layers") + 1]), path, key))
    return sorted(found)


def _load(path: Path, key: str) -> "Weights":
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        values: Weights = file.get_tensor(key).float().numpy()
    return values


def energy_by_rank(values: "Weights", ranks: Sequence[int]) -> list[float]:
    """How much of a matrix the best product of two thin ones of each rank carries, as a share of its squared size."""
    import numpy as np

    squares = np.linalg.svd(values.astype(np.float64), compute_uv=False) ** 2
    total = squares.sum()
    return [float(squares[:rank].sum() / total) for rank in ranks]


def learned_change(adapter: Path, matrix: Matrix) -> float | None:
    """Size of what an adapter adds to the matrix, as a share of the matrix's own; None where it leaves it alone."""
    import json

    import torch
    from safetensors.torch import load_file

    folder = AdapterFolder(adapter)
    config = json.loads(folder.settings.read_text("utf-8"))
    wanted = f".layers.{matrix.layer}."
    factors = {
        side: tensor.double()
        for name, tensor in load_file(folder.weights).items()
        for side in ("lora_A", "lora_B")
        if wanted in name and f".{matrix.projection}.{side}" in name
    }
    if len(factors) < 2:
        return None
    scale = config["lora_alpha"] / (math.sqrt(config["r"]) if config.get("use_rslora") else config["r"])
    change = scale * factors["lora_B"] @ factors["lora_A"]
    own = torch.from_numpy(matrix.values).double()
    return float(change.norm() / own.norm()) if change.shape == own.shape else None
