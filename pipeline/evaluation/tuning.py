"""Sampling chosen on held-out replies: as long as the person's, and as near in style as can be."""

from collections.abc import Callable
from math import log
from pathlib import Path
from statistics import mean, quantiles

from pipeline.chat import GenerationConfig, Twin
from pipeline.chat.batch import prefill, sample
from pipeline.evaluation.replies import HeldOut, Reply, even_sample, finish
from pipeline.evaluation.style import style_distance

__all__ = ["tune_generation", "write_generation"]

TEMPERATURES = (0.8, 1.0)
ROUNDS = 2  # of correcting the length at each temperature
ROWS = 12  # of the held-out part that are read
REPLIES = 48


def tune_generation(
    twin: Twin, held: HeldOut, progress: Callable[[float], None] = lambda done: None
) -> GenerationConfig:
    """Temperature and pull towards the end of a reply under which replies are as long as the person's on average.

    The mean length falls about as fast as the odds of ending rise, so the logarithm of the ratio of lengths is the
    correction of `end_bias`. Among temperatures the one whose replies are nearest in style wins.
    """
    numbers = set(even_sample(len(held.rows), ROWS))
    moments = [m for m in held.moments if m[1] in numbers]
    moments = [moments[i] for i in even_sample(len(moments), REPLIES)]
    real = [moment.reply for moment, *_ in moments]
    target = mean(len(reply) for reply in real)
    tokens = sorted(end - start for _, _, start, end in moments)
    long_reply = round(quantiles(tokens, n=10)[-1]) if len(tokens) > 1 else None
    used = sorted({number for _, number, *_ in moments})
    places = [(used.index(number), start) for _, number, start, _ in moments]
    waiting = prefill(twin.engine, [held.encoded[number] for number in used], places)
    best: tuple[float, GenerationConfig] | None = None
    for turn, temperature in enumerate(TEMPERATURES):
        config = GenerationConfig(temperature=temperature, long_reply=long_reply, seed=1)
        for correction in range(ROUNDS + 1):
            said = sample(twin.engine, waiting, config)
            replies = [finish(twin, said[place], config) for place in places]
            length = mean(len(reply.text) for reply in replies)
            score = distance(replies, real, length / target)
            if best is None or score < best[0]:
                best = score, config
            progress((turn * (ROUNDS + 1) + correction + 1) / len(TEMPERATURES) / (ROUNDS + 1))
            if abs(log(max(length, 1) / target)) < 0.05:
                break
            bias = config.end_bias + log(max(length, 1) / target)
            config = config.model_copy(update={"end_bias": max(-4.0, min(4.0, round(bias, 2)))})
    assert best is not None
    return best[1].model_copy(update={"seed": None})


def distance(replies: list[Reply], real: list[str], ratio: float) -> float:
    """How far sampled replies are from real ones: in style, in mean length, and in not ending."""
    style = style_distance([reply.text for reply in replies], real).overall
    return style + abs(log(max(ratio, 1e-3))) + mean(reply.ended != "end" for reply in replies)


def write_generation(config: GenerationConfig, run_dir: Path) -> Path:
    """Keep a run's sampling: `load_twin` takes it as the default."""
    path = run_dir / "generation.json"
    path.write_text(config.model_dump_json(indent=1), encoding="utf-8")
    return path
