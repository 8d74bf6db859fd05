"""Sampling chosen on held-out replies: as long as the person's, in as many bubbles, and as near in style as can be."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from math import log
from pathlib import Path
from statistics import mean, quantiles

from pipeline.chat import Twin
from pipeline.evaluation.replies import HeldOut, Reply, even_sample, sample_replies
from pipeline.evaluation.style import style_distance
from pipeline.inference import GenerationConfig, Prompts
from pipeline.progress import SILENT, Progress
from pipeline.prompt import split_bubbles
from pipeline.runs import RunFolder
from pipeline.store import replace_text

__all__ = ["tune_generation", "tuning_moments", "write_generation"]

TEMPERATURES = (0.8, 1.0)
# Replies of each pass: at both temperatures to find the biases roughly and then well, and at the one that is chosen.
# All of a pass grow in one batch, so few passes take little longer than one.
ROUGH, BOTH, CHOSEN = 40, 80, 160
FIRST = (0.8, 0.4)  # the biases of the first pass: models of the size of the starter need them, larger ones less
MOST_BIAS = 3.0
LEAST_BREAKS = 0.05  # a reply: fewer tell nothing of how many there would be
LONGEST = 4  # times the person's long replies: what goes on beyond is far too long, however much
# What the biases do to the starter's replies, as logarithms, measured on the sample: a level (the mean of both) higher
# by 1 makes bubbles shorter by SHORTER and the breaks in a reply MORE; a difference higher by 1 makes those FEWER.
SHORTER, MORE, FEWER = 0.41, 0.77, 1.06

Biases = tuple[float, float]  # towards the end of the reply, and towards the end of the bubble


@dataclass(frozen=True)
class Shape:
    """How long replies are on average: characters, and bubbles a reply."""

    characters: float
    bubbles: float


def shape_of(replies: Sequence[str]) -> Shape:
    """The shape of these replies."""
    return Shape(max(1.0, mean(map(len, replies))), mean(len(split_bubbles(reply)) for reply in replies))


def tuning_moments(held: HeldOut) -> list[int]:
    """Which of the held-out moments sampling is tuned at."""
    return even_sample(len(held.moments), CHOSEN)


def tune_generation(twin: Twin, held: HeldOut, prompts: Prompts, progress: Progress = SILENT) -> GenerationConfig:
    """Temperature and pulls under which replies have the person's mean length, in as many bubbles on average.

    Below 1 a temperature makes what is seldom likely, as an end is at any one word, seldomer still. So the end of the
    reply and that of the bubble are both favoured. Every pass of replies tells which biases would have been right; the
    mean of what the last two tell is taken, by the number of their replies. Among temperatures the one whose replies
    are nearest in style wins. prompts: the held-out rows with all `tuning_moments`.
    """
    real = [moment.reply for moment, *_ in held.moments]
    plain, most = _longest(held)
    shape = shape_of(real)

    def tried(biases: dict[float, Biases], count: int, seed: int, part: Progress) -> dict[float, list[Reply]]:
        """Replies at each temperature, about `count`."""
        chosen = even_sample(len(held.moments), count)
        copies = max(1, round(count / len(chosen)))
        configs = [_biased(plain, t, pulls, seed) for t, pulls in biases.items() for _ in range(copies)]
        rounds = sample_replies(twin, held, prompts, chosen, configs, part)
        parts = [rounds[start : start + copies] for start in range(0, len(rounds), copies)]
        return {t: list(chain.from_iterable(part)) for t, part in zip(biases, parts, strict=True)}

    def better(biases: Biases, replies: Sequence[Reply]) -> Biases:
        return next_biases(biases, shape_of([reply.text for reply in replies]), shape)

    of = 2 * ROUGH + 2 * BOTH + CHOSEN
    first = tried(dict.fromkeys(TEMPERATURES, FIRST), ROUGH, 0, progress.part(2 * ROUGH / of))
    rough = {t: _bounded(better(FIRST, replies)) for t, replies in first.items()}
    second = tried(rough, BOTH, 1, progress.part(2 * BOTH / of))
    temperature = min(second, key=lambda t: distance(second[t], real))
    told = better(rough[temperature], second[temperature])
    good = _bounded(told)
    third = tried({temperature: good}, CHOSEN, 2, progress.part(CHOSEN / of))
    last = better(good, third[temperature])
    counts = len(second[temperature]), len(third[temperature])
    end, bubble = ((told[i] * counts[0] + last[i] * counts[1]) / sum(counts) for i in (0, 1))
    return _biased(plain, temperature, _bounded((end, bubble)), None).model_copy(update={"max_new_tokens": most})


def _longest(held: HeldOut) -> tuple[GenerationConfig, int]:
    """The bounds of length while tuning, and the most tokens afterwards: a person of long letters is not cut off."""
    most = GenerationConfig().max_new_tokens
    tokens = sorted(end - start for _, _, start, end in held.moments)
    if len(tokens) < 2:
        return GenerationConfig(), most
    long_reply = round(quantiles(tokens, n=10)[-1])
    most = max(most, 2 * long_reply)
    return GenerationConfig(long_reply=long_reply, max_new_tokens=min(most, LONGEST * long_reply)), most


def _biased(plain: GenerationConfig, temperature: float, biases: Biases, seed: int | None) -> GenerationConfig:
    return plain.model_copy(
        update={"temperature": temperature, "end_bias": biases[0], "break_bias": biases[1], "seed": seed}
    )


def next_biases(biases: Biases, shape: Shape, wanted: Shape) -> Biases:
    """The biases under which replies that came out in this shape would have had the one that is wanted."""
    level, difference = (biases[0] + biases[1]) / 2, biases[0] - biases[1]
    longer = log(shape.characters / shape.bubbles * wanted.bubbles / wanted.characters)
    more = log(max(LEAST_BREAKS, shape.bubbles - 1) / max(LEAST_BREAKS, wanted.bubbles - 1))
    raised = longer / SHORTER
    difference += (more + MORE * raised) / FEWER
    return level + raised + difference / 2, level + raised - difference / 2


def _bounded(biases: Biases) -> Biases:
    """Within what helps."""
    end, bubble = (max(-MOST_BIAS, min(MOST_BIAS, round(bias, 2))) for bias in biases)
    return end, bubble


def distance(replies: Sequence[Reply], real: Sequence[str]) -> float:
    """How far sampled replies are from real ones: in style, and in not ending. Length is what the biases are for."""
    said = [reply.text for reply in replies]
    return style_distance(said, real).overall + mean(reply.finish_reason != "end_of_turn" for reply in replies)


def write_generation(config: GenerationConfig, run_dir: Path) -> Path:
    """Keep a run's sampling: `load_twin` takes it as the default."""
    path = RunFolder(run_dir).generation
    replace_text(path, config.model_dump_json(indent=1))
    return path
