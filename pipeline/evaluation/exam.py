"""What an exam finds, and its file in the run's folder."""

from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from pipeline.errors import ChatError
from pipeline.evaluation.authorship import AuthorshipCheck
from pipeline.evaluation.by_turn import ByTurn
from pipeline.evaluation.canaries import Exposure
from pipeline.evaluation.classifier_accuracy import ClassifierAccuracy
from pipeline.evaluation.leaks import Leaks
from pipeline.evaluation.relevance import Relevance
from pipeline.evaluation.replies import Answers, Loss
from pipeline.evaluation.style import Style
from pipeline.evaluation.swap import SwapTest
from pipeline.inference import GenerationConfig
from pipeline.runs import RunFolder
from pipeline.store import replace_text

__all__ = ["Candidate", "Exam", "Name", "read_exam", "write_exam"]

Name = Literal["twin", "base", "prompted base", "person"]


def _formerly(name: str, before: str) -> Any:
    """A field that stands empty, and had another name in the files of earlier versions."""
    return Field(default=None, validation_alias=AliasChoices(name, before))


class Candidate(BaseModel):
    """One who sits the exam: the twin, what it is measured against, and the person as the mark to reach."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    loss: Loss | None = None
    answers: Answers | None = None
    style: Style | None = None
    classifier: ClassifierAccuracy | None = _formerly("classifier", "told")
    relevance: Relevance | None = None
    leaks: Leaks | None = None
    exposure: Exposure | None = None
    same_days: ClassifierAccuracy | None = None  # of the person: every other held-out reply against the rest


class Exam(BaseModel):
    """How a twin does on the held-out end of the chat."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    made_at: datetime
    person: str
    model: str
    held_out_replies: int
    candidates: tuple[Candidate, ...]
    full: bool = False
    authorship: AuthorshipCheck | None = _formerly("authorship", "hand")
    generation: GenerationConfig | None = None  # how the twin's replies were sampled
    swap: SwapTest | None = None
    by_turn: ByTurn | None = None
    notes: tuple[str, ...] = ()  # sentences on how far its figures can be trusted

    def of(self, name: Name) -> Candidate | None:
        """The candidate of this name, where it sat the exam."""
        return next((c for c in self.candidates if c.name == name), None)


def write_exam(exam: Exam, run_dir: Path) -> Path:
    """Keep an exam in the run's folder, replacing the one before."""
    path = RunFolder(run_dir).exam
    replace_text(path, exam.model_dump_json(indent=1))
    return path


def read_exam(run_dir: Path) -> Exam | None:
    """The exam of a run, or None where it has not been examined. Raises ChatError where the file is not an exam."""
    path = RunFolder(run_dir).exam
    if not path.is_file():
        return None
    try:
        return Exam.model_validate_json(path.read_text(encoding="utf-8"))
    except ValidationError as error:
        raise ChatError("This run's exam was made by another version: run the exam again.") from error
