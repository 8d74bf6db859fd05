"""Finding personal data in one message by its form."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from pipeline.redact.config import Kind
from pipeline.redact.patterns import (
    ADDRESS,
    DOMAIN,
    EMAIL,
    IBAN,
    LINK,
    NUMBER,
    POSTCODE,
    is_card,
    is_iban,
    is_plain_number,
)

__all__ = ["Span", "find"]

# Tried for numbers without a country code where no country is given: by number of WhatsApp users, about.
COUNTRIES = (
    "IN", "BR", "US", "DE", "GB", "ES", "IT", "FR", "MX", "TR", "ID", "NL", "PT", "AR", "PL", "ZA", "NG", "RU", "PK",
    "CO", "CL", "PE", "AT", "CH", "BE", "SE", "AU", "CA", "IL", "AE", "SA", "EG", "KE", "MY", "SG", "JP", "KR", "CN",
)  # fmt: skip
FEWEST_DIGITS = 7
TAKEN = "\0"  # stands where something was found already
URL_TAIL = ".,;:!?)]}>'\"…*_~"


class Span(NamedTuple):
    """Where something stands in a text, what it is, and a form of it that is the same however it is written."""

    start: int
    end: int
    kind: Kind
    value: str


def find(text: str, kinds: Collection[Kind], countries: Sequence[str] = ()) -> list[Span]:
    """What `text` holds of these kinds, in order, without overlaps; the surer form wins (a card is no phone)."""
    found: list[Span] = []
    free = text
    digits = sum(map(str.isdecimal, text))
    for fewest, finder in FINDERS:
        for span in list(finder(free, countries)) if digits >= fewest else ():
            found.append(span)
            free = f"{free[: span.start]}{TAKEN * (span.end - span.start)}{free[span.end :]}"
    return sorted(span for span in found if span.kind in kinds)


Finder = Callable[[str, Sequence[str]], Iterator[Span]]


def find_links(text: str, _: Sequence[str]) -> Iterator[Span]:
    return trimmed_urls(text, LINK.finditer(text))


def find_domains(text: str, _: Sequence[str]) -> Iterator[Span]:
    return trimmed_urls(text, DOMAIN.finditer(text))


def trimmed_urls(text: str, matches: Iterable[re.Match[str]]) -> Iterator[Span]:
    for match in matches:
        end = match.start() + len(match[0].rstrip(URL_TAIL))
        if "(" in text[match.start() : end] and text[end : end + 1] == ")":
            end += 1
        yield Span(match.start(), end, "url", text[match.start() : end].casefold())


def find_emails(text: str, _: Sequence[str]) -> Iterator[Span]:
    for match in EMAIL.finditer(text):
        yield Span(match.start(), match.end(), "email", match[0].casefold())


def find_ibans(text: str, _: Sequence[str]) -> Iterator[Span]:
    for match in IBAN.finditer(text):
        length = is_iban(match[0])
        if length:
            value = match[0][:length].replace(" ", "").replace("-", "").upper()
            yield Span(match.start(), match.start() + length, "iban", value)


def find_cards(text: str, _: Sequence[str]) -> Iterator[Span]:
    for start, end, _written, digits in numbers(text):
        if is_card(digits):
            yield Span(start, end, "card", digits)


def find_numbers(text: str, countries: Sequence[str]) -> Iterator[Span]:
    for start, end, written, digits in numbers(text):
        if phone := phone_value(written, tuple(countries)):
            yield Span(start, end, "phone", phone)
        elif not is_plain_number(written) and len(digits) > FEWEST_DIGITS:
            yield Span(start, end, "number", digits)


def numbers(text: str) -> Iterator[tuple[int, int, str, str]]:
    """Runs of enough digits: start, end, as written, the digits alone."""
    for match in NUMBER.finditer(text):
        written = match[0].rstrip(" ()./–-\u00a0\u202f")
        digits = "".join(str(int(character)) for character in written if character.isdecimal())
        if len(digits) < FEWEST_DIGITS:
            continue
        start = match.start() + len(written) - len(written.lstrip())
        end = match.start() + len(written)
        if written.count("(") > written.count(")") and text[end : end + 1] == ")":
            end += 1
        yield start, end, written.strip(), digits


@lru_cache(maxsize=65536)
def phone_value(written: str, countries: tuple[str, ...]) -> str | None:
    """The number in its international form where it is a valid one, in these countries or with its own code."""
    import phonenumbers

    if is_plain_number(written):
        return None
    if written.startswith("00"):
        written = f"+{written[2:]}"
    for country in (None,) if written.startswith("+") else countries or COUNTRIES:
        try:
            number = phonenumbers.parse(written, country)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    return None


def find_addresses(text: str, _: Sequence[str]) -> Iterator[Span]:
    for match in ADDRESS.finditer(text):
        yield Span(match.start(), match.end(), "address", " ".join(match[0].casefold().split()))


def find_postcodes(text: str, _: Sequence[str]) -> Iterator[Span]:
    for match in POSTCODE.finditer(text):
        yield Span(match.start(), match.end(), "postcode", match[0].replace(" ", "").upper())


# In order, the surer forms first; each with the fewest digits that a text must have for it.
FINDERS: tuple[tuple[int, Finder], ...] = (
    (0, find_links),
    (0, find_emails),
    (0, find_domains),
    (12, find_ibans),
    (13, find_cards),
    (2, find_postcodes),
    (1, find_addresses),
    (FEWEST_DIGITS, find_numbers),
)
