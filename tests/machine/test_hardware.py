"""What a machine trains with, and that each choice says why."""

import pytest

from pipeline.machine.hardware import T4, T4_GIB, Machine, this_machine
from pipeline.planning.recipe import choose_checkpointing, plan_training

H100 = Machine("cuda", "NVIDIA H100", 79.2, 78.0, 16, (9, 0), 1, fast_bf16=True)
CPU = Machine("cpu", "CPU", 16.0, 12.0, 8)
BF16_CPU = Machine("cpu", "CPU", 16.0, 12.0, 8, fast_bf16=True)
MAC = Machine("mps", "Apple GPU", 16.0, 12.0, 8, gpus=1)
SMALL, LARGE = 135_000_000, 6_700_000_000


@pytest.mark.parametrize(
    ("machine", "parameters", "dtype", "quantise", "optimiser"),
    [
        (T4, LARGE, "fp16", "nf4", "paged_adamw_8bit"),  # a T4 only emulates bfloat16
        (T4, SMALL, "fp16", "none", "paged_adamw_8bit"),
        (H100, LARGE, "bf16", "none", "paged_adamw_8bit"),  # 13 of 79 GiB in 16 bits
        (H100, 10 * LARGE, "bf16", "nf4", "paged_adamw_8bit"),
        (CPU, SMALL, "fp32", "none", "adamw_torch"),
        (BF16_CPU, SMALL, "bf16", "none", "adamw_torch"),
        (MAC, SMALL, "fp32", "none", "adamw_torch"),
    ],
)
def test_choices_follow_the_machine(machine, parameters, dtype, quantise, optimiser):
    plan = plan_training(machine, parameters)
    assert (plan.dtype.value, plan.quantise.value, plan.optimiser.value) == (dtype, quantise, optimiser)
    assert plan.device == machine.device
    assert all(setting and value and len(reason) > 20 for setting, value, reason in plan.reasons())


def test_a_gpu_takes_more_tokens_at_once_and_a_larger_model_fewer():
    assert plan_training(CPU, SMALL).tokens_per_batch < plan_training(T4, LARGE).tokens_per_batch
    assert plan_training(T4, LARGE).tokens_per_batch < plan_training(T4, SMALL).tokens_per_batch


def test_what_is_asked_for_is_kept_and_said():
    plan = plan_training(
        T4, LARGE, precision="fp32", quantise="none", optimiser="adamw_torch", tokens_per_batch=777
    )  # fmt: skip
    assert (plan.dtype.value, plan.quantise.value, plan.optimiser.value) == ("fp32", "none", "adamw_torch")
    assert plan.tokens_per_batch == 777
    asked = {setting for setting, _, reason in plan.reasons() if reason == "as asked"}
    assert asked == {"Precision", "Base weights", "Optimiser", "Tokens at once"}


def test_activations_are_kept_only_where_they_fit_or_as_asked():
    assert [choose_checkpointing(fits).value for fits in (True, False, None)] == ["off", "on", "on"]
    assert choose_checkpointing(True, "always").value == "on"
    assert choose_checkpointing(False, "never").value == "off"


def test_this_machine_is_described():
    machine = this_machine()
    assert machine.cores >= 1
    assert 0 < machine.free <= machine.memory
    assert machine.device in ("cuda", "mps", "cpu")
    if machine.device == "cpu":
        assert this_machine("t4").device == "cpu"  # there is nothing to cap


def test_a_t4_is_what_colab_leaves_of_it():
    assert T4.memory == T4.free == T4_GIB
    assert not T4.fast_bf16
