"""The forecast agrees with what was measured, and numbers lose what their format takes."""

import math
import struct
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.memory import NF4, float_bits, forecast, quantise, shape_of, trainable
from pipeline.models import model_list

# Peaks that torch reported on one H100 (benchmarks/README.md): shape, settings, GiB.
LLAMA, STARTER = "meta-llama/Llama-2-7b-chat-hf", "starter"
MEASURED = [
    (LLAMA, {"tokens": 4096}, 5.943),
    (LLAMA, {"tokens": 5632}, 6.665),
    (LLAMA, {"tokens": 8192}, 7.743),
    (LLAMA, {"tokens": 2048, "rank": 64}, 5.597),
    (LLAMA, {"tokens": 2048, "checkpointing": False}, 14.573),
    (LLAMA, {"tokens": 4096, "weights": "16-bit"}, 14.880),
    (STARTER, {"tokens": 8192, "weights": "16-bit"}, 0.888),
    (STARTER, {"tokens": 8192, "weights": "16-bit", "checkpointing": False}, 6.109),
]


@pytest.mark.parametrize(("model", "settings", "gib"), MEASURED)
def test_the_forecast_is_within_a_tenth_of_what_was_measured(model, settings, gib):
    shape = replace(shape_of(model), vocabulary=49152)  # both were measured with the starter's vocabulary
    assert forecast(shape, **settings).torch_gib == pytest.approx(gib, rel=0.1)


def test_parts_add_up_and_more_tokens_need_more():
    shape = shape_of("meta-llama/Llama-2-7b-chat-hf")
    small, large = (forecast(shape, tokens=tokens, available=14.56) for tokens in (2048, 8192))
    assert small.peak == pytest.approx(sum(part.gib for part in small.parts))
    assert small.peak < large.peak
    assert small.fits
    assert not forecast(shape, tokens=2048, weights="16-bit", available=14.56).fits


def test_rank_sixteen_on_all_linear_layers_of_llama_2_7b_trains_forty_million_weights():
    shape = shape_of("meta-llama/Llama-2-7b-chat-hf")
    assert trainable(shape, 16) == 39_976_960
    assert trainable(shape, 64, ("q_proj", "v_proj")) == 33_554_432  # the blog's


@pytest.mark.parametrize("model", model_list(), ids=lambda model: model.id)
def test_every_model_of_the_list_can_be_forecast(model):
    assert 0 < forecast(model, tokens=4096).peak < 40


@given(st.floats(width=32, allow_nan=False))
def test_32_bits_keep_a_32_bit_number(number):
    assert float_bits(number, "fp32").value == number


@given(st.floats(min_value=-60000, max_value=60000))
def test_half_precision_is_what_the_machine_makes_of_it(number):
    assert float_bits(number, "fp16").value == struct.unpack("e", struct.pack("e", number))[0]


@given(st.floats(min_value=2.0**-100, max_value=2.0**100))
def test_bfloat16_is_within_half_of_its_last_place(number):
    assert float_bits(number, "bf16").value == pytest.approx(number, rel=2**-8)


def test_numbers_too_large_become_infinity():
    assert float_bits(1e6, "fp16").value == math.inf
    assert float_bits(-1e39, "bf16").value == -math.inf
    assert float_bits(1e6, "bf16").value == pytest.approx(1e6, rel=2**-8)


def test_pieces_of_a_half():
    bits = float_bits(-0.5, "fp16")
    assert (bits.sign, bits.exponent, bits.fraction) == ("1", "01110", "0000000000")


@given(st.lists(st.floats(min_value=-4, max_value=4), min_size=1, max_size=200))
def test_eight_bits_are_within_half_a_step(values):
    _, back = quantise(values, "uint8")
    step = (max(values) - min(values)) / 255
    assert all(abs(a - b) <= step / 2 + 1e-9 for a, b in zip(values, back, strict=True))


@given(st.lists(st.floats(min_value=-4, max_value=4), min_size=1, max_size=200))
def test_four_bits_take_the_nearest_of_sixteen_values(values):
    codes, back = quantise(values, "nf4")
    assert all(0 <= code < 16 for code in codes)
    block = values[:64]
    scale = max(map(abs, block)) or 1.0
    for value, got in zip(block, back, strict=False):
        assert abs(got - value) <= min(abs(v * scale - value) for v in NF4) + 1e-9


def test_nf4_values_are_those_of_bitsandbytes():
    import torch
    from bitsandbytes.functional import get_4bit_type

    assert torch.allclose(get_4bit_type("nf4", device="cpu"), torch.tensor(NF4), atol=1e-6)
