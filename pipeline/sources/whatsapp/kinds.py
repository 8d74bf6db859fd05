"""What a body of the app's own making is: media, a system line and of which sort, deleted, a call, a poll, ...

The phrases are data (phrases.toml); this file only compares. Where a phrase is in no table, the form decides: see
bodies.py.
"""

import re
import tomllib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

__all__ = [
    "AppLine",
    "Matcher",
    "exact_phrases",
    "is_phrase",
    "normalise",
    "phrases",
    "spellings",
    "starts_system_line",
    "system_lines",
    "telling_pieces",
    "words",
]

_MEDIA = ("media", "image", "video", "audio", "sticker", "gif", "document", "video_note", "view_once", "unavailable")
_WORDS = ("attached", "file_attached", "edited", "poll", "option", "event")  # parts of bodies, not whole ones
_SPLIT = "{}"
_STOPS = (", ", ". ", "، ", "、", "，")
_LONGEST = 1000  # characters; no line of the app is longer


@dataclass(frozen=True)
class AppLine:
    """What a body is, and in which language the app wrote it."""

    kind: str
    detail: str | None
    language: str


@cache
def phrases() -> dict[str, dict[str, list[str]]]:
    """phrases.toml: language -> key ("image", "system.added") -> phrases."""
    with (Path(__file__).parent / "phrases.toml").open("rb") as file:
        languages = tomllib.load(file)
    return {
        language: {**section, **{f"system.{sort}": lines for sort, lines in section.pop("system", {}).items()}}
        for language, section in languages.items()
    }


@cache
def words(key: str) -> dict[str, str]:
    """The words of one key of _WORDS in all languages, normalised -> language."""
    return {normalise(word): language for language, section in phrases().items() for word in section.get(key, [])}


def normalise(body: str) -> str:
    """A body as phrases are compared: no direction marks, no angle brackets around, no final stop, lower case."""
    return _fold(body).strip(" <>‹›〈〉＜＞《》").rstrip(".。। ").lower()


_PLAIN: dict[int, str | None] = {
    **dict.fromkeys(map(ord, "\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")),
    **{code: " " for code in range(0x3001) if chr(code).isspace() and code != 10},
    **dict.fromkeys(map(ord, "’‘"), "'"),
    **dict.fromkeys(map(ord, "“”„«»「」『』"), '"'),
}


def _fold(text: str) -> str:
    """Without direction marks, with plain single spaces, apostrophes and quotes: phones differ in all of these."""
    text = text.translate(_PLAIN)
    while "  " in text:
        text = text.replace("  ", " ")
    return text


@cache
def _line_of(key: str, language: str) -> AppLine:
    if key in _MEDIA:
        return AppLine("media", None if key == "media" else key, language)
    kind, _, detail = key.partition(".")
    return AppLine(kind, detail or None, language)


@cache
def exact_phrases() -> dict[str, AppLine]:
    """Whole bodies, normalised -> what they are."""
    return {
        normalise(phrase): _line_of(key, language)
        for language, section in reversed(phrases().items())
        for key, values in section.items()
        if key not in _WORDS
        for phrase in values
        if _SPLIT not in phrase
    }


def is_phrase(body: str) -> bool:
    """Whether a whole body is one of the app's fixed phrases."""
    return normalise(body) in exact_phrases()


@cache
def spellings() -> list[str]:
    """Whole bodies as written, for a first look that is cheap, and "null", which is what Android writes at times."""
    bodies = {
        p.rstrip(".")
        for s in phrases().values()
        for key, ps in s.items()
        if key not in _WORDS
        for p in ps
        if _SPLIT not in p
    }
    return sorted({form.format(body) for body in bodies for form in ("{}", "{}.", "<{}>")} | {"null"})


Template = tuple[tuple[str, ...], AppLine]


@cache
def _templates() -> list[Template]:
    """Each phrase with blanks: the pieces between them, and what it is.

    Every call may say more behind a comma or a full stop: how long it was, what to tap.
    """
    return [
        (tuple(_fold(pattern).rstrip(".。।").lower().split(_SPLIT)), _line_of(key, language))
        for language, section in phrases().items()
        for key, values in section.items()
        if key not in _WORDS
        for phrase in values
        for pattern in ([phrase] if key != "call" or _SPLIT in phrase else [f"{phrase}{sign}{{}}" for sign in _STOPS])
        if _SPLIT in pattern
    ]


@cache
def _index() -> tuple[dict[str, list[Template]], list[Template]]:
    """The templates by one whole word that a body must have, and those without one (scripts without spaces)."""
    by_word: dict[str, list[Template]] = {}
    wordless = []
    for template in _templates():
        # A word at the edge of a piece may be cut by the blank, as in "изменил{}".
        whole = re.findall(r"(?<!\S)\S+(?!\S)", "\0".join(template[0]))
        words_ = [word for word in whole if "\0" not in word]
        if words_:
            by_word.setdefault(max(words_, key=len), []).append(template)
        else:
            wordless.append(template)
    return by_word, wordless


