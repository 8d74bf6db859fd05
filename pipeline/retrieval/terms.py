"""Texts as the terms that a search by words compares, in any language."""

import polars as pl

from pipeline.analysis import STOP_WORDS

__all__ = ["terms"]

# Endings differ in nearly every language and a stemmer is needed for each; the first five letters are what most of
# them leave (F. Can and others 2008, "Information Retrieval on Turkish Texts").
LETTERS = 5
# Accents of Latin, Greek and Cyrillic letters, vowel points of Arabic and Hebrew: often left out. Not those of Indic
# scripts, which are vowels.
POINTS = r"[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670]"
# Written without spaces (Thai, Lao, Burmese, Khmer, kana, Chinese), or with what would be words of their own hung on to
# each (Korean).
PAIRED = r"\uac00-\ud7af\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
WORD = rf"[{PAIRED}]+|[\p{{L}}\p{{M}}\p{{N}}&&[^{PAIRED}]]+"


def terms(texts: pl.Series) -> pl.Series:
    """The terms of each text, List(String): beginnings of words without stop words; pairs of characters where words
    are not set apart by spaces."""
    words = (
        texts.rename("text").to_frame().with_row_index("i")
        .with_columns(pl.col("text").str.to_lowercase().str.replace_all("’", "'", literal=True))
        .with_columns(pl.col("text").str.replace_all(r"(\p{L})'(\p{L})", "$1$2"))
        .with_columns(pl.col("text").str.normalize("NFKD").str.replace_all(POINTS, "").str.normalize("NFKC"))
        .with_columns(pl.col("text").str.extract_all(WORD).alias("term"))
        .select("i", "term").explode("term").drop_nulls("term")
    )  # fmt: skip
    paired = pl.col("term").str.contains(rf"^[{PAIRED}]")
    spaced = words.filter(~paired, ~pl.col("term").is_in(list(_STOP))).with_columns(
        pl.col("term").str.slice(0, LETTERS)
    )
    pairs = (
        words.filter(paired)
        .with_columns(pl.col("term").map_elements(_pairs, return_dtype=pl.List(pl.String)))
        .explode("term")
    )
    every = pl.concat([spaced, pairs]).sort("i", maintain_order=True).group_by("i", maintain_order=True).agg("term")
    rows = pl.DataFrame({"i": pl.int_range(len(texts), dtype=pl.UInt32, eager=True)})
    return rows.join(every, on="i", how="left", maintain_order="left")["term"].fill_null([])


def _pairs(word: str) -> list[str]:
    return [word[i : i + 2] for i in range(len(word) - 1)] or [word]


_STOP = {word.replace("'", "") for word in STOP_WORDS}
