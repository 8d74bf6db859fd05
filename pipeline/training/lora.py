"""A LoRA layer in few kernels: the frozen product and the thin one in one step, everything in the computing dtype.

PEFT's layer casts its input to the adapter's float32 and back, and keeps both for the backward pass. Here the adapter's
thin matrices are cast instead, the input is kept once, and a 4-bit weight is unpacked again when the gradient needs it.
Values and gradients are PEFT's, up to rounding.
"""

from types import MethodType
from typing import Any

from pipeline.compat import dequantise, is_plain_lora, lora_parts

__all__ = ["fuse_lora"]


def fuse_lora(model: Any) -> int:
    """Give every plain LoRA layer of a PEFT model the fused forward; returns how many there were.

    Layers with dropout, DoRA, several adapters or other variants keep PEFT's.
    """
    function = _function()
    fused = 0
    for layer in model.modules():
        if is_plain_lora(layer):
            layer.forward = MethodType(_forward(function), layer)
            fused += 1
    return fused


def _forward(function: Any) -> Any:
    def forward(layer: Any, x: Any) -> Any:
        base = layer.get_base_layer()
        if layer.disable_adapters or layer.merged:
            return base(x)
        return function.apply(x, base.weight, base.bias, *lora_parts(layer))

    return forward


def _function() -> Any:
    import torch
    from torch.nn.functional import linear

    class LoraLinear(torch.autograd.Function):
        """y = x W' + bias + scale (x A') B', with A (rank, in) and B (out, rank)."""

        @staticmethod
        def forward(ctx: Any, x: Any, weight: Any, bias: Any, lora_a: Any, lora_b: Any, scale: float) -> Any:
            dtype = computing_dtype(x)
            rows = x.reshape(-1, x.shape[-1]).to(dtype)
            inner = rows @ lora_a.to(dtype).t()
            out = linear(rows, dequantise(weight).to(dtype), None if bias is None else bias.to(dtype))
            out.addmm_(inner, lora_b.to(dtype).t(), alpha=scale)
            ctx.save_for_backward(rows, inner, lora_a, lora_b)
            ctx.weight, ctx.scale, ctx.shape = weight, scale, x.shape
            return out.reshape(*x.shape[:-1], out.shape[-1])

        @staticmethod
        def backward(ctx: Any, gradient: Any) -> Any:
            rows, inner, lora_a, lora_b = ctx.saved_tensors
            gradient = gradient.reshape(-1, gradient.shape[-1]).to(rows.dtype)
            inner_gradient = (gradient @ lora_b.to(rows.dtype)).mul_(ctx.scale)
            lora_b_gradient = (gradient.t() @ inner).mul_(ctx.scale)
            lora_a_gradient = inner_gradient.t() @ rows
            x_gradient = None
            if ctx.needs_input_grad[0]:
                x_gradient = gradient @ dequantise(ctx.weight).to(rows.dtype)
                x_gradient.addmm_(inner_gradient, lora_a.to(rows.dtype))
                x_gradient = x_gradient.reshape(ctx.shape)
            return x_gradient, None, None, lora_a_gradient.to(lora_a.dtype), lora_b_gradient.to(lora_b.dtype), None

    return LoraLinear


def computing_dtype(x: Any) -> Any:
    """What to compute in: autocast's dtype where it is on, else the input's."""
    import torch

    device = x.device.type
    return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else x.dtype
