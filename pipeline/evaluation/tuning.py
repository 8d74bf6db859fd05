"""Sampling chosen on held-out replies: as long as the person's, in as many bubbles, and as near in style as can be."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from pathlib import Path
from statistics import mean, quantiles

from pipeline.chat import Twin
from pipeline.evaluation.replies import HeldOut, Reply, even_sample, finish
from pipeline.evaluation.style import style_distance
from pipeline.inference import GenerationConfig
from pipeline.inference.batch import Place, PrefilledPrompts, prefill, sample
from pipeline.progress import SILENT, Progress
from pipeline.prompt import split_bubbles
from pipeline.runs import RunFolder
from pipeline.store import replace_text

__all__ = ["tune_generation", "write_generation"]

TEMPERATURES = (0.8, 1.0)
ROUNDS = 2  # of replies at each temperature
MORE_ROUNDS = 4  # at the one that is chosen
FIRST = (0.8, 0.4)  # the biases of the first round: models of the size of the starter need them, larger ones less
LAST = 5  # rounds of which the mean is taken
REPLIES = 80
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


def tune_generation(twin: Twin, held: HeldOut, progress: Progress = SILENT) -> GenerationConfig:
    """Temperature and pulls under which replies have the person's mean length, in as many bubbles on average.

    Below 1 a temperature makes what is seldom likely, as an end is at any one word, seldomer still. So the end of the
    reply and that of the bubble are both favoured. Every round of replies tells which biases would have been right; the
    mean of what the last five tell is taken, for one alone is off by a tenth. Among temperatures the one whose replies
    are nearest in style wins.
    """
    real = [moment.reply for moment, *_ in held.moments]
    tokens = sorted(end - start for _, _, start, end in held.moments)
    long_reply = round(quantiles(tokens, n=10)[-1]) if len(tokens) > 1 else None
    most = GenerationConfig().max_new_tokens
    if long_reply:
        most = max(most, 2 * long_reply)  # a person of long letters is not cut off
    places, prompts = _moments_read(twin, held)
    suggested: dict[float, list[Biases]] = {temperature: [] for temperature in TEMPERATURES}
    scores: dict[float, list[float]] = {temperature: [] for temperature in TEMPERATURES}
    biases = FIRST
    order: list[float | None] = [*(t for t in TEMPERATURES for _ in range(ROUNDS)), *([None] * MORE_ROUNDS)]
    for number, wanted in enumerate(order):
        temperature = wanted or min(scores, key=lambda t: min(scores[t]))
        biases = _settled(suggested[temperature]) if suggested[temperature] else biases
        config = GenerationConfig(
            temperature=temperature, long_reply=long_reply, end_bias=biases[0], break_bias=biases[1],
            max_new_tokens=min(most, LONGEST * long_reply) if long_reply else most,
        )  # fmt: skip
        replies = _replies(twin, places, prompts, config, number)
        suggested[temperature].append(next_biases(biases, shape_of([reply.text for reply in replies]), shape_of(real)))
        scores[temperature].append(distance(replies, real))
        progress(number + 1, len(order))
    end, bubble = _settled(suggested[temperature])
    return config.model_copy(update={"end_bias": end, "break_bias": bubble, "max_new_tokens": most})


def next_biases(biases: Biases, shape: Shape, wanted: Shape) -> Biases:
    """The biases under which replies that came out in this shape would have had the one that is wanted."""
    level, difference = (biases[0] + biases[1]) / 2, biases[0] - biases[1]
    longer = log(shape.characters / shape.bubbles * wanted.bubbles / wanted.characters)
    more = log(max(LEAST_BREAKS, shape.bubbles - 1) / max(LEAST_BREAKS, wanted.bubbles - 1))
    raised = longer / SHORTER
    difference += (more + MORE * raised) / FEWER
    return level + raised + difference / 2, level + raised - difference / 2


def _settled(suggested: Sequence[Biases]) -> Biases:
    """The mean of what the last rounds suggest, within what helps."""
    end, bubble = (
        max(-MOST_BIAS, min(MOST_BIAS, round(mean(biases[i] for biases in suggested[-LAST:]), 2))) for i in (0, 1)
    )
    return end, bubble


def _replies(
    twin: Twin, places: list[Place], prompts: PrefilledPrompts, config: GenerationConfig, number: int
) -> list[Reply]:
    """A round of replies: one at every place, or several where there are few places."""
    made: list[Reply] = []
    for copy in range(max(1, round(REPLIES / len(places)))):
        said = sample(twin.engine, prompts, config.model_copy(update={"seed": 1000 * copy + number}))
        made += [finish(twin, said[place], config) for place in places]
    return made


def _moments_read(twin: Twin, held: HeldOut) -> tuple[list[Place], PrefilledPrompts]:
    """(places of the moments that are tried, their conversations as the engine has read them)."""
    moments = [held.moments[i] for i in even_sample(len(held.moments), REPLIES)]
    used = sorted({number for _, number, *_ in moments})
    places = [(used.index(number), start) for _, number, start, _ in moments]
    return places, prefill(twin.engine, [held.encoded[number] for number in used], places)


def distance(replies: Sequence[Reply], real: Sequence[str]) -> float:
    """How far sampled replies are from real ones: in style, and in not ending. Length is what the biases are for."""
    said = [reply.text for reply in replies]
    return style_distance(said, real).overall + mean(reply.finish_reason != "end_of_turn" for reply in replies)


def write_generation(config: GenerationConfig, run_dir: Path) -> Path:
    """Keep a run's sampling: `load_twin` takes it as the default."""
    path = RunFolder(run_dir).generation
    replace_text(path, config.model_dump_json(indent=1))
    return path
