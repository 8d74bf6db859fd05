"""The exam: a twin, and what it is measured against, on the part of the chat that it has never seen."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from statistics import mean, pstdev

from pipeline.chat import Kind, Twin, load_twin, read_model
from pipeline.dataset import Dataset, read_dataset
from pipeline.errors import ChatError
from pipeline.evaluation.authorship import check_authorship
from pipeline.evaluation.canaries import exposure_of, read_canaries
from pipeline.evaluation.classifier_accuracy import classifier_accuracy
from pipeline.evaluation.exam import Candidate, Exam, write_exam
from pipeline.evaluation.leaks import TrainingText, leaks_of
from pipeline.evaluation.picture import write_picture
from pipeline.evaluation.relevance import relevance_of
from pipeline.evaluation.replies import (
    HeldOut,
    Moment,
    Reply,
    answers_of,
    even_sample,
    held_out,
    loss_of,
    losses_at,
    prompts_at,
    sample_replies,
)
from pipeline.evaluation.style import style_distance
from pipeline.evaluation.tuning import tune_generation, tuning_moments, write_generation
from pipeline.inference import GenerationConfig, LoadedModels, Prompts
from pipeline.progress import SILENT, Progress
from pipeline.prompt import Message
from pipeline.runs import RunFolder

__all__ = ["FEWEST_MOMENTS", "evaluate", "held_out_moments", "while_there"]

FEWEST_MOMENTS = 20  # with fewer, style and classifier say nothing
ENOUGH_MOMENTS = 100  # with fewer, the exam says how rough it is
FEWEST_TO_DIFFER = 5  # with fewer, not even how far they differ can be told
ROUNDS = 2  # of the twin's replies: with one, the mean length of a hundred is off by a tenth every third time
# Tokens that replies of a model that seldom ends may have: longer ones would take minutes and say no more.
QUICK_TOKENS, FULL_TOKENS = 64, 96
KINDS: tuple[Kind, ...] = ("twin", "prompted base", "base")
# Seconds that the parts of a quick and of a full exam take with the starter model on two cores; a bar needs no more.
QUICK_SECONDS: dict[str, float] = {"tuning": 40, "base": 10, "prompted base": 5, "twin": 25}
FULL_SECONDS: dict[str, float] = {"tuning": 40, "base": 70, "prompted base": 80, "twin": 60}
READING = 0.2  # of a candidate's part goes to reading the held-out rows, and
CONTEXT = 0.4  # of a candidate's part of a full exam goes to what it makes of the context


@dataclass(frozen=True)
class _Examinee:
    """Who is examined, with the held-out rows as it reads them and the moments at which it replies."""

    kind: Kind
    twin: Twin
    held: HeldOut
    prompts: Prompts
    chosen: list[int]

    @property
    def moments(self) -> list[Moment]:
        """Those at which it replies."""
        return [self.held.moments[i][0] for i in self.chosen]


@dataclass(frozen=True)
class _Examined:
    """A candidate with the replies that it gave, the conversations that they go on from, and how they were sampled."""

    candidate: Candidate
    replies: list[str]
    histories: list[list[Message]]
    generation: GenerationConfig


def evaluate(
    run_dir: Path,
    *,
    samples: int = 100,
    full: bool = False,
    progress: Progress = SILENT,
    loaded: LoadedModels | None = None,
) -> Exam:
    """Examine a finished run on its held-out rows and keep the result in the run's folder.

    samples: held-out moments, spread evenly, at which the twin replies: twice at each, oftener where there are fewer.
    full: a reply of each base model at every moment, too, relevance and the check of the chat itself; a quick exam has
    few replies of the base model and none of the prompted one. Sampling is tuned first where the run has none yet.
    Writes exam.json and, as a picture, exam.png. Raises ChatError.
    """
    loaded = loaded or LoadedModels()
    progress = while_there(run_dir, progress)
    folder = RunFolder(run_dir)
    dataset = read_dataset(folder.dataset.path)
    if not dataset.validation:
        raise ChatError("No replies were held out of this dataset: give it a validation share and train again.")
    examined = _examine_all(run_dir, dataset, samples, progress, loaded, full=full)
    learned = TrainingText(dataset.train)
    moments = held_out_moments(run_dir)
    real = [moments[i].reply for i in even_sample(len(moments), samples)]
    copied = [_with_leaks(examined[kind], learned, examined["base"].replies) for kind in KINDS]
    exam = Exam(
        made_at=datetime.now(),
        person=dataset.config.person,
        model=read_model(run_dir),
        held_out_replies=dataset.summary.validation_replies,
        candidates=(*copied, _person(dataset, moments, learned, samples)),
        full=full,
        authorship=check_authorship(dataset.train, dataset.validation) if full else None,
        generation=examined["twin"].generation,
        notes=few_replies(real, dataset.summary.validation_replies),
    )
    progress(1)
    write_exam(exam, run_dir)
    write_picture(exam, folder.picture)
    return exam


def _examine_all(
    run_dir: Path, dataset: Dataset, samples: int, progress: Progress, loaded: LoadedModels, *, full: bool
) -> dict[Kind, _Examined]:
    """The twin, its sampling tuned where it has not been, and those that it is measured against."""
    canaries = read_canaries(RunFolder(run_dir).dataset.path)
    examined: dict[Kind, _Examined] = {}
    seconds = dict(FULL_SECONDS if full else QUICK_SECONDS)
    if tuned := RunFolder(run_dir).generation.is_file():
        del seconds["tuning"]
    total = sum(seconds.values())
    for kind in KINDS:
        who = _examinee(kind, load_twin(run_dir, kind=kind, loaded=loaded), dataset, samples, full=full)
        if kind == "twin" and not tuned:
            who = _tuned(who, run_dir, progress.part(seconds["tuning"] / total, "Examining how long replies should be"))
        done = _examine(who, samples, progress.part(seconds[kind] / total), full=full)
        exposure = exposure_of(who.twin, dataset.train, canaries) if kind != "prompted base" else None
        examined[kind] = replace(done, candidate=done.candidate.model_copy(update={"exposure": exposure}))
    return examined


def while_there(run_dir: Path, progress: Progress) -> Progress:
    """This progress, cancelled once the run was deleted: nobody is to be examined any more."""

    def show(share: float, what: str) -> None:
        progress(share, what=what)

    return Progress(show, lambda: not RunFolder(run_dir).exists)


def few_replies(real: Sequence[str], held_out: int) -> tuple[str, ...]:
    """A sentence where few replies are examined: how far apart two means of as many lengths are by chance alone."""
    if len(real) >= ENOUGH_MOMENTS:
        return ()
    lengths = [len(reply) for reply in real]
    chance = 1.96 * (2 / len(real)) ** 0.5 * pstdev(lengths) / mean(lengths)
    missing = (
        "" if len(real) >= FEWEST_MOMENTS else " Style, copies and the classifier need at least 20 and are left out."
    )
    more = "hold out a larger share, or take a longer chat" if held_out < ENOUGH_MOMENTS else "examine more of them"
    rough = (
        f"Only {len(real)} real replies were examined, so every figure is rough: mean lengths of so few differ by up "
        f"to {chance:.0%} by chance."
    )
    if len(real) < FEWEST_TO_DIFFER:
        rough = "Hardly any real replies were examined, so no figure says much."
    return (f"{rough}{missing} For firmer ones {more}.",)


def _examinee(kind: Kind, twin: Twin, dataset: Dataset, samples: int, *, full: bool) -> _Examinee:
    """A candidate and the held-out rows as it reads them. Base models reply less often."""
    held = held_out(twin, dataset.validation)
    if kind != "twin" and not full:
        samples = max(1, samples // 4) if kind == "base" else 0
    chosen = even_sample(len(held.moments), samples)
    places = sorted({*chosen, *tuning_moments(held)}) if kind == "twin" else chosen
    return _Examinee(kind, twin, held, prompts_at(twin, held, places), chosen)


def _tuned(who: _Examinee, run_dir: Path, progress: Progress) -> _Examinee:
    """The twin with its sampling tuned, which the run's folder keeps."""
    who.prompts.read(progress.part(READING))
    generation = tune_generation(who.twin, who.held, who.prompts, progress.part(1 - READING))
    write_generation(generation, run_dir)
    return replace(who, twin=replace(who.twin, generation=generation))


