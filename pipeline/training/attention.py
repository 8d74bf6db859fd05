"""Attention for rows that lie end to end in one long sequence: each row sees itself alone, and nothing is padding.

On a GPU one kernel call takes all rows (the memory-efficient kernel, which a T4 has too). On a CPU the rows are taken
one by one; in bfloat16 by plain products of blocks, which such CPUs do about twice as fast as torch's own kernel.
Either way the work grows with the square of a row, not of the whole.
"""

import functools
from typing import Any

from pipeline.compat import attend_packed, softmax_backward

__all__ = ["ATTENTION", "register_attention"]

ATTENTION = "documents"
BLOCK = 128  # queries that are taken together on a CPU in bfloat16: the fastest of 64 to 384, at 120 to 1,000 tokens


def register_attention() -> str:
    """Make the attention known to transformers, under the name that is returned; more than once does no harm."""
    from transformers import AttentionInterface, AttentionMaskInterface

    AttentionInterface.register(ATTENTION, attend)
    AttentionMaskInterface.register(ATTENTION, no_mask)
    return ATTENTION


def no_mask(*_: Any, **__: Any) -> None:
    """Where rows begin and end is told by `row_lengths`, not by a mask."""


def attend(
    module: Any,
    query: Any,
    key: Any,
    value: Any,
    attention_mask: Any,
    scaling: float | None = None,
    row_lengths: tuple[int, ...] = (),
    row_starts: Any = None,
    **_: Any,
) -> tuple[Any, None]:
    """Causal attention within each row. query, key, value: (1, heads, tokens, head_dim); out: (1, tokens, heads, ...).

    row_lengths: tokens of each row, adding up to all. row_starts: their running sums from 0, int32, on the GPU.
    """
    kv_groups = query.shape[1] // key.shape[1]
    if query.device.type == "cuda":
        return _attend_cuda(query, key, value, kv_groups, scaling, row_lengths, row_starts), None
    return _attend_rows(query, key, value, kv_groups, scaling, row_lengths), None


def _attend_rows(
    query: Any, key: Any, value: Any, kv_groups: int, scaling: float | None, lengths: tuple[int, ...]
) -> Any:
    import torch
    from torch.nn.functional import scaled_dot_product_attention

    lengths = lengths or (query.shape[2],)
    rows = zip(*(tensor.split(lengths, dim=2) for tensor in (query, key, value)), strict=True)
    if query.dtype == torch.bfloat16:
        scale = query.shape[-1] ** -0.5 if scaling is None else scaling
        attended = [_blocks().apply(q, k, v, scale) for q, k, v in rows]
    else:
        attended = [
            scaled_dot_product_attention(q, k, v, is_causal=True, scale=scaling, enable_gqa=kv_groups > 1)
            for q, k, v in rows
        ]
    return torch.cat(attended, dim=2).transpose(1, 2)


@functools.cache
def _blocks() -> Any:
    """Causal attention of one row, a block of queries at a time; the weights are kept for the way back."""
    import torch

    class BlockAttention(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, query: Any, key: Any, value: Any, scale: float) -> Any:
            _, heads, tokens, size = query.shape
            shared = heads // key.shape[1]  # query heads that share a key head go through as one
            query = (query * scale).view(key.shape[1], shared, tokens, size)
            key, value = key[0], value[0]
            future = torch.full((BLOCK, BLOCK), float("-inf"), dtype=query.dtype).triu_(1)
            out, kept = torch.empty_like(query), []
            for start, end in _spans(tokens):
                length = end - start
                scores = torch.bmm(query[:, :, start:end].flatten(1, 2), key[:, :end].transpose(1, 2))
                scores.view(-1, shared, length, end)[..., start:].add_(future[:length, :length])
                weights = torch.softmax(scores, -1)
                kept.append(weights)
                out[:, :, start:end] = torch.bmm(weights, value[:, :end]).view(-1, shared, length, size)
            ctx.save_for_backward(query, key, value, *kept)
            ctx.scale = scale
            return out.view(1, heads, tokens, size)

        @staticmethod
        def backward(ctx: Any, gradient: Any) -> Any:
            query, key, value, *kept = ctx.saved_tensors
            gradient = gradient.reshape(query.shape)
            to_query, to_key, to_value = torch.empty_like(query), torch.zeros_like(key), torch.zeros_like(value)
            for weights, (start, end) in zip(kept, _spans(query.shape[2]), strict=True):
                part = gradient[:, :, start:end].flatten(1, 2)
                to_value[:, :end].baddbmm_(weights.transpose(1, 2), part)
                to_weights = torch.bmm(part, value[:, :end].transpose(1, 2))
                to_scores = softmax_backward(to_weights, weights)
                to_query[:, :, start:end] = torch.bmm(to_scores, key[:, :end]).view(query[:, :, start:end].shape)
                to_key[:, :end].baddbmm_(to_scores.transpose(1, 2), query[:, :, start:end].flatten(1, 2))
            return to_query.mul_(ctx.scale).flatten(0, 1)[None], to_key[None], to_value[None], None

    return BlockAttention


def _spans(tokens: int) -> list[tuple[int, int]]:
    return [(start, min(start + BLOCK, tokens)) for start in range(0, tokens, BLOCK)]


def _attend_cuda(
    query: Any, key: Any, value: Any, kv_groups: int, scaling: float | None, lengths: tuple[int, ...], starts: Any
) -> Any:
    q, k, v = (tensor.transpose(1, 2) for tensor in (query, key, value))
    if kv_groups > 1:
        k, v = (tensor.repeat_interleave(kv_groups, dim=2) for tensor in (k, v))
    return attend_packed(q, k, v, starts, max(lengths), scaling)
