"""The words that set people apart, and how they laugh and greet."""

from __future__ import annotations

import re
from dataclasses import dataclass

import polars as pl

from pipeline.analysis.measures import CJK, GREETING, LINK, TERM
from pipeline.analysis.stopwords import STOP_WORDS

__all__ = [
    "PHRASES_FROM",
    "WORDS_FROM",
    "Tokens",
    "distinctive",
    "greetings",
    "laughter",
    "phrase_counts",
    "thin",
    "tokenise",
    "top_emoji",
    "word_counts",
]

# Words are counted on at most so many messages, every n-th through the whole time: a chat of a million then costs no
# more than one of a hundred thousand, and a word too rare to show in these sets nobody apart.
WORDS_FROM = 40_000
CHARACTERS_FROM = 12_000_000
PHRASES_FROM = 8_000
FEWEST = 4  # uses by a person below which no word is called theirs
CLEARLY = 2.0  # standard errors
# Words of the whole chat's mixture that each person is assumed to have written: a tenth of the chat, 500 at most.
PRIOR, PRIOR_SHARE = 500.0, 0.1
BITS = 21  # of a term's number, so that three fit into one integer


@dataclass(frozen=True)
class Tokens:
    """The words of an even sample of messages, as numbers.

    `words`: one row a word in order: row, sent_at, person, term UInt32 (its place in `terms`).
    `terms`: term UInt32, word String (lower case), stop Boolean (a stop word, or without any letter).
    `every`: one message in so many was read.
    """

    words: pl.DataFrame
    terms: pl.DataFrame
    every: int