def _examine(who: _Examinee, samples: int, progress: Progress, *, full: bool) -> _Examined:
    """One candidate on the held-out rows; what it copies from training is looked for later."""
    kind, twin, moments = who.kind, who.twin, who.moments
    config = twin.generation.model_copy(update={"seed": 0})
    if kind != "twin":
        config = config.model_copy(update={"max_new_tokens": FULL_TOKENS if full else QUICK_TOKENS})
    rounds = ROUNDS * samples // len(moments) if kind == "twin" else 1
    nats = losses_at(who.held, who.prompts.read(progress.part(READING, f"Examining the {kind}")))
    replying = progress.part(1 - READING - (CONTEXT if full else 0), f"Examining the {kind}")
    made = sample_replies(twin, who.held, who.prompts, who.chosen, [config] * rounds, replying) if moments else []
    replies = [reply for one in made for reply in one]
    said, real = [reply.text for reply in replies], [moment.reply for moment in moments]
    enough = len(real) >= FEWEST_MOMENTS and (kind == "twin" or full)
    context = progress.part(CONTEXT, f"Examining what the {kind} makes of the context")
    candidate = Candidate(
        name=kind,
        loss=loss_of(who.held, nats),
        answers=answers_of(replies, config.max_new_tokens) if replies else None,
        style=style_distance(said[: len(real)], real) if enough else None,  # it depends on how many there are
        classifier=classifier_accuracy(said, real) if enough else None,
        relevance=relevance_of(twin, [m for m, *_ in who.held.moments], progress=context) if full else None,
    )
    return _Examined(candidate, said, [moment.history for moment in moments] * rounds, twin.generation)


