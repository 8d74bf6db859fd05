"""What a file's punctuation, markers and language say of the order of its dates, where the dates themselves do not."""

from pipeline.messages.headers import Form
from pipeline.messages.order import Hint
from pipeline.messages.strings import Bytes

__all__ = ["find_hints"]


def find_hints(data: Bytes, form: Form) -> list[Hint]:
    """Locale hints, the best first."""
    hints = []
    if form.separator == ".":
        hints.append(Hint("dmy", True, "Where dates are written with dots, the day comes before the month."))
    markers = {word.strip() for word in form.marker_words}
    if markers & {"AM", "PM"} and form.separator == "/":
        hints.append(Hint("mdy", False, "AM and PM in capitals are usual where the month comes first."))
    elif markers & {"am", "pm", "a.m.", "p.m.", "a. m.", "p. m."}:
        hints.append(Hint("dmy", False, "am and pm in small letters are usual where the day comes first."))
    return hints
