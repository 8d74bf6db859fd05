"""Adapter to how much it sounds like the person."""

from pipeline.evaluation.evaluate import Progress, evaluate
from pipeline.evaluation.exam import Answers, Candidate, Exam, Loss, read_exam, write_exam
from pipeline.evaluation.replies import Moment
from pipeline.evaluation.table import exam_rows, exam_text

__all__ = [
    "Answers",
    "Candidate",
    "Exam",
    "Loss",
    "Moment",
    "Progress",
    "evaluate",
    "exam_rows",
    "exam_text",
    "read_exam",
    "write_exam",
]
