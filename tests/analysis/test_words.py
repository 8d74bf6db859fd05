"""Words that set people apart, and the languages they write in."""

import math
from datetime import timedelta

import polars as pl
import pytest

from pipeline.analysis import prepare, words
from pipeline.analysis.languages import languages
from tests.analysis.chats import chat, known
from tests.analysis.made_group import SPOKEN

HOUR = timedelta(hours=1)


def prepared(**said):
    """Each person says each of their texts once a minute."""
    lines = [(name, text) for name, texts in said.items() for text in texts]
    return prepare(
        chat("\n".join(f"01 {i // 60:02d}:{i % 60:02d} {name}: {text}" for i, (name, text) in enumerate(lines)))
    )


def test_words_are_counted_without_links_and_mentions():
    tokens = prepared(Ann=["Tea, tea at https://tea.example/tea with @Tea’s", "don’t"]).tokens
    counts = dict(words.word_counts(tokens).join(
        tokens.terms.with_columns((pl.col("term") + 1).cast(pl.UInt64).alias("key")), on="key"
    ).select("word", "uses").iter_rows())  # fmt: skip
    assert counts == {"tea": 2, "at": 1, "with": 1, "don't": 1}


def test_the_score_is_the_log_odds_with_a_prior_over_its_error():
    chat_ = prepared(Ann=["garden bike"] * 10, Ben=["garden boat"] * 10)
    table = words.distinctive(words.word_counts(chat_.tokens), chat_.tokens.terms)
    assert known(table, "person", "term", "uses", "others") == [("Ann", "bike", 10, 0), ("Ben", "boat", 10, 0)]
    strength = 0.1 * 40
    prior = strength * 10 / 40
    here, there = (10 + prior) / (20 + strength - 10 - prior), prior / (20 + strength - prior)
    score = (math.log(here) - math.log(there)) / math.sqrt(1 / (10 + prior) + 1 / prior)
    assert table["score"][0] == pytest.approx(score)


def test_stop_words_and_rare_words_are_nobodys():
    chat_ = prepared(Ann=["the dont and zebra"] * 3 + ["the"] * 40, Ben=["boat"] * 40)
    assert "the" not in words.distinctive(words.word_counts(chat_.tokens), chat_.tokens.terms)["term"].to_list()


def test_phrases_are_of_two_or_three_words_and_none_is_part_of_another():
    chat_ = prepared(Ann=["paint the red boat", "so it is"] * 30, Ben=["ride a bike", "so it is"] * 30)
    table = words.distinctive(words.phrase_counts(chat_.tokens), chat_.tokens.terms)
    found = {
        name: [term for person, term in known(table, "person", "term") if person == name] for name in ("Ann", "Ben")
    }
    assert found["Ann"]
    assert all(2 <= len(term.split()) <= 3 for term in found["Ann"] + found["Ben"])
    assert "so it" not in found["Ann"]
    assert not any(one != other and f" {one} " in f" {other} " for one in found["Ann"] for other in found["Ann"])


def test_somebody_alone_has_no_words_of_their_own():
    chat_ = prepared(Ann=["garden bike"] * 20)
    assert words.distinctive(words.word_counts(chat_.tokens), chat_.tokens.terms).height == 0


def test_many_messages_are_sampled_evenly():
    chat_ = prepared(Ann=[f"word{i}" for i in range(1000)])
    assert words.tokenise(chat_.messages, most=100).words["row"].to_list() == list(range(0, 1000, 10))


def test_languages_are_judged_on_all_that_somebody_wrote():
    said = {
        name: SPOKEN[code] * 6
        for name, code in {"Ann": "en", "Jun": "ja", "Nur": "ar", "Ravi": "hi", "Uta": "de"}.items()
    }
    table = languages(prepared(**said).stretches)
    assert {row["person"]: (row["language"], row["share"]) for row in table.to_dicts()} == {
        "Ann": ("en", 1.0), "Jun": ("ja", 1.0), "Nur": ("ar", 1.0), "Ravi": ("hi", 1.0), "Uta": ("de", 1.0),
    }  # fmt: skip


def test_who_wrote_little_is_not_judged():
    assert languages(prepared(Ann=["hi", "ok"]).stretches).height == 0


def test_a_second_language_is_named_with_its_share():
    table = languages(prepared(Ann=SPOKEN["en"] * 12 + SPOKEN["ja"] * 12).stretches)
    assert set(table["language"].to_list()) == {"en", "ja"}
    assert sum(table["share"]) == pytest.approx(1)
