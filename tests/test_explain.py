"""What is said of numbers is so: bits are the machine's, 4 bits are bitsandbytes', thin matrices carry no more."""

import copy
import math
import struct

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.explain import (
    FLOATS,
    NF4,
    Matrix,
    compare_formats,
    energy_by_rank,
    float_bits,
    learned_change,
    matrix_names,
    quantise,
    read_matrix,
)

TORCH = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
numbers = st.floats(allow_nan=False)
weights = st.lists(st.floats(min_value=-4, max_value=4, width=32), min_size=1, max_size=200)


@pytest.mark.parametrize("kind", FLOATS)
@given(number=numbers)
@example(number=0.1)
@example(number=-0.0)
@example(number=65520.0)  # halfway between the largest half and the next
@example(number=5e-8)  # under the smallest normal half
@example(number=math.inf)
def test_bits_are_those_of_torch(kind, number):
    kept = torch.tensor(number, dtype=torch.float64).to(torch.float32 if kind != "fp16" else torch.float16)
    kept = kept.to(TORCH[kind])
    size, code = (2, torch.int16) if kind != "fp32" else (4, torch.int32)
    bits = f"{int(kept.view(code)) % 2 ** (8 * size):0{8 * size}b}"
    ours = float_bits(number, kind)
    assert ours.sign + ours.exponent + ours.fraction == bits
    assert ours.value == float(kept)


@pytest.mark.parametrize("kind", FLOATS)
@given(number=st.floats(min_value=-65000, max_value=65000))
def test_sign_significand_and_power_make_the_value(kind, number):
    bits = float_bits(number, kind)
    assert (-1) ** int(bits.sign) * bits.significand * 2.0**bits.power == bits.value
    assert (len(bits.exponent), len(bits.fraction)) == FLOATS[kind]


def test_half_precision_is_what_struct_makes_of_it():
    assert float_bits(0.1, "fp16").value == struct.unpack("e", struct.pack("e", 0.1))[0]
    bits = float_bits(-0.5, "fp16")
    assert (bits.sign, bits.exponent, bits.fraction, bits.power) == ("1", "01110", "0000000000", -1)


def test_numbers_too_large_become_infinity():
    assert float_bits(1e6, "fp16").value == math.inf
    assert float_bits(-1e39, "bf16").value == -math.inf
    assert float_bits(1e6, "bf16").value == pytest.approx(1e6, rel=2**-8)


def test_no_number_stays_no_number():
    assert all(math.isnan(float_bits(math.nan, kind).value) for kind in FLOATS)


@given(weights)
def test_eight_bits_are_within_half_a_step(values):
    _, back = quantise(values, "uint8")
    step = (max(values) - min(values)) / 255
    assert np.abs(back - np.array(values)).max() <= step / 2 + 1e-9


@given(weights, st.sampled_from(["even4", "nf4"]))
def test_four_bits_take_the_nearest_of_their_values(values, kind):
    codes, back = quantise(values, kind)
    levels = NF4 if kind == "nf4" else [step / 7 for step in range(-7, 8)]
    assert codes.max() < 16
    for start in range(0, len(values), 64):
        block = values[start : start + 64]
        scale = max(map(abs, block)) or 1.0
        for value, got in zip(block, back[start:], strict=False):
            assert abs(got - value) <= min(abs(level * scale - value) for level in levels) + 1e-9


def test_nf4_values_are_those_of_bitsandbytes():
    from bitsandbytes.functional import get_4bit_type

    assert torch.allclose(get_4bit_type("nf4", device="cpu"), torch.tensor(NF4), atol=1e-6)


def test_nf4_is_what_bitsandbytes_makes_of_weights():
    from bitsandbytes.functional import dequantize_4bit, quantize_4bit

    values = np.random.default_rng(0).normal(0, 0.02, (96, 128)).astype(np.float32)
    theirs = dequantize_4bit(*quantize_4bit(torch.from_numpy(values), blocksize=64, quant_type="nf4"))
    ours = quantise(values, "nf4")[1].reshape(values.shape)
    assert np.abs(ours - theirs.numpy()).max() < 1e-6


def test_fewer_bits_lose_more_and_nf4_less_than_even_steps():
    values = np.random.default_rng(1).normal(0, 0.02, (128, 256)).astype(np.float32)
    half, eight, even, nf4, double = compare_formats(values)
    assert half.error < eight.error < nf4.error < even.error
    assert nf4.error <= double.error < 1.02 * nf4.error
    assert [round(kept.bits, 3) for kept in (half, eight, even, nf4, double)] == [16, 8, 4.5, 4.5, 4.127]


def test_thin_matrices_carry_all_of_a_thin_product_and_little_of_noise():
    rng = np.random.default_rng(2)
    thin = (rng.normal(size=(40, 3)) @ rng.normal(size=(3, 60))).astype(np.float32)
    noise = rng.normal(size=(40, 60)).astype(np.float32)
    assert energy_by_rank(thin, [3])[0] == pytest.approx(1)
    assert energy_by_rank(noise, [3])[0] < 0.3
    assert energy_by_rank(noise, [40])[0] == pytest.approx(1)


@pytest.fixture(scope="module")
def folder(tiny_model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("shown")
    tiny_model.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("projection", matrix_names())
def test_a_models_own_weights_are_read(folder, tiny_model, projection):
    matrix = read_matrix(str(folder), projection)
    layer = tiny_model.model.layers[matrix.layer]
    module = getattr(layer.self_attn if projection[0] in "qkvo" else layer.mlp, projection)
    assert matrix.model == str(folder)
    assert torch.equal(torch.from_numpy(matrix.values), module.weight)


def test_what_an_adapter_changes_is_measured(tiny_model, tmp_path):
    from peft import LoraConfig, get_peft_model

    matrix = Matrix("tiny", 1, "q_proj", tiny_model.model.layers[1].self_attn.q_proj.weight.numpy())
    torch.manual_seed(0)
    config = LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj"], init_lora_weights=False, task_type="CAUSAL_LM")
    twin = get_peft_model(copy.deepcopy(tiny_model), config)
    twin.save_pretrained(tmp_path)
    merged = twin.merge_and_unload().model.layers[1].self_attn.q_proj.weight
    expected = (merged - torch.from_numpy(matrix.values)).norm() / torch.from_numpy(matrix.values).norm()
    assert learned_change(tmp_path, matrix) == pytest.approx(float(expected), rel=1e-4)
    assert learned_change(tmp_path, Matrix("tiny", 1, "up_proj", matrix.values)) is None
