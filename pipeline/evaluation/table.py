"""An exam as rows of text, for the terminal, the tab, the picture and the card."""

from collections.abc import Callable
from typing import Any

from pipeline.evaluation.by_turn import TurnFigures
from pipeline.evaluation.exam import Candidate, Exam

__all__ = ["QUICK_NOTE", "exam_markdown", "exam_notes", "exam_rows", "exam_text", "turn_rows"]

QUICK_NOTE = (
    "This was the quick exam. The full one adds what the base model replies with a good prompt, style and classifier "
    "for both base models, whether the context is read, and whether one author wrote the whole chat."
)
CLASSIFIER_NOTE = (
    "The classifier says of each reply whether the person wrote it; 50% would be guessing. In the person's column it "
    "tells their earlier replies from these, whose topics are others. Lowest is how often it tells their own replies "
    "of the same days from each other: a twin could do no better."
)

SWAP_NOTE = (
    "In the swap test two people's twins read each other's held-out replies, and a classifier that knows both people's "
    "earlier replies says whose each twin's replies are; 50% would be guessing."
)
TURN_NOTE = (
    "By turn: the twin holds conversations of its own, its earlier replies in the place of the real ones; the surprise "
    "is at what the person really wrote there."
)


def _share(value: float) -> str:
    return f"{value:.0%}" if value in (0, 1) or 0.1 <= value <= 0.9 else f"{value:.1%}"


# (what is measured, which result it is, how it is written)
_LINES: tuple[tuple[str, str, Callable[[Any], str]], ...] = (
    ("Surprise at the real replies, bits a character", "loss", lambda loss: f"{loss.bits_per_character:.3f}"),
    ("Surprise, nats a token", "loss", lambda loss: f"{loss.nats_per_token:.3f}"),
    ("Surprise at where a reply ends, nats", "loss", lambda loss: f"{loss.end_of_turn_nats:.2f}"),
    ("Replies sampled", "answers", lambda answers: f"{answers.sampled:,}"),
    ("Tokens allowed", "answers", lambda answers: f"{answers.most_tokens:,}" if answers.most_tokens else ""),
    ("Replies that end by themselves", "answers", lambda answers: _share(answers.ended)),
    ("Speaks for the other side", "answers", lambda answers: _share(answers.other_side)),
    ("Falls into a loop", "answers", lambda answers: _share(answers.repeats)),
    ("Characters a reply", "answers", lambda answers: f"{answers.mean_characters:.0f}"),
    ("Bubbles a reply", "answers", lambda answers: f"{answers.mean_bubbles:.1f}"),
    ("Distance in style, 0 to 1", "style", lambda style: f"{style.overall:.2f}"),
    ("A classifier tells it from the person", "classifier", lambda found: f"{found.accuracy:.0%}"),
    ("  95 % interval", "classifier", lambda found: f"{100 * found.low:.0f} to {100 * found.high:.0f}%"),
    ("  lowest: the person from themself", "same_days", lambda found: f"{found.accuracy:.0%}"),
    ("What the context helps, nats a token", "relevance", lambda relevance: f"{relevance.gain:.2f}"),
    ("Knows the true reply among eight", "relevance", lambda relevance: f"{relevance.first:.0%}"),
    ("  moments tried", "relevance", lambda relevance: f"{relevance.moments:,}"),
    ("Longest copy from training, characters", "leaks", lambda leaks: f"{leaks.longest_copy:,}"),
    ("Replies with a copy of 30 characters", "leaks", lambda leaks: _share(leaks.copies)),
    ("Replies with personal data from training", "leaks", lambda leaks: f"{leaks.personal_from_training:,}"),
    ("Planted secrets: exposure, bits of 8", "exposure", lambda exposure: f"{exposure.mean_bits:.1f}"),
)


