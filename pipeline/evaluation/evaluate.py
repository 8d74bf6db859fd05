"""The exam: a twin, and what it is measured against, on the part of the chat that it has never seen."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

from pipeline.chat import LoadedModels, Twin, load_twin
from pipeline.chat.twin import read_model
from pipeline.dataset import Row, read_dataset
from pipeline.errors import ChatError
from pipeline.evaluation.exam import Candidate, Exam, Name, write_exam
from pipeline.evaluation.replies import answers_of, even_sample, held_out, loss_of, read_replies

__all__ = ["Progress", "evaluate"]

# What is being done, and the share done from 0 to 1.
Progress = Callable[[str, float], None]


def evaluate(
    run_dir: Path,
    *,
    samples: int = 100,
    candidates: Sequence[Name] = ("twin", "base"),
    progress: Progress = lambda what, done: None,
    loaded: LoadedModels | None = None,
) -> Exam:
    """Examine a finished run on its held-out rows and keep the result in the run's folder.

    samples: replies sampled from the twin, spread evenly over the held-out ones; from the others fewer and shorter
    ones, since a model that does not end takes the longest. Raises ChatError.
    """
    dataset = read_dataset(run_dir / "dataset")
    if not dataset.validation:
        raise ChatError("No replies were held out of this dataset: give it a validation share and train again.")
    made: list[Candidate] = []
    for name in candidates:
        twin = load_twin(run_dir, base=name != "twin", loaded=loaded)
        made.append(_examine(name, twin, dataset.validation, samples, partial(progress, f"the {name}")))
    exam = Exam(
        made_at=datetime.now(),
        person=dataset.config.person,
        model=read_model(run_dir),
        held_out_replies=dataset.summary.validation_replies,
        candidates=tuple(made),
    )
    write_exam(exam, run_dir)
    return exam


def _examine(name: Name, twin: Twin, rows: Sequence[Row], samples: int, progress: Callable[[float], None]) -> Candidate:
    held = held_out(twin, rows)
    generation = twin.generation
    if name != "twin":
        samples, generation = samples // 4, generation.model_copy(update={"max_new_tokens": 64})
    generation = generation.model_copy(update={"seed": generation.seed or 0})
    chosen = even_sample(len(held.moments), samples)
    nats, replies = read_replies(twin, held, chosen, generation, progress)
    return Candidate(name=name, loss=loss_of(held, nats), answers=answers_of(replies, generation.max_new_tokens))
