"""Names and words of the user's own: aliases for the people of a chat, and finding them in what was written."""

import re
from collections.abc import Iterable, Mapping

import polars as pl

__all__ = ["alias_pattern", "aliases_by_form", "suggest_aliases", "word_pattern"]

# Neither men's nor women's, and short; a twin can answer to them, which it cannot to "Person 1".
ALIASES = (
    "Alex", "Robin", "Sam", "Kim", "Charlie", "Noor", "Jamie", "Toni", "Lou", "Micha", "Sasha", "Yuki", "Dani", "Rene",
    "Chris", "Jules", "Nicky", "Andrea", "Mika", "Rowan", "Ariel", "Kiran", "Luca", "Remy", "Quinn", "Taylor",
)  # fmt: skip

# First names that are everyday words too: masked only where they begin with a capital.
ALSO_WORDS = frozenset(
    """
    amber angel april art august autumn bill bob brook carol chance chase chip christian daisy dawn dick drew
    earnest faith forest frank gene grace grant guy hazel heather holly hope iris ivy jack jasmine jay jean
    jewel joy june lance lily major mark mary max may melody mercy miles nick olive page pat patience pearl
    penny peter pierce poppy ray reed rich rob robin rock rose ruby rusty sandy skip sky star sue summer ted
    terry tom van victor violet wade will willow woody sol luz rosa paz mar flor dolores blanca alma nieves cruz
    leon rey gloria consuelo pilar felix ernst wolf rosen lila heide can deniz gul umut baris su ela arda
    """.split()  # noqa: SIM905  a list of one word a line would hide the file
)
PART = re.compile(r"[^\W\d_][\w'’-]+")
SHORTEST_PART = 3
NOT_NAMES = frozenset(
    {"mama", "papa", "mom", "mum", "dad", "home", "work", "the", "and", "von", "van", "der", "den", "de"}
)


def suggest_aliases(messages: pl.DataFrame) -> dict[str, str]:
    """An alias for each sender, most messages first; no alias is a name that somebody in the chat has."""
    senders = messages["sender"].drop_nulls().value_counts(sort=True)["sender"].to_list()
    used = {part.casefold() for sender in senders for part in PART.findall(sender)}
    free = [alias for alias in ALIASES if alias.casefold() not in used]
    spare = [f"Person {number}" for number in range(1, len(senders) + 1)]
    return dict(zip(senders, [*free, *spare], strict=False))


def aliases_by_form(aliases: Mapping[str, str]) -> dict[str, str]:
    """Each written form of the names, casefolded, and its alias: whole names, and their parts of three letters or more.

    A part that two names share stands for the first of them.
    """
    forms = {name.casefold(): alias for name, alias in aliases.items()}
    for name, alias in aliases.items():
        for part in PART.findall(name):
            if len(part) >= SHORTEST_PART and part.casefold() not in NOT_NAMES:
                forms.setdefault(part.casefold(), alias)
    return forms


def alias_pattern(forms: Iterable[str]) -> re.Pattern[str] | None:
    """Any of the forms as a word, in any case; one that is also an everyday word only with a capital."""
    parts = []
    for form in sorted(forms, key=len, reverse=True):
        if form in ALSO_WORDS:
            parts.append(f"(?:{re.escape(form.capitalize())}|{re.escape(form.upper())})")
        else:
            parts.append(f"(?i:{re.escape(form)})")
    return re.compile(rf"(?<!\w)(?:{'|'.join(parts)})(?!\w)") if parts else None


def word_pattern(words: Iterable[str]) -> re.Pattern[str] | None:
    """Any of the user's words or phrases, in any case, standing by themselves; spaces match any white space."""
    kept = sorted((word.strip() for word in words if word.strip()), key=len, reverse=True)
    parts = [r"\s+".join(re.escape(part) for part in word.split()) for word in kept]
    return re.compile(rf"(?i)(?<!\w)(?:{'|'.join(parts)})(?!\w)") if parts else None