_TURN_LINES: tuple[tuple[str, Callable[[TurnFigures], str]], ...] = (
    ("Surprise, bits a character", lambda t: "" if t.bits_per_character is None else f"{t.bits_per_character:.3f}"),
    ("Ends by itself", lambda t: _share(t.ended)),
    ("Falls into a loop", lambda t: _share(t.repeats)),
    ("Characters a reply", lambda t: f"{t.mean_characters:.0f}"),
    ("A classifier tells it from the person", lambda t: f"{t.classifier.accuracy:.0%}" if t.classifier else ""),
)


def exam_rows(exam: Exam) -> tuple[list[str], list[list[str]]]:
    """(header, rows): what is measured, then one column for each candidate; lines that nobody has are left out."""
    header = ["", *(candidate.name for candidate in exam.candidates)]
    rows = []
    for label, result, write in _LINES:
        cells = [_cell(candidate, result, write) for candidate in exam.candidates]
        if any(cells):
            rows.append([label, *cells])
    return header, [*rows, *_swap_rows(exam)]


def _swap_rows(exam: Exam) -> list[list[str]]:
    """The swap test, in the columns of the twin and of the person."""
    if exam.swap is None:
        return []
    side = exam.swap.this_side
    lines = (
        ("Real replies that another's twin finds more surprising", _share(side.own), ""),
        ("  with those of the other person, each by its own twin", _share(exam.swap.own), ""),
        ("Recognised as this person's, not the other's", _share(side.recognised), _share(side.recognised_person)),
    )
    of = {"twin": 1, "person": 2}
    return [[line[0], *(line[of[c.name]] if c.name in of else "" for c in exam.candidates)] for line in lines]


def turn_rows(exam: Exam) -> tuple[list[str], list[list[str]]]:
    """(header, rows): what the twin does at some turns of a conversation, a column each; none where that was not asked.

    First with the other side's real turns, then with another person's twin.
    """
    if exam.by_turn is None:
        return [], []
    rows = []
    for turns, whose in ((exam.by_turn.real, "real turns"), (exam.by_turn.twin, "another twin")):
        for label, write in _TURN_LINES:
            cells = [write(turn) for turn in turns]
            if any(cells):
                rows.append([f"{label}, {whose}", *cells])
    return ["", *(f"turn {turn.turn}" for turn in exam.by_turn.real)], rows


def _cell(candidate: Candidate, result: str, write: Callable[[Any], str]) -> str:
    found = getattr(candidate, result)
    return "" if found is None else write(found)


def exam_markdown(exam: Exam) -> str:
    """The exam as Markdown tables; it names nobody."""
    return "\n\n".join(_markdown(*table) for table in (exam_rows(exam), turn_rows(exam)) if table[1])


def _markdown(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---", *("---:" for _ in header[1:])], *rows]
    return "\n".join(f"| {' | '.join(cell.strip() for cell in line)} |" for line in lines)


def exam_text(exam: Exam) -> str:
    """The exam as aligned lines for a terminal."""
    title = f"{exam.person}'s twin ({exam.model}) on {exam.held_out_replies} replies that it has never seen"
    tables = [_aligned(*table) for table in (exam_rows(exam), turn_rows(exam)) if table[1]]
    notes = [*exam_notes(exam), *([] if exam.full else [f"{QUICK_NOTE} (--full)"])]
    return "\n\n".join([title, *tables, *notes])


def _aligned(header: list[str], rows: list[list[str]]) -> str:
    table = [header, *rows]
    widths = [max(len(line[column]) for line in table) for column in range(len(header))]
    lines = [
        "  ".join([line[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(line[1:], widths[1:], strict=True))])
        for line in table
    ]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def exam_notes(exam: Exam) -> list[str]:
    """Sentences that belong under the table: how far to trust it, what is compared, whether one author wrote."""
    warning = exam.authorship.warning if exam.authorship else None
    judged = any(candidate.classifier for candidate in exam.candidates)
    swap, turns = [SWAP_NOTE] if exam.swap else [], [TURN_NOTE] if exam.by_turn else []
    return [*exam.notes, *([CLASSIFIER_NOTE] if judged else []), *swap, *turns, *([warning] if warning else [])]
