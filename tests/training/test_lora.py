"""The fused LoRA layer computes what PEFT's does, over full and 4-bit weights."""

import copy

import pytest

from pipeline.training.lora import fuse_lora


def with_lora(model, dropout=0.0):
    import torch
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(1)
    config = LoraConfig(r=4, lora_alpha=8, lora_dropout=dropout, target_modules="all-linear", task_type="CAUSAL_LM")
    made = get_peft_model(copy.deepcopy(model), config)
    for name, parameter in made.named_parameters():
        if "lora_B" in name:  # zero at first, which would hide A's gradient
            torch.nn.init.normal_(parameter, std=0.1)
    return made


def run(model):
    import torch

    ids = torch.arange(5, 45).reshape(2, 20).to(model.device)
    loss = model(input_ids=ids, labels=ids).loss
    loss.backward()
    gradients = {name: p.grad for name, p in model.named_parameters() if p.requires_grad}
    return float(loss.detach()), gradients


def assert_alike(expected, model):
    import torch

    loss, gradients = run(expected)
    fused_loss, fused_gradients = run(model)
    assert fused_loss == pytest.approx(loss, rel=1e-4)
    for name, gradient in gradients.items():
        error = (fused_gradients[name] - gradient).norm() / gradient.norm()
        assert float(error) < 1e-4, name
        assert fused_gradients[name].dtype == torch.float32


def test_values_and_gradients_are_pefts(tiny_model):
    expected = with_lora(tiny_model)
    fused = copy.deepcopy(expected)
    assert fuse_lora(fused) == 14
    assert_alike(expected, fused)


@pytest.mark.slow
def test_over_4_bit_weights_they_are_those_of_the_unpacked_model(tiny_model, tmp_path):
    import torch

    from pipeline.compat import dequantise
    from pipeline.models import load_model

    tiny_model.save_pretrained(tmp_path)
    packed = load_model(str(tmp_path), quantise=True, dtype=torch.float32, device="cpu")
    plain = copy.deepcopy(tiny_model)
    for name, module in plain.named_modules():
        if isinstance(module, torch.nn.Linear) and name != "lm_head":
            module.weight.data = dequantise(packed.get_submodule(name).weight).float()
    fused = with_lora(packed)
    assert fuse_lora(fused) == 14
    assert_alike(with_lora(plain), fused)


def test_a_layer_with_dropout_stays_pefts(tiny_model):
    assert fuse_lora(with_lora(tiny_model, dropout=0.1)) == 0


def test_with_the_adapter_off_the_base_answers(tiny_model):
    import torch

    model = with_lora(tiny_model)
    fuse_lora(model)
    ids = torch.arange(5, 15)[None]
    with torch.no_grad(), model.disable_adapter():
        assert torch.allclose(model(input_ids=ids).logits, tiny_model(input_ids=ids).logits)
