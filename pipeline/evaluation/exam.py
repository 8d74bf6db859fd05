"""What an exam finds, and its file in the run's folder."""

from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.errors import ChatError

__all__ = ["Answers", "Candidate", "Exam", "Loss", "Name", "read_exam", "write_exam"]

Name = Literal["twin", "base", "prompted base", "person"]
FILE = "exam.json"


class _Result(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Loss(_Result):
    """How surprised a model is by what the person really replied; lower is better.

    Nats a token and bits a character of the replies with their end-of-turn tokens, the same of the words alone, and
    nats of the end-of-turn tokens alone.
    """

    replies: int
    tokens: int
    characters: int
    nats_per_token: float
    bits_per_character: float
    words_nats_per_token: float
    words_bits_per_character: float
    end_of_turn_nats: float


class Answers(_Result):
    """What sampled replies do. Shares from 0 to 1; lengths in characters."""

    sampled: int
    most_tokens: int
    ended: float  # by an end-of-turn token
    other_side: float  # begin to speak for the other side
    repeats: float  # fall into a loop
    mean_characters: float
    mean_bubbles: float


class Candidate(_Result):
    """One who sits the exam: the twin, what it is measured against, and the person as the mark to reach."""

    name: Name
    loss: Loss | None = None
    answers: Answers | None = None


class Exam(_Result):
    """How a twin does on the held-out end of the chat."""

    made_at: datetime
    person: str
    model: str
    held_out_replies: int
    candidates: tuple[Candidate, ...]

    def of(self, name: Name) -> Candidate | None:
        """The candidate of this name, where it sat the exam."""
        return next((c for c in self.candidates if c.name == name), None)


def write_exam(exam: Exam, run_dir: Path) -> Path:
    """Keep an exam in the run's folder, replacing the one before."""
    path = run_dir / FILE
    scratch = path.with_suffix(".tmp")
    scratch.write_text(exam.model_dump_json(indent=1), encoding="utf-8")
    scratch.replace(path)
    return path


def read_exam(run_dir: Path) -> Exam | None:
    """The exam of a run, or None where it has not been examined. Raises ChatError where the file is not an exam."""
    path = run_dir / FILE
    if not path.is_file():
        return None
    try:
        return Exam.model_validate_json(path.read_text(encoding="utf-8"))
    except ValidationError as error:
        raise ChatError("This run's exam was made by another version: run the exam again.") from error
