"""Rows that lie end to end give what each gives alone, forwards and backwards, and learn only what they should."""

import copy

import pytest

from pipeline.training.attention import register_attention
from pipeline.training.data import IGNORED, Example, collate
from pipeline.training.trainer import learned_loss

ROWS = [
    Example(tuple(range(5, 5 + length)), tuple(i if i % 3 else IGNORED for i in range(5, 5 + length)))
    for length in (7, 1, 30, 12)
]


def devices():
    import torch

    return ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]


@pytest.fixture(params=devices())
def device(request):
    return request.param


def end_to_end(model, device):
    model = copy.deepcopy(model).to(device)
    model.set_attn_implementation(register_attention())
    return model


def losses_alone(model, rows):
    import torch
    from torch.nn.functional import cross_entropy

    total, count = 0.0, 0
    for row in rows:
        ids = torch.tensor([row.ids])
        targets = torch.tensor(row.labels[1:], dtype=torch.long)
        logits = model(input_ids=ids).logits[0, :-1]
        keep = targets != IGNORED
        total = total + cross_entropy(logits[keep].float(), targets[keep], reduction="sum")
        count += int(keep.sum())
    return total, count


def flat_loss(model, rows, device):
    if device == "cuda":
        from trl.trainer.utils import add_fused_lm_head

        add_fused_lm_head(model)
    return learned_loss(model, collate(rows, device))


def test_the_loss_of_rows_together_is_the_sum_of_each_alone(tiny_model, device):
    alone, count = losses_alone(tiny_model, ROWS)
    together, learned = flat_loss(end_to_end(tiny_model, device), ROWS, device)
    assert int(learned) == count
    assert float(together) == pytest.approx(float(alone), rel=2e-4)


def test_gradients_are_those_of_the_rows_alone(tiny_model, device):
    import torch

    expected = copy.deepcopy(tiny_model).requires_grad_(True)
    losses_alone(expected, ROWS)[0].backward()
    model = end_to_end(tiny_model, device).requires_grad_(True)
    flat_loss(model, ROWS, device)[0].backward()
    for name, parameter in expected.named_parameters():
        if "lm_head" not in name and "embed" not in name:
            got = model.get_parameter(name).grad.cpu()
            assert torch.allclose(got, parameter.grad, atol=1e-3 * float(parameter.grad.abs().max())), name


def test_what_a_row_teaches_does_not_depend_on_its_neighbours(tiny_model, device):
    model = end_to_end(tiny_model, device)
    first = float(flat_loss(model, ROWS[:1], device)[0])
    both = float(flat_loss(model, [ROWS[2], ROWS[0]], device)[0]) - float(flat_loss(model, [ROWS[2]], device)[0])
    assert both == pytest.approx(first, rel=1e-3)


@pytest.mark.parametrize("tokens", [1, 100, 128, 300])
def test_blocks_of_queries_give_what_whole_attention_gives(tokens):
    import torch
    from torch.nn.functional import scaled_dot_product_attention

    from pipeline.training.attention import attend

    torch.manual_seed(0)
    shapes = [(1, heads, tokens, 32) for heads in (6, 2, 2)]
    exact = [torch.randn(shape).bfloat16().float().requires_grad_(True) for shape in shapes]
    rounded = [tensor.detach().bfloat16().requires_grad_(True) for tensor in exact]
    whole = scaled_dot_product_attention(*exact, is_causal=True, enable_gqa=True)
    blocks = attend(None, *rounded, None, row_lengths=(tokens,))[0].transpose(1, 2)
    wanted = torch.randn(whole.shape)
    whole.backward(wanted)
    blocks.backward(wanted.bfloat16())
    assert (blocks - whole).norm() < 0.01 * whole.norm()
    for ours, theirs in zip(rounded, exact, strict=True):
        # Of one token the weights are 1 whatever is asked, so queries and keys have no gradient.
        assert (ours.grad - theirs.grad).norm() <= 0.01 * theirs.grad.norm() + 1e-6
