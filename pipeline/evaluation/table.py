"""An exam as rows of text, for the terminal, the tab and the card."""

from collections.abc import Callable

from pydantic import BaseModel

from pipeline.evaluation.exam import Candidate, Exam

__all__ = ["exam_rows", "exam_text"]


def _share(value: float) -> str:
    return f"{value:.0%}" if value in (0, 1) or 0.1 <= value <= 0.9 else f"{value:.1%}"


# (what is measured, which result and field it is, how it is written)
_LINES: tuple[tuple[str, str, str, Callable[[float], str]], ...] = (
    ("Surprise at the real replies, bits a character", "loss", "bits_per_character", "{:.3f}".format),
    ("Surprise, nats a token", "loss", "nats_per_token", "{:.3f}".format),
    ("Surprise at where a reply ends, nats", "loss", "end_of_turn_nats", "{:.2f}".format),
    ("Replies that end by themselves", "answers", "ended", _share),
    ("Tokens allowed", "answers", "most_tokens", "{:,}".format),
    ("Speaks for the other side", "answers", "other_side", _share),
    ("Falls into a loop", "answers", "repeats", _share),
    ("Characters a reply", "answers", "mean_characters", "{:.0f}".format),
    ("Bubbles a reply", "answers", "mean_bubbles", "{:.1f}".format),
    ("Distance in style, 0 to 1", "style", "overall", "{:.2f}".format),
    ("A classifier tells it from the person", "told", "accuracy", "{:.0%}".format),
    ("  95 % interval, from", "told", "low", "{:.0%}".format),
    ("  to", "told", "high", "{:.0%}".format),
    ("What the context helps, nats a token", "relevance", "gain", "{:.2f}".format),
    ("Knows the true reply among eight", "relevance", "first", "{:.0%}".format),
    ("Longest copy from training, characters", "leaks", "longest_copy", "{:,}".format),
    ("Replies with a copy of 30 characters", "leaks", "copies", _share),
    ("Replies with personal data from training", "leaks", "personal_from_training", "{:,}".format),
)


def exam_rows(exam: Exam) -> tuple[list[str], list[list[str]]]:
    """(header, rows): what is measured, then one column for each candidate; lines that nobody has are left out."""
    header = ["", *(candidate.name for candidate in exam.candidates)]
    rows = []
    for label, result, field, write in _LINES:
        cells = [_cell(candidate, result, field, write) for candidate in exam.candidates]
        if any(cells):
            rows.append([label, *cells])
    return header, rows


def _cell(candidate: Candidate, result: str, field: str, write: Callable[[float], str]) -> str:
    found: BaseModel | None = getattr(candidate, result)
    value = getattr(found, field) if found else None
    return "" if value is None else write(value)


def exam_text(exam: Exam) -> str:
    """The exam as aligned lines for a terminal."""
    header, rows = exam_rows(exam)
    table = [header, *rows]
    widths = [max(len(line[column]) for line in table) for column in range(len(header))]
    lines = [
        "  ".join([line[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(line[1:], widths[1:], strict=True))])
        for line in table
    ]
    lines.insert(1, "-" * len(lines[0]))
    title = f"{exam.person}'s twin ({exam.model}) on {exam.held_out_replies} replies that it has never seen"
    warning = exam.hand.warning if exam.hand else None
    return "\n".join([title, "", *lines, *(["", warning] if warning else [])])
