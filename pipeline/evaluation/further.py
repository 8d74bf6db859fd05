"""Figures that an exam has when they are asked for: the swap test, and the twin turn by turn."""

from pathlib import Path

from pipeline.errors import ChatError
from pipeline.evaluation.by_turn import by_turn as hold_conversations
from pipeline.evaluation.evaluate import evaluate, while_there
from pipeline.evaluation.exam import Exam, read_exam, write_exam
from pipeline.evaluation.swap import swap_test
from pipeline.inference import LoadedModels
from pipeline.progress import SILENT, Progress

__all__ = ["examine_further"]


def examine_further(
    run_dir: Path,
    *,
    swap: Path | None = None,
    by_turn: bool = False,
    full: bool = False,
    samples: int = 100,
    progress: Progress = SILENT,
    loaded: LoadedModels | None = None,
) -> Exam:
    """Add figures to a run's exam, which is taken first where there is none, or none that is `full`.

    swap: the run of another person, for the swap test. by_turn: conversations of ten turns, with the twin of `swap`,
    too, where it is given. Raises ChatError.
    """
    if swap is None and not by_turn:
        raise ChatError("Nothing was asked for: choose another person's run, or the figures by turn.")
    loaded = loaded or LoadedModels()
    progress = while_there(run_dir, progress)
    exam = read_exam(run_dir)
    left = 1.0
    if exam is None or (full and not exam.full):
        exam = evaluate(run_dir, samples=samples, full=full, progress=progress.part(0.5), loaded=loaded)
        left = 0.5
    share = left / (2 if swap and by_turn else 1)
    if swap is not None:
        found = swap_test(run_dir, swap, samples=samples, progress=progress.part(share), loaded=loaded)
        exam = exam.model_copy(update={"swap": found})
    if by_turn:
        turns = hold_conversations(run_dir, swap, progress=progress.part(share), loaded=loaded)
        exam = exam.model_copy(update={"by_turn": turns})
    progress(1)
    write_exam(exam, run_dir)
    return exam
