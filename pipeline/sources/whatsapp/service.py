"""Lines that the app wrote under somebody's name, and people's own lines that only look like such.

iOS puts a name in front of the app's lines, the actor's or the group's, and a direction mark behind it. The mark tells
them from people's messages, but in some files it is missing, and some people's messages have it.
"""

import re
from collections.abc import Collection

import numpy as np
import polars as pl

from pipeline.sources.whatsapp.kinds import AppLine, Matcher, system_lines, telling_pieces
from pipeline.sources.whatsapp.strings import Array, column

__all__ = ["is_own_sentence", "under_names"]

# System lines long and particular enough to be known without a mark, whoever they stand under.
_UNMISTAKABLE = ("encrypted", "group_created", "renamed", "security_code")
_SMALL_WORDS = 3  # letters of "and", "und", "de", "van": in a list of names, or in one
_MOST_WORDS = 12
_QUOTES = {**dict.fromkeys("’‘", "'"), **dict.fromkeys("“”„«»「」『』", '"')}
_LONGEST = 400  # characters of a line that is looked at
_SHORTEST = 10  # of a line that names nobody: "left" is a person's answer
_SHORTEST_NUMBER = 5
_FIRST = 3  # messages that a file may open with


def is_own_sentence(text: str, sender: str, people: Collection[str], matcher: Matcher) -> bool:
    """Whether a marked line that begins with its sender's name is theirs: "Bob added salt to the soup", by Bob.

    It has a service line's verb, but where that line would name people, or end, it says something else.
    """
    if not text.startswith(f"{sender} "):
        return False
    blanks = matcher.blanks(text, sender)
    return bool(blanks) and not any(_names(names, people, strict=False) for names in blanks)


def under_names(
    sender: pl.Series, text: pl.Series, marked: Array, *, app_is_told: bool, matcher: Matcher
) -> dict[int, AppLine]:
    """The rows of the app's lines that stand under a name, without a mark, and what they are.

    app_is_told: the file's service lines have no name, or a mark. Then those under a name are people's, but for what a
    file opens with: nobody begins a chat with the notice about encryption.
    """
    named = sender.is_not_null().to_numpy() & ~marked
    if app_is_told:
        first = [(row, matcher.match(text[row], ("system",))) for row in np.flatnonzero(named[:_FIRST]).tolist()]
        return {row: line for row, line in first if line and line.detail == "encrypted"}
    plain = pl.col("text").str.to_lowercase().str.replace_many(_QUOTES)
    may = pl.DataFrame({"text": text, "sender": sender}).select(
        (pl.col("text").str.len_chars() <= _LONGEST) & ~pl.col("text").str.contains("\n", literal=True),
        like=plain.str.contains_any(list(telling_pieces()))
        | plain.str.strip_chars_end(".").is_in(list(system_lines()))
        | pl.col("text").str.starts_with(pl.col("sender")).fill_null(value=False),
    )
    rows = np.flatnonzero(named & (may["text"] & may["like"]).to_numpy())
    people = set(sender.drop_nulls().unique())
    found: dict[int, AppLine] = {}
    by_others: dict[str, dict[int, AppLine]] = {}
    for row, who, said in zip(rows.tolist(), sender.gather(column(rows)), text.gather(column(rows)), strict=True):
        line = matcher.match(said, ("system",))
        own, blanks = said.startswith(who), matcher.blanks(said, "")
        if line is None or not any(_names(names, people, strict=own) for names in blanks):
            continue
        # Who did it is somebody of this chat; "I added Bob" is said by a person.
        somebody = any(names and (names[0] in people or (row < _FIRST and len(names[0]) > 1)) for names in blanks)
        if not somebody and not ([] in blanks and len(said) >= _SHORTEST):
            continue
        if line.detail in _UNMISTAKABLE or own:
            found[row] = line
        else:
            by_others.setdefault(who, {})[row] = line
    # Somebody who never says anything else is no person but the group, which is there from the beginning.
    counts = dict(sender.drop_nulls().value_counts().iter_rows())
    for who, lines in by_others.items():
        begins = len(lines) > 1 or min(lines) < _FIRST
        all_of_theirs = len(lines) + sum(sender[row] == who for row in found) == counts[who]
        if begins and all_of_theirs and len(by_others) < len(counts):
            found.update(lines)
    return found


def _names(blanks: list[str], people: Collection[str], *, strict: bool) -> bool:
    """Whether all that stands in a line's blanks can be names; behind the first "you" and its like will do, too."""
    return all(_is_name(text, people, alone=place > 0 and not strict) for place, text in enumerate(blanks))


def _is_name(text: str, people: Collection[str], *, alone: bool = False) -> bool:
    """Whether this can be a name, or several: of people here, numbers, or words that begin with a capital.

    alone: a single word is one however it is written.
    """
    text = text.strip("\u2068\u2069\u200e\u200f~ .")
    words = re.findall(r"[^\s,;&、،]+", text)
    if not words or len(words) > _MOST_WORDS:
        return not words
    if text in people or (alone and len(words) == 1):
        return True
    if text.isdecimal() and len(text) < _SHORTEST_NUMBER:
        return False
    plain = [word for word in words if not (len(word) <= _SMALL_WORDS and word.islower())]
    return bool(plain) and not any(word[:1].islower() or word[-1] in ".!?。！？" for word in plain)
