"""The forecast agrees with what was measured."""

from dataclasses import replace

import pytest

from pipeline.models import model_list
from pipeline.planning import forecast, lora_parameters, shape_of

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
    shape = shape_of(model)
    sizes = replace(shape.sizes, vocabulary=49152)  # both were measured with the starter's vocabulary
    shape = replace(shape, sizes=sizes, parameters=sizes.parameters)
    assert forecast(shape, **settings).torch_gib == pytest.approx(gib, rel=0.1)


def test_on_a_cpu_the_whole_process_is_forecast():
    """Resident memory at the end of training the starter model in bfloat16 (benchmarks/README.md)."""
    settings = {"tokens": 1024, "weights": "16-bit", "checkpointing": False, "paged": False, "device": "cpu"}
    assert forecast(shape_of(STARTER), **settings).peak == pytest.approx(3.04, rel=0.1)
    assert forecast(shape_of(STARTER), **{**settings, "weights": "32-bit"}).peak > 3.04


def test_parts_add_up_and_more_tokens_need_more():
    shape = shape_of("meta-llama/Llama-2-7b-chat-hf")
    small, large = (forecast(shape, tokens=tokens, available=14.56) for tokens in (2048, 8192))
    assert small.peak == pytest.approx(sum(part.gib for part in small.parts))
    assert small.peak < large.peak
    assert small.fits
    assert not forecast(shape, tokens=2048, weights="16-bit", available=14.56).fits


def test_rank_sixteen_on_all_linear_layers_of_llama_2_7b_trains_forty_million_weights():
    shape = shape_of("meta-llama/Llama-2-7b-chat-hf")
    assert lora_parameters(shape, 16) == 39_976_960
    assert lora_parameters(shape, 64, ("q_proj", "v_proj")) == 33_554_432  # the blog's


@pytest.mark.parametrize("model", model_list(), ids=lambda model: model.id)
def test_every_model_of_the_list_can_be_forecast(model):
    assert 0 < forecast(shape_of(model.id), tokens=4096).peak < 40
