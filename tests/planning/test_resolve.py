"""From what is asked to a plan: every choice with its evidence, in one order, the same for whoever asks."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import ChatError
from pipeline.machine import T4, Machine
from pipeline.models import model_list
from pipeline.planning import (
    RECIPES,
    DatasetShape,
    Plan,
    TrainingConfig,
    halve_batch,
    keep_within_memory,
    replan,
    resolve,
    shape_of,
)
from pipeline.planning.plan import KEPT_ON_RESUME

H100 = Machine("cuda", "NVIDIA H100", 79.2, 78.0, 16, (9, 0), 1, fast_bf16=True)
CPU = Machine("cpu", "CPU", 16.0, 12.0, 8)
BF16_CPU = replace(CPU, fast_bf16=True)
MAC = Machine("mps", "Apple GPU", 16.0, 12.0, 8, gpus=1)
TWO_T4 = replace(T4, gpus=2)
MACHINES = (T4, TWO_T4, H100, replace(H100, gpus=8), replace(H100, memory=40.0, free=39.0, gpus=4), CPU, BF16_CPU, MAC)
LLAMA, STARTER, QWEN = "meta-llama/Llama-2-7b-chat-hf", "starter", "Qwen/Qwen2.5-1.5B-Instruct"
SAMPLE = DatasetShape.even(65_000, 77)
UNLISTED = (
    replace(shape_of(STARTER), model="a/mixture", architecture="mixtral", sizes=None),
    replace(shape_of(STARTER), model="a/capped", architecture="gemma2", capped=True),
    replace(shape_of(LLAMA), model="a/windowed", architecture="mistral", window=512),
    replace(shape_of(STARTER), model="a/stranger", architecture="never_tried", positions=256),
)


def plan_for(machine=CPU, model=STARTER, dataset=SAMPLE, **asked):
    return resolve(TrainingConfig(model=model, **asked), machine, dataset, shape_of(model))


CONFIGS = st.builds(
    TrainingConfig.of,
    st.sampled_from(tuple(RECIPES)),
    rank=st.none() | st.sampled_from((4, 64)),
    epochs=st.none() | st.sampled_from((0.5, 3.0)),
    learning_rate=st.none() | st.just(1e-4),
    tokens_per_step=st.none() | st.sampled_from((128, 4096)),
    tokens_per_batch=st.none() | st.sampled_from((128, 8192)),
    max_tokens=st.sampled_from((256, 1024, 4096)),
    precision=st.sampled_from(("auto", "bf16", "fp32")),
    quantise=st.sampled_from(("auto", "none")),
    checkpointing=st.sampled_from(("auto", "always", "never")),
    shard=st.sampled_from(("auto", "always", "never")),
    processes=st.none() | st.integers(1, 3),
)
DATASETS = st.builds(DatasetShape, st.lists(st.integers(2, 1500), min_size=1, max_size=80).map(tuple))
SHAPES = st.sampled_from((*(shape_of(info.id) for info in model_list()), *UNLISTED))


@settings(max_examples=200)
@given(CONFIGS, st.sampled_from(MACHINES), DATASETS, SHAPES)
def test_a_plan_is_read_back_as_it_was_and_settled_again_stays_as_it_is(config, machine, dataset, shape):
    plan = resolve(config, machine, dataset, shape)
    assert Plan.model_validate_json(plan.model_dump_json()) == plan
    assert resolve(plan.config, machine, dataset, shape) == plan
    again = resolve(plan.settled, machine, dataset, shape)
    reasons = {name: getattr(plan, name) for name in KEPT_ON_RESUME}  # which are "as asked" now
    assert [getattr(again, name).value for name in KEPT_ON_RESUME] == [choice.value for choice in reasons.values()]
    assert again.model_copy(update={"config": plan.config, **reasons}) == plan
    assert replan(plan, config, machine, dataset, shape) == plan


@settings(max_examples=100)
@given(CONFIGS, st.sampled_from(MACHINES), st.sampled_from(MACHINES), DATASETS, SHAPES)
def test_on_another_machine_a_run_learns_as_it_began_and_says_what_changed(config, before, now, dataset, shape):
    begun = resolve(config, before, dataset, shape)
    plan = replan(begun, config, now, dataset, shape)
    assert plan.machine == now
    assert [getattr(plan, name) for name in KEPT_ON_RESUME] == [getattr(begun, name) for name in KEPT_ON_RESUME]
    assert (plan.steps, plan.lora_parameters) == (begun.steps, begun.lora_parameters)
    assert bool(plan.changed) == (before != now)
    other = begun.dtype.value != plan.dtype.value
    assert other == (f"precision {plan.dtype.value} instead of {begun.dtype.value}" in plan.changed)


def test_a_t4_keeps_activations_of_what_goes_through_it_and_not_of_what_might():
    """1,024 tokens a step, all at once: planned with the 8,192 that a T4 could take, they would not fit."""
    plan = plan_for(T4, QWEN)
    assert (plan.tokens_per_step.value, plan.tokens_per_batch.value, plan.batch_limit) == (1024, 1024, 8192)
    assert (plan.checkpointing.value, plan.weights.value) == ("off", "16-bit")
    assert plan.forecast.peak == pytest.approx(6.4, abs=0.05)
    assert plan_for(T4, QWEN, tokens_per_step=8192).checkpointing.value == "on"


@pytest.mark.parametrize(
    ("machine", "model", "dtype", "weights", "optimiser"),
    [
        (T4, LLAMA, "fp16", "nf4", "adamw_torch"),  # a T4 only emulates bfloat16
        (T4, STARTER, "fp16", "16-bit", "adamw_torch"),
        (H100, LLAMA, "bf16", "16-bit", "adamw_torch"),  # 13 of 79 GiB in 16 bits
        (replace(H100, memory=40.0), LLAMA, "bf16", "nf4", "adamw_torch"),
        (CPU, STARTER, "fp32", "32-bit", "adamw_torch"),
        (BF16_CPU, STARTER, "bf16", "16-bit", "adamw_torch"),
        (MAC, STARTER, "fp32", "32-bit", "adamw_torch"),
    ],
)
def test_choices_follow_the_machine(machine, model, dtype, weights, optimiser):
    plan = plan_for(machine, model)
    assert (plan.dtype.value, plan.weights.value, plan.optimiser.value) == (dtype, weights, optimiser)
    assert all(setting and value and len(reason) > 20 for setting, value, reason in plan.reasons())


def test_moments_take_8_bits_where_32_would_take_much_of_a_gpu():
    assert plan_for(T4, LLAMA, rank=128).optimiser.value == "paged_adamw_8bit"
    assert plan_for(H100, LLAMA, rank=128).optimiser.value == "adamw_torch"


def test_a_step_is_as_small_as_on_a_cpu_unless_each_pass_unpacks_the_weights():
    cpu, small, large = (plan_for(*of).tokens_per_step.value for of in ((CPU, STARTER), (T4, STARTER), (T4, LLAMA)))
    assert cpu == small < large


def test_a_gpu_takes_more_tokens_at_once_and_a_larger_model_fewer():
    cpu, large, small = (plan_for(*of).batch_limit for of in ((CPU, STARTER), (T4, LLAMA), (T4, STARTER)))
    assert cpu < large < small


def test_what_is_asked_for_is_kept_and_said():
    asked = {"precision": "fp32", "quantise": "none", "optimiser": "adamw_torch", "tokens_per_batch": 777}
    plan = plan_for(T4, LLAMA, **asked, learning_rate=1e-4)
    assert (plan.dtype.value, plan.weights.value, plan.optimiser.value) == ("fp32", "32-bit", "adamw_torch")
    assert (plan.tokens_per_batch.value, plan.learning_rate.value) == (777, 1e-4)
    said = {setting for setting, _, reason in plan.reasons() if reason == "as asked"}
    assert said == {"Precision", "Base weights", "Optimiser", "Tokens at once", "Learning rate"}


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
    asked = {"tokens_per_batch": tokens, "tokens_per_step": tokens}
    assert plan_for(machine, model, **asked).checkpointing.value == checkpointing
    assert plan_for(machine, model, checkpointing="always", **asked).checkpointing.value == "on"
    assert plan_for(machine, model, checkpointing="never", **asked).checkpointing.value == "off"


def test_a_plan_is_a_line_in_the_terminal():
    line = "77 steps of 1,024 tokens on a T4, fp16, weights 16-bit, rank 16, rate 0.00045, about 6.4 GB"
    assert replace_dataset(plan_for(T4, QWEN)).sentence == line
    assert plan_for(T4, QWEN).sentence == f"about {line}"


def replace_dataset(plan):
    """The plan as if its dataset had been counted by the model's own tokenizer."""
    return plan.model_copy(update={"dataset": replace(plan.dataset, estimated=False)})


