"""What a file's punctuation, markers and language say of the order of its dates, where the dates themselves do not."""

from collections.abc import Iterable

from pipeline.messages.headers import Form
from pipeline.messages.kinds import Matcher
from pipeline.messages.order import Hint

__all__ = ["find_hints"]

# Languages all of whose locales write day, month, year with this separator (CLDR's short dates). Spanish is left out:
# the phones of Panama, Puerto Rico and the United States put the month first.
_DAY_FIRST = {
    "/": {"ar", "bn", "ca", "el", "fr", "gu", "hi", "id", "it", "kn", "ml", "mr", "ms", "pa", "pt", "sw", "ta", "th"},
    "-": {"nl", "te"},
}


def find_hints(form: Form, bodies: Iterable[str]) -> list[Hint]:
    """Locale hints, the best first, from the form of the headers and the app's own lines among the bodies."""
    matcher = Matcher()
    for body in bodies:
        matcher.match(body)
    language, markers = matcher.language, {word.strip() for word in form.marker_words}
    if any("\u1100" <= char <= "\u9fff" or "\uac00" <= char <= "\ud7a3" for word in markers for char in word):
        return [Hint("ymd", True, "Phones in Chinese, Japanese and Korean write the year first.")]
    if form.year_at is None and language in ("ko", "ja", "zh"):
        return [Hint("ymd", True, "Phones in this language write the year first.")]
    if "(" in form.example:
        return [Hint("ymd", True, "Phones in Basque, which put the time in parentheses, write the year first.")]
    if form.separator == ".":
        return [Hint("dmy", True, "Where dates are written with dots, the day comes before the month.")]
    if language in _DAY_FIRST.get(form.separator, ()):
        return [Hint("dmy", True, "The language of the app's own lines is one that puts the day before the month.")]
    english = language in (None, "en")
    american = form.separator == "/" and not form.padded and form.year_at is None and english
    if american and markers & {"AM", "PM"}:
        return [Hint("mdy", False, "Dates like 1/4/23 with AM and PM are usual where the month comes first.")]
    if american and language == "en":
        return [Hint("mdy", False, "English with dates like 1/4/23 is usual where the month comes first.")]
    if markers:
        return [Hint("dmy", False, "Most places that write times like this put the day before the month.")]
    return []
