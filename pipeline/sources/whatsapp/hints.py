"""What a file's punctuation, markers and language say of the order of its dates, where the dates themselves do not."""

from collections.abc import Iterable

from pipeline.sources.whatsapp.headers import Form
from pipeline.sources.whatsapp.kinds import Matcher
from pipeline.sources.whatsapp.order import Hint

__all__ = ["find_hints"]

# Languages all of whose locales write short dates with this separator in one order (CLDR; a test compares). Spanish is
# left out of "/": the phones of Panama and Puerto Rico put the month first; so is English.
ORDERS = {
    ("/", "dmy"): "ar bn ca el fr gu hi id it kn ml mr ms nl pt sw ta te th ur vi",
    ("/", "mdy"): "fil",
    ("/", "ymd"): "ja",
    ("-", "dmy"): "es nl",
    ("-", "ymd"): "af fr lt sv",
    (". ", "ymd"): "hu ko",
}
_SAYS = {"dmy": "the day before the month", "mdy": "the month first", "ymd": "the year first"}


def find_hints(form: Form, bodies: Iterable[str]) -> list[Hint]:
    """Locale hints, the best first, from the form of the headers and the app's own lines among the bodies."""
    matcher = Matcher()
    for body in bodies:
        matcher.match(body)
    language, markers = matcher.language, {word.strip() for word in form.marker_words}
    eastern = any("\u1100" <= char <= "\u9fff" or "\uac00" <= char <= "\ud7a3" for word in markers for char in word)
    if form.year_at == 2 and (eastern or language == "zh"):
        return [Hint("dmy", True, "Where Chinese phones put the year last, the day comes before the month.")]
    if eastern or (form.separator != "." and language == "zh"):
        return [Hint("ymd", True, "Phones in Chinese, Japanese and Korean write the year first.")]
    if "(" in form.example:
        return [Hint("ymd", True, "Phones in Basque, which put the time in parentheses, write the year first.")]
    separator = ". " if ". " in form.example else form.separator
    for (sign, order), languages in ORDERS.items():
        if separator == sign and language in languages.split():
            return [Hint(order, True, f"The language of the app's own lines is one that puts {_SAYS[order]}.")]
    if form.separator == ".":
        return [Hint("dmy", True, "Where dates are written with dots, the day comes before the month.")]
    english = language in (None, "en")
    american = form.separator == "/" and not form.padded and form.year_at is None and english
    if american and markers & {"AM", "PM"}:
        return [Hint("mdy", False, "Dates like 1/4/23 with AM and PM are usual where the month comes first.")]
    if american and language == "en":
        return [Hint("mdy", False, "English with dates like 1/4/23 is usual where the month comes first.")]
    if markers:
        return [Hint("dmy", False, "Most places that write times like this put the day before the month.")]
    return []