def test_what_is_kept_leaves_room():
    asked = {"tokens_per_batch": 8192, "tokens_per_step": 8192}
    kept = plan_for(T4, **asked).forecast.peak
    for free, value in ((kept / 0.79, "off"), (kept / 0.81, "on")):
        assert plan_for(replace(T4, free=free), **asked).checkpointing.value == value


def rank_of(tokens):
    return plan_for(dataset=DatasetShape.even(tokens, 10_000)).rank


def test_rank_holds_what_is_learned():
    """A rank of the starter model has some 305,000 weights."""
    assert [rank_of(tokens).value for tokens in (10_000, 5_000_000, 9_000_000, 10**8)] == [16, 32, 32, 128]
    assert "65,024 tokens" in rank_of(65_024).reason
    assert "more than its" in rank_of(10**8).reason


def test_rates_fall_with_size_and_are_higher_for_short_runs():
    long = DatasetShape.even(800_000, 8000)
    seven, three, starter = (plan_for(T4, model, long).learning_rate.value for model in (LLAMA, QWEN, STARTER))
    assert seven < three < starter
    short = plan_for(T4, LLAMA).learning_rate
    assert short.value == pytest.approx(1.5 * seven)
    assert "LoRA Without Regret" in short.reason


def test_steps_grow_with_the_chat_up_to_a_limit():
    datasets = [DatasetShape.even(tokens, tokens // 500) for tokens in (5_000, 65_000, 200_000, 10**6)]
    assert [plan_for(CPU, dataset=of).tokens_per_step.value for of in datasets] == [1024, 1024, 3072, 4096]
    assert [plan_for(T4, LLAMA, dataset=of).tokens_per_step.value for of in datasets] == [1024, 2560, 4096, 4096]


@pytest.mark.parametrize(("tokens", "epochs"), [(11_884, 2), (30_000, 2), (45_000, 1), (65_024, 1)])
def test_few_replies_are_seen_twice(tokens, epochs):
    dataset = DatasetShape.even(tokens, 14)
    once, thrice = plan_for(dataset=dataset), plan_for(dataset=dataset, epochs=3)
    assert (once.epochs.value, thrice.epochs.value) == (epochs, 3)
    assert thrice.steps == pytest.approx(once.steps * 3 / epochs, abs=1)


def test_the_blogs_recipe_is_left_as_it_is():
    plan = resolve(TrainingConfig.of("blog", model=LLAMA), T4, DatasetShape.even(10**6, 1000), shape_of(LLAMA))
    assert {name: getattr(plan.settled, name) for name in RECIPES["blog"]} == RECIPES["blog"]
    assert (plan.attention.value, plan.steps, plan.tokens_per_batch.value) == ("padded", 250, 4096)
    assert plan.rank.reason == "as the recipe has it"
    ranked = resolve(TrainingConfig.of("blog", model=LLAMA, rank=8), T4, SAMPLE, shape_of(LLAMA))
    assert (ranked.rank.reason, ranked.epochs.reason) == ("as asked", "as the recipe has it")


LARGE_SIZES = replace(shape_of(LLAMA).sizes, hidden=8192, intermediate=28672, layers=80, heads=64, kv_heads=8)
LARGE = replace(shape_of(LLAMA), model="large", sizes=LARGE_SIZES, parameters=LARGE_SIZES.parameters)


@pytest.mark.parametrize(
    ("asked", "machine", "shape", "shards"),
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
def test_weights_are_split_where_one_gpu_cannot_hold_them(asked, machine, shape, shards):
    plan = resolve(TrainingConfig(model=shape.model, **asked), machine, SAMPLE, shape)
    assert (plan.shards, plan.weights.value) == (shards, "16-bit" if shards > 1 else "nf4")
    together = {name: (value, why) for name, value, why in plan.reasons()}.get("GPUs together")
    if plan.processes.value == 1:
        assert together is None
    else:
        value, why = together
        assert (value.endswith("weights split"), "whole model" in why) == (shards > 1, shards == 1)


def test_what_is_split_takes_less_of_each_gpu_and_says_what_is_gathered():
    def parts(shard):
        plan = plan_for(replace(H100, gpus=4), LLAMA, quantise="none", tokens_per_step=4096, shard=shard)
        return {part.name: part.gib for part in plan.forecast.parts}

    whole, split = parts("never"), parts("always")
    assert split["Frozen weights"] == pytest.approx(whole["Frozen weights"] / 4)
    assert split["Embeddings"] == pytest.approx(whole["Embeddings"] / 4)
    assert "Gathered" not in whole
    # Of 32 layers two, and the words going out: under a tenth of all.
    assert 0 < split["Gathered"] < 0.1 * whole["Frozen weights"]


def test_of_several_gpus_each_takes_its_share_of_a_step():
    def kept(gpus):
        plan = plan_for(replace(H100, gpus=gpus), LLAMA, tokens_per_step=4096, checkpointing="always")
        return next(part.gib for part in plan.forecast.parts if part.name == "Kept for the way back")

    assert kept(2) == pytest.approx(kept(1) / 2)
    assert kept(8) == pytest.approx(kept(1) / 4)  # a row of 1,024 tokens goes through as one


def test_weights_cannot_be_split_and_kept_in_four_bits():
    with pytest.raises(ChatError, match="not kept in 4 bits: choose one or the other"):
        plan_for(TWO_T4, LLAMA, shard="always", quantise="nf4")


def test_layers_that_a_model_has_not_are_named():
    with pytest.raises(ChatError, match="A llama has no qkv to train"):
        plan_for(targets=("qkv",))


@pytest.mark.parametrize(
    ("asked", "tokens", "rows", "size"),
    [
        ({"tokens_per_step": 600}, 300, 4, "300 tokens"),
        ({"tokens_per_batch": 4096, "tokens_per_step": 4096}, 2048, 4, "2,048 tokens"),
        ({"batching": "rows", "rows_per_step": 5}, 2048, 2, "2 rows"),
    ],
)
def test_what_goes_through_at_once_is_halved_and_said(asked, tokens, rows, size):
    plan = plan_for(**asked)
    half = halve_batch(plan, shape_of(STARTER))
    assert (half.tokens_per_batch.value, half.rows_per_batch) == (tokens, rows)
    assert half.changed == f"Memory ran out, so the batch was halved to {size}."
    assert (half.settled, half.steps) == (plan.settled, plan.steps)
    assert half.forecast.peak <= plan.forecast.peak


@pytest.mark.parametrize("asked", [{"tokens_per_batch": 200}, {"batching": "rows", "rows_per_step": 1}])
def test_what_cannot_be_halved_is_given_up_in_a_sentence(asked):
    with pytest.raises(ChatError, match="as small as it gets: choose a smaller model or rank"):
        halve_batch(plan_for(**asked), shape_of(STARTER))


def test_where_less_memory_is_free_a_plan_is_kept_or_kept_small():
    plan, shape = plan_for(T4, QWEN), shape_of(QWEN)
    assert keep_within_memory(plan, replace(T4, free=8.0), shape) == plan
    small = keep_within_memory(plan, replace(T4, free=6.0), shape)
    assert (small.checkpointing.value, small.forecast.available) == ("on", 6.0)
    assert small.changed.startswith("Less memory is free than when this was planned: what each layer computes would")
    assert keep_within_memory(small, replace(T4, free=2.0), shape) == small  # nothing is left to give up
    half = halve_batch(plan, shape)
    assert keep_within_memory(half, T4, shape) == half
