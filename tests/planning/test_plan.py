"""How a run is laid out for a model, a machine and a dataset: every choice with its evidence."""

from dataclasses import replace

import pytest

from pipeline.errors import ChatError
from pipeline.machine.hardware import T4, Machine
from pipeline.planning import RECIPES, TrainingConfig, choose_learning_rate, choose_rank
from pipeline.planning.config import choose_step
from pipeline.planning.forecast import shape_of
from pipeline.planning.plan import forecast_for, plan_for, plan_shape, settle, shards_for

H100 = Machine("cuda", "NVIDIA H100", 79.2, 78.0, 16, (9, 0), 1, fast_bf16=True)
CPU = Machine("cpu", "CPU", 16.0, 12.0, 8)
LLAMA, STARTER = "meta-llama/Llama-2-7b-chat-hf", "starter"


@pytest.mark.parametrize(
    ("model", "machine", "tokens", "checkpointing"),
    [
        (LLAMA, T4, 4096, "on"),
        (LLAMA, H100, 4096, "off"),
        (STARTER, T4, 8192, "off"),
        (STARTER, CPU, 1024, "off"),
        (LLAMA, CPU, 4096, "on"),
    ],
)
def test_checkpointing_follows_the_forecast(model, machine, tokens, checkpointing):
    config = TrainingConfig(model=model, tokens_per_batch=tokens, tokens_per_step=tokens)
    assert plan_shape(config, machine, shape_of(model)).checkpointing.value == checkpointing
    asked = config.model_copy(update={"checkpointing": "always"})
    assert plan_shape(asked, machine, shape_of(model)).checkpointing.value == "on"


def test_what_is_kept_leaves_room():
    shape = shape_of(STARTER)
    config = TrainingConfig(tokens_per_batch=8192, tokens_per_step=8192)
    kept = forecast_for(config, plan_shape(config, T4, shape), T4, shape).peak
    for free, value in ((kept / 0.79, "off"), (kept / 0.81, "on")):
        assert plan_shape(config, replace(T4, free=free), shape).checkpointing.value == value


def test_the_plan_for_this_machine_reads_the_models_own_shape(tiny_config):
    plan = plan_for(tiny_config)
    assert plan.dtype.value == "fp32"
    assert plan.checkpointing.value == "off"


def test_rank_holds_what_is_learned():
    thin = 300_000  # weights a rank: the starter model's
    assert [choose_rank(tokens, thin)[0] for tokens in (10_000, 5_000_000, 9_000_000, 10**9)] == [16, 32, 32, 128]
    assert "65,024 tokens" in choose_rank(65_024, thin)[1]
    assert "more than its" in choose_rank(10**9, thin)[1]


def test_rates_fall_with_size_and_are_higher_for_short_runs():
    seven, three, starter = (choose_learning_rate(size, 1000)[0] for size in (7e9, 3e9, 1.35e8))
    assert seven < three < starter
    assert choose_learning_rate(7e9, 50)[0] == pytest.approx(1.5 * seven)
    assert "LoRA Without Regret" in choose_learning_rate(7e9, 50)[1]


def test_steps_grow_with_the_chat_up_to_a_limit():
    tokens = (5_000, 65_000, 200_000, 10**7)
    assert [choose_step(count, on_gpu=False)[0] for count in tokens] == [1024, 1024, 3072, 4096]
    assert [choose_step(count, on_gpu=True)[0] for count in tokens] == [1024, 2560, 4096, 4096]


@pytest.mark.parametrize(("tokens", "epochs"), [(11_884, 2), (30_000, 2), (45_000, 1), (65_024, 1)])
def test_few_replies_are_seen_twice(tokens, epochs):
    numbers = {
        "device": "cpu",
        "parameters": int(1.35e8),
        "lora_parameters_per_rank": 300_000,
        "tokens": tokens,
        "rows": 14,
    }
    assert settle(TrainingConfig(), **numbers)[0].epochs == epochs
    assert settle(TrainingConfig(epochs=3), **numbers)[0].epochs == 3


