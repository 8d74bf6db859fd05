"""Rows on their way into training: what was shown before is not shown again, and nothing that is learned is lost."""

from datetime import datetime

import pytest

from pipeline.dataset import DatasetConfig, Row, build_dataset
from pipeline.training.data import without_repeats

SYSTEM = {"role": "system", "content": "You are Bob."}


def talk(first, last):
    """Exchanges first to last: one message of the other side and one reply each."""
    return [
        {"role": role, "content": f"{role} {exchange}"}
        for exchange in range(first, last)
        for role in ("user", "assistant")
    ]


def row(session, first, learned_from, last):
    messages = [SYSTEM, *talk(first, last)]
    return Row(messages, session, datetime(2024, 1, 1), 2 + 2 * (learned_from - first), 0)


def learned(row):
    return [m["content"] for m in row.messages[row.learn_from :] if m["role"] == "assistant"]


def test_what_a_conversation_has_shown_is_not_shown_again():
    first, second = without_repeats([row(1, 0, 0, 4), row(1, 2, 4, 6)])
    assert first == row(1, 0, 0, 4)
    assert second == row(1, 4, 4, 6)


def test_context_that_was_never_shown_stays():
    only, other = row(1, 0, 3, 5), row(2, 0, 2, 4)
    assert without_repeats([only, other]) == [only, other]


@pytest.fixture(scope="module")
def sample_rows():
    from pipeline.sample import PERSON, sample_text
    from pipeline.sources import parse

    return build_dataset(parse(sample_text())[0], DatasetConfig(person=PERSON, max_tokens=512)).train


def test_every_reply_of_the_sample_is_still_learned_once_and_in_answer_to_the_same(sample_rows):
    kept = without_repeats(sample_rows)
    assert [learned(row) for row in kept] == [learned(row) for row in sample_rows]
    for before, after in zip(sample_rows, kept, strict=True):
        assert after.messages[0] == before.messages[0]
        assert after.messages[after.learn_from - 1 :] == before.messages[before.learn_from - 1 :]
    characters = [sum(len(m["content"]) for row in rows for m in row.messages) for rows in (sample_rows, kept)]
    assert characters[1] < 0.95 * characters[0]
