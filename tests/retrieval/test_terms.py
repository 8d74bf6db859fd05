"""Texts as terms: the same word finds itself however it is written, in languages with and without spaces."""

import polars as pl
import pytest

from pipeline.retrieval.terms import terms


def shared(first, second):
    a, b = terms(pl.Series([first, second]))
    return set(a) & set(b)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("When did we go SWIMMING?", "swimmers everywhere"),
        ("Wie heißt das Café?", "das cafe heisst anders"),
        ("Hunde", "der hundekuchen"),
        ("где собака", "Собаку видели"),
        ("हिन्दी में क्या", "हिन्दी"),
        ("متى نذهب إلى البَحْر", "البحر"),
        ("東京に行った", "明日東京"),
        ("ไปทะเลกัน", "ทะเลสวย"),
        ("바다에 갔어", "바다에서 놀자"),
        ("l'anniversaire", "lanniversaire"),
    ],
)
def test_what_is_asked_is_found_in_what_was_said(asked, said):
    assert shared(asked, said)


def test_words_that_everybody_uses_are_no_terms():
    assert terms(pl.Series(["what did you do and when", "und was war das", "👍", ""])).to_list() == [[], [], [], []]