def _with_leaks(done: _Examined, learned: TrainingText, base_replies: Sequence[str]) -> Candidate:
    """The candidate with what its replies repeat of training, beside those of the base model."""
    if done.candidate.classifier is None:
        return done.candidate
    others = base_replies if done.candidate.name != "base" else ()
    leaks = leaks_of(done.replies, done.histories, learned, others)
    return done.candidate.model_copy(update={"leaks": leaks})


def _person(dataset: Dataset, moments: Sequence[Moment], learned: TrainingText, samples: int) -> Candidate:
    """The person against themself: earlier replies, as many, judged like a candidate's.

    Topics change with time, so the classifier tells earlier replies from late ones, too; replies of the same days are
    the stricter mark.
    """
    chosen = even_sample(len(moments), samples)
    real = [moments[i].reply for i in chosen]
    earlier = [
        message["content"]
        for row in dataset.train
        for message in row.messages[row.learn_from :]
        if message["role"] == "assistant"
    ]
    count = min(len(earlier), len(real))
    said = [earlier[i] for i in even_sample(len(earlier), count)]
    histories = [moments[i].history for i in chosen]
    enough = count >= FEWEST_MOMENTS
    every = [moment.reply for moment in moments]
    odd = every[1::2]
    even = every[: 2 * len(odd) : 2]
    return Candidate(
        name="person",
        same_days=classifier_accuracy(even, odd) if len(odd) >= FEWEST_MOMENTS else None,
        answers=answers_of([Reply(text, "end_of_turn", 0) for text in real], None),
        style=style_distance(said, real[:count]) if enough else None,
        classifier=classifier_accuracy(said, real[:count]) if enough else None,
        leaks=leaks_of(real, histories, learned) if enough else None,
    )


def held_out_moments(run_dir: Path) -> list[Moment]:
    """The moments of the held-out part at which the person replied, in order: what was said, and the real reply."""
    rows = read_dataset(RunFolder(run_dir).dataset.path).validation
    return [
        Moment(row, index)
        for row in rows
        for index, message in enumerate(row.messages)
        if message["role"] == "assistant" and index >= row.learn_from
    ]
