"""How a run is laid out for a model, a machine and a dataset: every choice with its evidence."""

from dataclasses import replace

import pytest

from pipeline.memory import shape_of
from pipeline.runtime import T4, Machine
from pipeline.training import RECIPES, TrainingConfig, choose_learning_rate, choose_rank
from pipeline.training.config import choose_step
from pipeline.training.plan import forecast_for, plan_for, plan_shape, settle

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


def test_settled_nothing_is_open_and_what_was_asked_stays():
    numbers = {"device": "cpu", "parameters": int(1.35e8), "weights_a_rank": 300_000, "tokens": 65_024, "rows": 77}
    settled, reasons = settle(TrainingConfig(learning_rate=1e-4), **numbers)
    assert (settled.rank, settled.learning_rate, settled.tokens_per_step) == (16, 1e-4, 1024)
    assert {name for name, _, _ in reasons} == {"Rank", "Learning rate", "Tokens a step"}
    assert ("Learning rate", "0.0001", "as asked") in reasons
    assert settle(settled, **numbers)[0] == settled


def test_the_blogs_recipe_is_left_as_it_is():
    config = TrainingConfig.of("blog")
    settled, _ = settle(config, device="cuda", parameters=int(7e9), weights_a_rank=2_500_000, tokens=10**9, rows=10**6)
    assert {name: getattr(settled, name) for name in RECIPES["blog"]} == RECIPES["blog"]
