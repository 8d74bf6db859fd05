"""Sampling chosen on held-out replies: as long as the person's, and as near in style as can be."""

from collections.abc import Callable
from math import log
from pathlib import Path
from statistics import mean, quantiles

from pipeline.chat import GenerationConfig, Twin
from pipeline.chat.batch import Waiting, prefill, sample
from pipeline.evaluation.replies import HeldOut, Reply, even_sample, finish
from pipeline.evaluation.style import style_distance

__all__ = ["tune_generation", "write_generation"]

TEMPERATURES = (0.8, 1.0)
ROUNDS = 2  # of replies at each temperature; the one that is chosen has another
FIRST_BIAS = 0.4  # models of the size of the starter need 0.5 to 1, larger ones less
REPLIES = 60
SLOPE = 0.5  # how much shorter (as a logarithm) a bias of 1 makes replies: measured on the sample between 0.7 and 1.4
LONGEST = 4  # times the person's long replies: what goes on beyond is far too long, however much


def tune_generation(
    twin: Twin, held: HeldOut, progress: Callable[[float], None] = lambda done: None
) -> GenerationConfig:
    """Temperature and pull towards the end of a reply under which replies are as long as the person's on average.

    Every round of replies tells which `end_bias` would have given the right length; the mean of what the last two tell
    is taken, for one alone is off by a tenth. Among temperatures the one whose replies are nearest in style wins.
    """
    real = [moment.reply for moment, *_ in held.moments]
    target = mean(len(reply) for reply in real)
    tokens = sorted(end - start for _, _, start, end in held.moments)
    long_reply = round(quantiles(tokens, n=10)[-1]) if len(tokens) > 1 else None
    most = GenerationConfig().max_new_tokens
    places, waiting = _moments_read(twin, held)
    told: dict[float, list[float]] = {temperature: [] for temperature in TEMPERATURES}  # biases, by temperature
    scores: dict[float, list[float]] = {temperature: [] for temperature in TEMPERATURES}
    bias = FIRST_BIAS
    order = [temperature for temperature in TEMPERATURES for _ in range(ROUNDS)]
    for number in range(len(order) + 1):
        temperature = order[number] if number < len(order) else min(scores, key=lambda t: min(scores[t]))
        bias = _bias(told[temperature]) if told[temperature] else bias
        config = GenerationConfig(
            temperature=temperature, long_reply=long_reply, end_bias=bias, seed=number,
            max_new_tokens=min(most, LONGEST * long_reply) if long_reply else most,
        )  # fmt: skip
        said = sample(twin.engine, waiting, config)
        replies = [finish(twin, said[place], config) for place in places]
        ratio = max(1.0, mean(len(reply.text) for reply in replies)) / target
        told[temperature].append(bias + log(ratio) / SLOPE)
        scores[temperature].append(distance(replies, real, ratio))
        progress((number + 1) / (len(order) + 1))
    return config.model_copy(update={"end_bias": _bias(told[temperature]), "seed": None, "max_new_tokens": most})


def _bias(told: list[float]) -> float:
    """The mean of what the last two rounds told, within what a config allows."""
    return max(-4.0, min(4.0, round(mean(told[-2:]), 2)))


def _moments_read(twin: Twin, held: HeldOut) -> tuple[list[tuple[int, int]], Waiting]:
    """(places of the moments that are tried, their conversations as the engine has read them)."""
    moments = [held.moments[i] for i in even_sample(len(held.moments), REPLIES)]
    used = sorted({number for _, number, *_ in moments})
    places = [(used.index(number), start) for _, number, start, _ in moments]
    return places, prefill(twin.engine, [held.encoded[number] for number in used], places)


def distance(replies: list[Reply], real: list[str], ratio: float) -> float:
    """How far sampled replies are from real ones: in style, in mean length, and in not ending."""
    style = style_distance([reply.text for reply in replies], real).overall
    return style + abs(log(ratio)) + mean(reply.ended != "end" for reply in replies)


def write_generation(config: GenerationConfig, run_dir: Path) -> Path:
    """Keep a run's sampling: `load_twin` takes it as the default."""
    path = run_dir / "generation.json"
    path.write_text(config.model_dump_json(indent=1), encoding="utf-8")
    return path
