"""The hardware of Jobs with its price, and what a run on it may take and cost."""

from dataclasses import dataclass

from pipeline.hub import hub_api
from pipeline.jobs.faults import ask_jobs

__all__ = ["Estimate", "Hardware", "estimate", "list_hardware"]

HOURS = {"second": 3600.0, "minute": 60.0, "hour": 1.0}  # how many of the unit there are in an hour
# Peak of a card in half precision, dense, in TFLOPS (data sheets); the first name that the card's holds.
PEAK = (("T4", 65), ("L40S", 362), ("L4", 121), ("A10G", 70), ("A100", 312), ("H100", 990), ("H200", 990),
        ("RTX PRO 6000", 500))  # fmt: skip
USED = 0.25  # of the peak: what our training reached on the one card that it was measured on (H100, 7B in 4 bits)
CPU_TFLOPS = 0.15
SETUP_MINUTES = 5.0  # packages and the model are downloaded first


@dataclass(frozen=True)
class Hardware:
    """A machine to rent: its name for the Hub, for the user, and dollars an hour."""

    name: str
    title: str
    price_per_hour: float
    card: str | None
    cards: int
    memory: str

    @property
    def label(self) -> str:
        """As it stands in a list."""
        return f"{self.title} · {self.memory} · ${self.price_per_hour:,.2f} an hour"


@dataclass(frozen=True)
class Estimate:
    """What a run may take and cost. `most`: dollars that it cannot exceed, since the job is ended then."""

    most: float
    minutes: float | None
    likely: float | None


def list_hardware(token: str | None, endpoint: str | None = None) -> list[Hardware]:
    """What Jobs can run on now, cheapest first. Raises ChatError."""
    api = hub_api(token, endpoint)
    made = []
    for info in ask_jobs("hardware", api.list_jobs_hardware):
        card = info.accelerator
        made.append(
            Hardware(
                info.name,
                info.pretty_name,
                info.unit_cost_usd * HOURS.get(info.unit_label, 60.0),
                card.model if card else None,
                int(card.quantity) if card and str(card.quantity).isdigit() else int(card is not None),
                f"{card.vram} of GPU memory" if card else f"{info.cpu}, {info.ram}",
            )
        )
    return sorted(made, key=lambda hardware: hardware.price_per_hour)


def estimate(hardware: Hardware, minutes: int, *, parameters: int | None, tokens: float) -> Estimate:
    """What it costs at most, and likely: `tokens` learned from in all by a model of so many weights.

    The likely figure is a guess from the card's data sheet, six operations a weight and token; None for cards and
    models that are not known.
    """
    most = hardware.price_per_hour * minutes / 60
    if hardware.card is None:
        tflops: float | None = CPU_TFLOPS
    else:
        peak = next((peak for name, peak in PEAK if name.lower() in hardware.card.lower()), None)
        tflops = None if peak is None else peak * USED * max(1, hardware.cards)
    if tflops is None or parameters is None:
        return Estimate(most, None, None)
    taken = SETUP_MINUTES + 6 * parameters * tokens / (tflops * 1e12) / 60
    return Estimate(most, taken, min(most, hardware.price_per_hour * taken / 60))
