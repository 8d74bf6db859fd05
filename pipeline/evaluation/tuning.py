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
CLOSE = 0.08  # of the person's length (as a logarithm): near enough
ROUNDS = 2  # of correcting the length at each temperature
ROWS = 8  # of the held-out part that are read
REPLIES = 40
LONGEST = 4  # times the person's long replies: what goes on beyond is far too long, however much


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
    most = GenerationConfig().max_new_tokens
    tries = [GenerationConfig(temperature=t, long_reply=long_reply, seed=1) for t in TEMPERATURES]
    short = min(most, LONGEST * long_reply) if long_reply else most
    best: tuple[float, float, GenerationConfig] | None = None
    bias = 0.0
    for turn, start in enumerate(tries):
        for correction in range(ROUNDS):
            config = start.model_copy(update={"end_bias": bias, "max_new_tokens": short})
            said = sample(twin.engine, waiting, config)
            replies = [finish(twin, said[place], config) for place in places]
            ratio = max(1.0, mean(len(reply.text) for reply in replies)) / target
            score = distance(replies, real, ratio)
            if best is None or score < best[0]:
                best = score, ratio, config
            progress((turn * ROUNDS + correction + 1) / len(tries) / ROUNDS)
            if abs(log(ratio)) < CLOSE:
                break
            bias = corrected(bias, ratio)
    assert best is not None
    _, ratio, config = best
    if abs(log(ratio)) >= CLOSE:
        config = config.model_copy(update={"end_bias": corrected(config.end_bias, ratio)})
    return config.model_copy(update={"seed": None, "max_new_tokens": most})


def corrected(bias: float, ratio: float) -> float:
    """The bias that undoes a ratio of lengths, within what a config allows."""
    return max(-4.0, min(4.0, round(bias + log(ratio), 2)))


def distance(replies: list[Reply], real: list[str], ratio: float) -> float:
    """How far sampled replies are from real ones: in style, in mean length, and in not ending."""
    style = style_distance([reply.text for reply in replies], real).overall
    return style + abs(log(ratio)) + mean(reply.ended != "end" for reply in replies)


def write_generation(config: GenerationConfig, run_dir: Path) -> Path:
    """Keep a run's sampling: `load_twin` takes it as the default."""
    path = run_dir / "generation.json"
    path.write_text(config.model_dump_json(indent=1), encoding="utf-8")
    return path
