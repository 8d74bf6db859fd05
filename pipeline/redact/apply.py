"""Masking a whole chat: the same thing becomes the same placeholder everywhere."""

import re
from collections import Counter
from dataclasses import dataclass, field

import polars as pl

from pipeline.redact.config import RedactionConfig
from pipeline.redact.find import find
from pipeline.redact.names import alias_pattern, aliases_by_form, word_pattern

__all__ = ["LIMITS", "Redacted", "mask_text", "redact", "search_messages"]

LIMITS = (
    "Masking finds what can be told by its form, and the names and words you list. It cannot find nicknames, names of "
    "people who do not write here, places, employers, illnesses, or anything told in plain words: read some rows, and "
    "search for what must not leave."
)

# What any of the forms needs: a digit, an @ or its spelling, or a dot between two letters.
HINT = r"(?i)\d|@|\bat\b|://|www\.|\p{L}\.\p{L}{2}"


@dataclass(frozen=True)
class Redacted:
    """The masked messages, and `found`: kind, original, placeholder (String) and count (UInt32), most first."""

    messages: pl.DataFrame
    found: pl.DataFrame


@dataclass
class Ledger:
    """What has been given which placeholder so far."""

    placeholders: dict[tuple[str, str], str] = field(default_factory=dict)
    counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    numbers: Counter[str] = field(default_factory=Counter)

    def placeholder(self, kind: str, value: str, original: str) -> str:
        if (kind, value) not in self.placeholders:
            self.numbers[kind] += 1
            self.placeholders[kind, value] = f"[{kind} {self.numbers[kind]}]"
        return self.note(kind, original, self.placeholders[kind, value])

    def note(self, kind: str, original: str, placeholder: str) -> str:
        self.counts[kind, original, placeholder] += 1
        return placeholder


def redact(messages: pl.DataFrame, config: RedactionConfig) -> Redacted:
    """The messages with personal data masked in their texts and senders; none is left out, so no reply moves.

    Attachment names (they hold dates and names) become null. What it cannot find: LIMITS.
    """
    ledger, own = Ledger(), own_words(config)
    texts = messages["text"].to_list()
    for place in candidates(messages, own):
        texts[place] = mask(texts[place], config, own, ledger)
    masked = messages.with_columns(
        pl.Series("text", texts, dtype=pl.String),
        pl.col("sender").replace(config.aliases),
        pl.lit(None, dtype=pl.String).alias("attachment"),
    )
    rows = [(*key, count) for key, count in ledger.counts.most_common()]
    schema = {"kind": pl.String, "original": pl.String, "placeholder": pl.String, "count": pl.UInt32}
    return Redacted(masked, pl.DataFrame(rows, schema=schema, orient="row"))


def mask_text(text: str, config: RedactionConfig) -> str:
    """One text with personal data masked, for what goes with a chat (a prompt, a title)."""
    return mask(text, config, own_words(config), Ledger())


@dataclass(frozen=True)
class OwnWords:
    """What the user listed: words to mask, names, and the alias of each form of a name."""

    words: re.Pattern[str] | None
    names: re.Pattern[str] | None
    forms: dict[str, str]


def own_words(config: RedactionConfig) -> OwnWords:
    forms = aliases_by_form(config.aliases)
    return OwnWords(word_pattern(config.words), alias_pattern(forms), forms)


def candidates(messages: pl.DataFrame, own: OwnWords) -> list[int]:
    """Indices of the messages that may hold something to mask."""
    hit = messages["text"].str.contains(HINT)
    for pattern in (own.words, own.names):
        if pattern is not None:
            hit = hit | pl.Series([bool(pattern.search(text)) for text in messages["text"]], dtype=pl.Boolean)
    return hit.arg_true().to_list()


def mask(text: str, config: RedactionConfig, own: OwnWords, ledger: Ledger) -> str:
    def plain(piece: str) -> str:
        if own.words is not None:
            piece = own.words.sub(lambda m: ledger.placeholder("word", " ".join(m[0].casefold().split()), m[0]), piece)
        if own.names is not None:
            piece = own.names.sub(lambda m: ledger.note("name", m[0], own.forms[m[0].casefold()]), piece)
        return piece

    pieces, at = [], 0
    for span in find(text, config.kinds, config.countries):
        original = text[span.start : span.end]
        pieces += [plain(text[at : span.start]), ledger.placeholder(span.kind, span.value, original)]
        at = span.end
    return "".join([*pieces, plain(text[at:])])


def search_messages(messages: pl.DataFrame, query: str, most: int = 50) -> pl.DataFrame:
    """Messages that hold `query` in any case: sent_at, sender, text; what was masked already is not found any more."""
    needle = query.strip()
    if not needle:
        return messages.select("sent_at", "sender", "text").head(0)
    pattern = f"(?i){re.escape(needle)}"
    return messages.filter(pl.col("text").str.contains(pattern)).select("sent_at", "sender", "text").head(most)
