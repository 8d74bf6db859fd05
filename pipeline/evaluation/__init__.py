"""Adapter to how much it sounds like the person."""

from pipeline.evaluation.discriminator import Hand, Told, one_hand, tell_apart
from pipeline.evaluation.evaluate import Progress, evaluate, held_out_moments
from pipeline.evaluation.exam import Candidate, Exam, read_exam, write_exam
from pipeline.evaluation.leaks import Canary, Leaks, Seen, canary_exposure, leaks_of, make_canary, plant_canary
from pipeline.evaluation.relevance import Relevance
from pipeline.evaluation.replies import Answers, Loss, Moment
from pipeline.evaluation.style import Style, style_distance
from pipeline.evaluation.table import exam_rows, exam_text
from pipeline.evaluation.tuning import tune_generation, write_generation

__all__ = [
    "Answers",
    "Canary",
    "Candidate",
    "Exam",
    "Hand",
    "Leaks",
    "Loss",
    "Moment",
    "Progress",
    "Relevance",
    "Seen",
    "Style",
    "Told",
    "canary_exposure",
    "evaluate",
    "exam_rows",
    "exam_text",
    "held_out_moments",
    "leaks_of",
    "make_canary",
    "one_hand",
    "plant_canary",
    "read_exam",
    "style_distance",
    "tell_apart",
    "tune_generation",
    "write_exam",
    "write_generation",
]