@cache
def system_lines() -> set[str]:
    """Whole system lines without blanks, normalised."""
    return {phrase for phrase, line in exact_phrases().items() if line.kind == "system"}


@cache
def telling_pieces() -> set[str]:
    """Of each system line with blanks the longest piece between them, as compared: no such line is without its own."""
    return {max(pieces, key=len).strip() for pieces, line in _templates() if line.kind == "system"}


@cache
def _openings() -> tuple[str, ...]:
    """What system lines say before a text that they quote."""
    pieces = {piece for template, _ in _templates() for piece in template[:-1]}
    return tuple(sorted(piece for piece in pieces if len(piece.strip()) > (2 if piece.strip() < "\u2e80" else 1)))


def starts_system_line(name: str) -> bool:
    """Whether what stands before a colon may be the beginning of a system line rather than a name."""
    folded = _fold(name).lower()
    return folded.count('"') % 2 == 1 or "‘" in name or any(piece in folded for piece in _openings())


def _fits(pieces: tuple[str, ...], body: str) -> bool:
    if not (body.startswith(pieces[0]) and body.endswith(pieces[-1])):
        return False
    at = len(pieces[0])
    for piece in pieces[1:-1]:
        at = body.find(piece, at)
        if at < 0:
            return False
        at += len(piece)
    return at <= len(body) - len(pieces[-1]) and len(body) >= sum(map(len, pieces)) + len(pieces) - 1 - (not pieces[-1])


def _is_spaced_letter(character: str) -> bool:
    """Whether it is a letter of a script with spaces between words (all but those of East Asia)."""
    return character.isalnum() and character < "\u2e80"


def _between(pieces: tuple[str, ...], folded: str, lower: str) -> list[str]:
    """What a fitting body says where the template names somebody: in blanks neither glued to a word nor in quotes."""
    said, at = [], len(pieces[0])
    for before, piece in pairwise(pieces):
        end = lower.find(piece, at) if piece and piece is not pieces[-1] else len(lower) - len(piece)
        quoted = before.endswith('"')
        if not _is_spaced_letter(before[-1:]) and not _is_spaced_letter(piece[:1]) and not quoted:
            said.append(folded[at:end].strip())
        at = end + len(piece)
    return said


class Matcher:
    """Matches the bodies of one file against all languages, the file's own first: `hits` counts what was found."""

    def __init__(self) -> None:
        self.hits: Counter[str] = Counter()

    def match(self, body: str, kinds: Iterable[str] | None = None) -> AppLine | None:
        """What a whole body is, None if no phrase fits; `kinds` narrows the answer to some."""
        if len(body) > _LONGEST:
            return None
        folded = _fold(body).strip()
        line = exact_phrases().get(normalise(folded))
        if line is None or (kinds is not None and line.kind not in kinds):
            line = self._match_template(folded.rstrip(".。। ").lower(), kinds)
        if line:
            self.hits[line.language] += 1
        return line

    def blanks(self, body: str, name: str) -> list[list[str]]:
        """What stands in a body where service lines name somebody: one list for each line that it may be.

        With `name`, which the body begins with, also the lines that it only begins like; what follows is one more.
        """
        folded = _fold(body).strip().rstrip(".。। ")
        lower = folded.lower()
        if len(lower) != len(folded):
            folded = lower
        by_word, wordless = _index()
        found: list[list[str]] = [[]] if normalise(body) in exact_phrases() else []
        for pieces, line in [t for word in dict.fromkeys(lower.split()) for t in by_word.get(word, ())] + wordless:
            if line.kind != "system":
                continue
            if _fits(pieces, lower):
                found.append(_between(pieces, folded, lower))
            elif name and len(pieces) == 2 and not pieces[0] and lower.startswith(f"{_fold(name).lower()}{pieces[1]} "):
                found.append([folded[len(_fold(name)) + len(pieces[1]) :]])
        return found

    def _match_template(self, body: str, kinds: Iterable[str] | None) -> AppLine | None:
        """The template that fits: of the file's own language if there is one, else the one with most text."""
        by_word, wordless = _index()
        candidates = [template for word in dict.fromkeys(body.split()) for template in by_word.get(word, ())]
        fitting = [
            (self.hits[line.language], sum(map(len, pieces)), -i, line)
            for i, (pieces, line) in enumerate(candidates + wordless)
            if (kinds is None or line.kind in kinds) and _fits(pieces, body)
        ]
        return max(fitting, key=lambda fit: fit[:3])[3] if fitting else None

    @property
    def language(self) -> str | None:
        """The language of most of what was found."""
        return self.hits.most_common(1)[0][0] if self.hits else None