def tokenise(messages: pl.DataFrame, most: int = WORDS_FROM) -> Tokens:
    """The words of at most `most` messages, every n-th; links and mentions are no words."""
    rows = messages.filter(pl.col("words") > 0).select("row", "sent_at", "person", "text", "chars", "link")
    every = max(1, -(-rows.height // most), -(-int(rows["chars"].sum()) // CHARACTERS_FROM))
    text = pl.col("text")
    rows = rows.gather_every(every).with_columns(
        pl.when("link").then(text.str.replace_all(LINK + r"\S*", " ")).otherwise(text)
        .str.replace_all(r"@\S+", " ").str.to_lowercase().str.replace_all("’", "'", literal=True)
        .str.extract_all(TERM).alias("word"),
    )  # fmt: skip
    words = rows.drop("text", "chars", "link").explode("word", empty_as_null=True).drop_nulls("word")
    # The terms of three numbers must fit into one integer: two million are more than any chat has.
    terms = words.select(pl.col("word").unique(maintain_order=True)).with_row_index("term").head((1 << BITS) - 2)
    is_stop = pl.col("word").is_in(list(STOP_WORDS)) | ~pl.col("word").str.contains(r"\p{L}")
    words = words.join(terms, on="word", how="inner", maintain_order="left").drop("word")
    return Tokens(words, terms.with_columns(is_stop.alias("stop")), every)


def word_counts(tokens: Tokens) -> pl.DataFrame:
    """Uses of each word by each person: person, key UInt64 (the term plus one), uses, everyone (uses by all)."""
    person, term = pl.col("person").to_physical().cast(pl.UInt64), pl.col("term").cast(pl.UInt64) + 1
    # Both in one number: polars groups by one column several times as fast as by two.
    pairs = tokens.words.select((person * (1 << BITS) + term).alias("key")).group_by("key").agg(pl.len().alias("uses"))
    people = (pairs["key"] // (1 << BITS)).cast(pl.UInt32).cat.to(tokens.words.schema["person"])
    return _with_all(pairs.with_columns(people.alias("person"), pl.col("key") % (1 << BITS)))


def thin(tokens: Tokens, most: int = PHRASES_FROM) -> Tokens:
    """The words of at most `most` of the messages, every n-th."""
    rows = tokens.words["row"].unique(maintain_order=True)
    step = max(1, -(-len(rows) // most))
    if step == 1:
        return tokens
    kept = pl.col("row").is_in(rows.gather_every(step).implode())
    return Tokens(tokens.words.filter(kept), tokens.terms, tokens.every * step)


def phrase_counts(tokens: Tokens) -> pl.DataFrame:
    """Uses of each phrase of two or three words, as `word_counts`; `key` packs the terms in 21 bits each."""
    words = tokens.words
    row, term = pl.col("row"), pl.col("term").cast(pl.UInt64) + 1
    two = pl.when(row == row.shift(-1)).then(term * (1 << BITS) + term.shift(-1))
    three = pl.when(row == row.shift(-2)).then(two * (1 << BITS) + term.shift(-2))
    pairs = words.select("person", two.alias("two"), three.alias("three"))
    both = pl.concat([pairs.select("person", pl.col(name).alias("key")) for name in ("two", "three")])
    return _counts(both.drop_nulls())


def distinctive(counts: pl.DataFrame, terms: pl.DataFrame, most: int = 12) -> pl.DataFrame:
    """What a person says clearly more than the others do: person, term String, uses, others, score; best first.

    The score is the log-odds ratio against everyone else under an informative Dirichlet prior (the whole chat's
    frequencies), over its standard error: Monroe, Colaresi and Quinn, "Fightin' Words", 2008, eq. 15 to 22. Stop words,
    and phrases of nothing else, are left out.
    """
    uses, everyone, total = pl.col("uses"), pl.col("everyone"), pl.col("total")
    often = counts.with_columns(uses.sum().over("person").alias("written"), uses.sum().alias("total")).filter(
        uses >= FEWEST
    )
    strength = (PRIOR_SHARE * total).clip(upper_bound=PRIOR)
    prior = strength * everyone / total
    others, rest = everyone - uses, total - pl.col("written")
    here = (uses + prior) / (pl.col("written") + strength - uses - prior)
    there = (others + prior) / (rest + strength - others - prior)
    error = (1 / (uses + prior) + 1 / (others + prior)).sqrt()
    scored = often.with_columns(others.alias("others"), ((here.log() - there.log()) / error).alias("score"))
    # Where a chat holds one word and no other, that word sets nobody apart (and its odds are infinite).
    clear = scored.filter(pl.col("score") >= CLEARLY, rest > 0, everyone < total)
    best = _spell(clear, terms).sort(["person", "score", "term"], descending=[False, True, False])
    best = best.group_by("person", maintain_order=True).head(4 * most)
    keep = pl.Series(
        "keep", _say_once(best["person"].cast(pl.String).to_list(), best["term"].to_list()), dtype=pl.Boolean
    )
    kept = best.filter(keep).group_by("person", maintain_order=True).head(most)
    return kept.select("person", "term", "uses", "others", "score")


def _say_once(people: list[str], terms: list[str]) -> list[bool]:
    """Which terms to keep, best first, so that no phrase of a person's is part of another of theirs."""
    said: dict[str, list[str]] = {}
    keep = []
    for person, term in zip(people, terms, strict=True):
        spaceless = re.search("[\u3040-\u30ff\u4e00-\u9fff]", term) is not None
        mine, padded = said.setdefault(person, []), term if spaceless else f" {term} "
        single = not spaceless and " " not in term
        keep.append(single or not any(padded in other or other in padded for other in mine))
        if keep[-1]:
            mine.append(padded)
    return keep


def _counts(keys: pl.DataFrame) -> pl.DataFrame:
    return _with_all(keys.group_by("person", "key").agg(pl.len().alias("uses")))


def _with_all(counts: pl.DataFrame) -> pl.DataFrame:
    uses = pl.col("uses").cast(pl.Int64)
    return counts.select("person", "key", uses, uses.sum().over("key").alias("everyone"))


def _spell(scored: pl.DataFrame, terms: pl.DataFrame) -> pl.DataFrame:
    """Write `term` out of the numbers in `key`; what holds stop words only is left out."""
    packed = pl.col("key")
    parts = scored.with_columns(
        (packed // (1 << (BITS * place)) % (1 << BITS)).cast(pl.UInt32).alias(f"part{place}") for place in (2, 1, 0)
    )
    for place in (2, 1, 0):
        named = terms.select(
            (pl.col("term") + 1).alias(f"part{place}"),
            pl.col("word").alias(f"word{place}"),
            pl.col("stop").alias(f"stop{place}"),
        )
        parts = parts.join(named, on=f"part{place}", how="left")
    spaced = pl.concat_str("word2", "word1", "word0", separator=" ", ignore_nulls=True)
    # Where a script has no spaces between words, neither has a phrase.
    return parts.with_columns(spaced.str.replace_all(rf"([{CJK}ー]) ", "$1").alias("term")).filter(
        ~pl.all_horizontal(pl.col(f"stop{place}").fill_null(value=True) for place in (2, 1, 0))
    )


def laughter(laughs: pl.DataFrame) -> pl.DataFrame:
    """How people laugh: person, form (haha, lol, 哈哈, ...), messages that hold it, most first."""
    return _ranked(laughs, "form")


def greetings(messages: pl.DataFrame) -> pl.DataFrame:
    """How people greet: person, form (in lower case), messages that begin with it, most first."""
    found = messages.select("person", pl.col("text").str.extract(GREETING).str.to_lowercase().alias("form"))
    return _ranked(found.drop_nulls(), "form")


def top_emoji(emoji: pl.DataFrame, most: int = 10) -> pl.DataFrame:
    """Each person's emoji, most used first: person, emoji, uses."""
    return (
        emoji.group_by("person", "emoji")
        .agg(pl.len().alias("uses"))
        .sort(["person", "uses", "emoji"], descending=[False, True, False])
        .group_by("person", maintain_order=True)
        .head(most)
    )


def _ranked(found: pl.DataFrame, column: str) -> pl.DataFrame:
    return (
        found.group_by("person", column)
        .agg(pl.len().alias("messages"))
        .sort(["person", "messages", column], descending=[False, True, False])
    )
