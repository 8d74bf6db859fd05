"""Attention for rows that lie end to end in one long sequence: each row sees itself alone, and nothing is padding.

On a GPU one kernel call takes all rows (the memory-efficient kernel, which a T4 has too). On a CPU the rows are taken
one by one. Either way the work grows with the square of a row, not of the whole.
"""

from typing import Any

__all__ = ["ATTENTION", "register_attention"]

ATTENTION = "documents"


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
    groups = query.shape[1] // key.shape[1]
    if query.device.type == "cuda":
        return _attend_cuda(query, key, value, groups, scaling, row_lengths, row_starts), None
    return _attend_rows(query, key, value, groups, scaling, row_lengths), None


def _attend_rows(query: Any, key: Any, value: Any, groups: int, scaling: float | None, lengths: tuple[int, ...]) -> Any:
    import torch
    from torch.nn.functional import scaled_dot_product_attention

    lengths = lengths or (query.shape[2],)
    rows = zip(*(tensor.split(lengths, dim=2) for tensor in (query, key, value)), strict=True)
    attended = [
        scaled_dot_product_attention(q, k, v, is_causal=True, scale=scaling, enable_gqa=groups > 1) for q, k, v in rows
    ]
    return torch.cat(attended, dim=2).transpose(1, 2)


def _attend_cuda(
    query: Any, key: Any, value: Any, groups: int, scaling: float | None, lengths: tuple[int, ...], starts: Any
) -> Any:
    import torch

    q, k, v = (tensor.transpose(1, 2) for tensor in (query, key, value))
    if groups > 1:
        k, v = (tensor.repeat_interleave(groups, dim=2) for tensor in (k, v))
    longest = max(lengths)
    causal_from_top_left = 1
    attended = torch.ops.aten._efficient_attention_forward(
        q, k, v, None, starts, starts, longest, longest, 0.0, causal_from_top_left, True, scale=scaling
    )  # fmt: skip
    return attended[0]
