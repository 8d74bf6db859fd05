"""Adapter to how much it sounds like the person."""

from pipeline.evaluation import blind
from pipeline.evaluation.authorship import AuthorshipCheck, check_authorship
from pipeline.evaluation.blind import Game, Invitation, Outcome, Question, Round, Score, make_rounds
from pipeline.evaluation.by_turn import ByTurn, TurnFigures, by_turn
from pipeline.evaluation.canaries import (
    Canary,
    Exposure,
    canary_exposure,
    make_canary,
    plant_canaries,
    plant_canary,
    read_canaries,
    write_canaries,
)
from pipeline.evaluation.classifier_accuracy import ClassifierAccuracy, classifier_accuracy
from pipeline.evaluation.evaluate import evaluate, held_out_moments
from pipeline.evaluation.exam import Candidate, Exam, read_exam, write_exam
from pipeline.evaluation.further import examine_further
from pipeline.evaluation.leaks import Leaks, TrainingText, leaks_of
from pipeline.evaluation.learning_curve import LearningCurvePoint, learning_curve, read_learning_curve, verdict
from pipeline.evaluation.picture import write_picture
from pipeline.evaluation.relevance import Relevance
from pipeline.evaluation.replies import Answers, Loss, Moment
from pipeline.evaluation.style import Style, style_distance
from pipeline.evaluation.swap import SwapSide, SwapTest, swap_test
from pipeline.evaluation.table import QUICK_NOTE, exam_markdown, exam_notes, exam_rows, exam_text, turn_rows
from pipeline.evaluation.tuning import tune_generation, write_generation

__all__ = [
    "QUICK_NOTE",
    "Answers",
    "AuthorshipCheck",
    "ByTurn",
    "Canary",
    "Candidate",
    "ClassifierAccuracy",
    "Exam",
    "Exposure",
    "Game",
    "Invitation",
    "Leaks",
    "LearningCurvePoint",
    "Loss",
    "Moment",
    "Outcome",
    "Question",
    "Relevance",
    "Round",
    "Score",
    "Style",
    "SwapSide",
    "SwapTest",
    "TrainingText",
    "TurnFigures",
    "blind",
    "by_turn",
    "canary_exposure",
    "check_authorship",
    "classifier_accuracy",
    "evaluate",
    "exam_markdown",
    "exam_notes",
    "exam_rows",
    "exam_text",
    "examine_further",
    "held_out_moments",
    "leaks_of",
    "learning_curve",
    "make_canary",
    "make_rounds",
    "plant_canaries",
    "plant_canary",
    "read_canaries",
    "read_exam",
    "read_learning_curve",
    "style_distance",
    "swap_test",
    "tune_generation",
    "turn_rows",
    "verdict",
    "write_canaries",
    "write_exam",
    "write_generation",
    "write_picture",
]
