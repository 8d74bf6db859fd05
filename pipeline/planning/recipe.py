"""What a machine is best trained on with: each choice comes with its reason and can be overridden."""

from dataclasses import dataclass
from typing import Literal

from pipeline.machine import Device, Machine

__all__ = ["Choice", "Plan", "choose_checkpointing", "plan_training"]

GIB = 2**30


@dataclass(frozen=True)
class Choice:
    """A setting and why it was chosen, in a sentence for the user."""

    value: str
    reason: str


@dataclass(frozen=True)
class Plan:
    """How to train on a machine. `tokens_per_batch`: how many tokens go through the model at once."""

    device: Device
    cores: int
    dtype: Choice
    quantise: Choice
    attention: Choice
    optimiser: Choice
    checkpointing: Choice
    tokens_per_batch: int
    batch_reason: str

    def reasons(self) -> list[tuple[str, str, str]]:
        """(setting, value, reason) for the user, in the order in which they matter."""
        return [
            ("Precision", self.dtype.value, self.dtype.reason),
            ("Base weights", self.quantise.value, self.quantise.reason),
            ("Attention", self.attention.value, self.attention.reason),
            ("Optimiser", self.optimiser.value, self.optimiser.reason),
            ("Checkpointing", self.checkpointing.value, self.checkpointing.reason),
            ("Tokens at once", f"{self.tokens_per_batch:,}", self.batch_reason),
        ]


def plan_training(
    machine: Machine,
    parameters: int,
    *,
    precision: Literal["auto", "bf16", "fp16", "fp32"] = "auto",
    quantise: Literal["auto", "nf4", "none"] = "auto",
    optimiser: str = "auto",
    tokens_per_batch: int | None = None,
) -> Plan:
    """What to train a model of so many parameters with on this machine; what is not "auto" is kept as asked."""
    batch, batch_reason = _choose_batch(machine, parameters)
    if tokens_per_batch is not None:
        batch, batch_reason = tokens_per_batch, "as asked"
    return Plan(
        machine.device,
        machine.cores,
        _choose_dtype(machine) if precision == "auto" else Choice(precision, "as asked"),
        _choose_weights(machine, parameters) if quantise == "auto" else Choice(quantise, "as asked"),
        _choose_attention(machine),
        _choose_optimiser(machine) if optimiser == "auto" else Choice(optimiser, "as asked"),
        choose_checkpointing(None if machine.device == "cuda" else True),
        batch,
        batch_reason,
    )


def choose_checkpointing(fits: bool | None, asked: Literal["auto", "always", "never"] = "auto") -> Choice:
    """Whether activations are computed twice, "on" or "off". fits: whether they can be kept; None: nobody knows."""
    if asked != "auto":
        return Choice("on" if asked == "always" else "off", "as asked")
    if fits:
        return Choice("off", "what each layer computes fits in memory with room to spare, so nothing is computed twice")
    if fits is None:
        return Choice("on", "how much each layer needs is not known, so it is computed twice rather than kept")
    return Choice("on", "what each layer computes would not fit, so it is computed again on the way back")


def _choose_dtype(machine: Machine) -> Choice:
    if machine.device == "cuda":
        if machine.fast_bf16:
            return Choice("bf16", "this GPU computes bfloat16 at full speed, and it needs no loss scaling")
        return Choice("fp16", "GPUs before Ampere (a T4, say) only emulate bfloat16; the LoRA weights stay in float32")
    if machine.device == "cpu" and machine.fast_bf16:
        return Choice("bf16", "this CPU multiplies bfloat16 in hardware: it trains about twice as fast as in float32")
    if machine.device == "cpu":
        return Choice("fp32", "this CPU has no bfloat16 instructions, so float32 is faster")
    return Choice("fp32", "the safe choice on Apple's GPU")


def _choose_weights(machine: Machine, parameters: int) -> Choice:
    if machine.device != "cuda":
        return Choice("none", "4-bit saves memory, not time, and this model is trained in main memory")
    if parameters * 2 / GIB < 0.3 * machine.memory:
        return Choice("none", "the model takes under a third of the GPU in 16 bits, and computes faster unquantised")
    return Choice("nf4", "in 4 bits (NF4, double quantisation) the frozen weights take a quarter of the memory")


def _choose_attention(machine: Machine) -> Choice:
    if machine.device == "cuda":
        kernel = "memory-efficient" if (machine.capability or (0, 0)) < (8, 0) else "flash"
        return Choice("documents", f"rows lie end to end without padding, each seen alone by the {kernel} kernel")
    return Choice("documents", "rows lie end to end without padding, and each attends to itself alone")


def _choose_optimiser(machine: Machine) -> Choice:
    if machine.device == "cuda":
        return Choice("paged_adamw_8bit", "AdamW with 8-bit moments that may move to main memory when the GPU is full")
    return Choice("adamw_torch", "plain AdamW; only the thin LoRA matrices have moments")


def _choose_batch(machine: Machine, parameters: int) -> tuple[int, str]:
    if machine.device != "cuda":
        return 1024, "enough to keep the cores busy; more only takes memory"
    room = 4096 if parameters > 2.5e9 else 8192
    return room, "each pass unpacks every weight once, so it should carry many tokens"