def test_settled_nothing_is_open_and_what_was_asked_stays():
    numbers = {
        "device": "cpu",
        "parameters": int(1.35e8),
        "lora_parameters_per_rank": 300_000,
        "tokens": 65_024,
        "rows": 77,
    }
    settled, reasons = settle(TrainingConfig(learning_rate=1e-4), **numbers)
    assert (settled.rank, settled.learning_rate, settled.tokens_per_step) == (16, 1e-4, 1024)
    assert {name for name, _, _ in reasons} == {"Rank", "Learning rate", "Times each reply is seen", "Tokens a step"}
    assert ("Learning rate", "0.0001", "as asked") in reasons
    assert settle(settled, **numbers)[0] == settled


def test_the_blogs_recipe_is_left_as_it_is():
    config = TrainingConfig.of("blog")
    settled, _ = settle(
        config, device="cuda", parameters=int(7e9), lora_parameters_per_rank=2_500_000, tokens=10**9, rows=10**6
    )
    assert {name: getattr(settled, name) for name in RECIPES["blog"]} == RECIPES["blog"]


TWO_T4 = replace(T4, gpus=2)
LARGE = replace(shape_of(LLAMA), id="large", hidden=8192, intermediate=28672, layers=80, heads=64, kv_heads=8)


@pytest.mark.parametrize(
    ("settings", "machine", "shape", "shards"),
    [
        ({}, TWO_T4, shape_of(LLAMA), 1),
        ({"shard": "always"}, TWO_T4, shape_of(LLAMA), 2),
        ({"shard": "always", "processes": 1}, TWO_T4, shape_of(LLAMA), 1),
        ({}, replace(H100, gpus=8), LARGE, 1),  # in 4 bits each holds it
        ({}, replace(H100, memory=40.0, gpus=8), LARGE, 8),
        ({"shard": "never"}, replace(H100, memory=40.0, gpus=8), LARGE, 1),
        ({"shard": "always"}, T4, shape_of(LLAMA), 1),
    ],
)
def test_weights_are_split_where_one_gpu_cannot_hold_them(settings, machine, shape, shards):
    config = TrainingConfig(model=shape.id, **settings)
    assert shards_for(config, machine, shape.parameters) == shards
    assert plan_shape(config, machine, shape).quantise.value == ("none" if shards > 1 else "nf4")


def test_what_is_split_takes_less_of_each_gpu_and_says_what_is_gathered():
    shape = shape_of(LLAMA)

    def parts(**settings):
        config = TrainingConfig(model=LLAMA, quantise="none", tokens_per_step=4096, **settings)
        machine = replace(H100, gpus=4)
        made = forecast_for(config, plan_shape(config, machine, shape), machine, shape)
        return {part.name: part.gib for part in made.parts}

    whole, split = parts(shard="never"), parts(shard="always")
    assert split["Frozen weights"] == pytest.approx(whole["Frozen weights"] / 4)
    assert split["Embeddings"] == pytest.approx(whole["Embeddings"] / 4)
    assert "Gathered" not in whole
    # Of 32 layers two, and the words going out: under a tenth of all.
    assert 0 < split["Gathered"] < 0.1 * whole["Frozen weights"]


def test_of_several_gpus_each_takes_its_share_of_a_step():
    shape = shape_of(LLAMA)
    config = TrainingConfig(model=LLAMA, tokens_per_step=4096, checkpointing="always")

    def kept(gpus):
        machine = replace(H100, gpus=gpus)
        forecast = forecast_for(config, plan_shape(config, machine, shape), machine, shape)
        return next(part.gib for part in forecast.parts if part.name == "Kept for the way back")

    assert kept(2) == pytest.approx(kept(1) / 2)
    assert kept(8) == pytest.approx(kept(1) / 4)  # a row of 1,024 tokens goes through as one


def test_weights_cannot_be_split_and_kept_in_four_bits():
    with pytest.raises(ChatError, match="not kept in 4 bits: choose one or the other"):
        shards_for(TrainingConfig(shard="always", quantise="nf4"), TWO_T4, 10**9)
