"""The classifier: the person's own replies pass as theirs, a constant answer and another author do not."""

from dataclasses import replace
from datetime import datetime

import pytest

from pipeline.dataset import DatasetConfig, Row, build_dataset
from pipeline.evaluation.authorship import check_authorship
from pipeline.evaluation.classifier_accuracy import classifier_accuracy
from pipeline.prompt import Message
from pipeline.sample import sample_text
from pipeline.sources import parse


@pytest.fixture(scope="module")
def dataset():
    messages, _ = parse(sample_text())
    return build_dataset(messages, DatasetConfig(person="Noah"))


@pytest.fixture(scope="module")
def replies(dataset):
    return [m["content"] for row in dataset.train for m in row.messages[row.learn_from :] if m["role"] == "assistant"]


@pytest.fixture(scope="module")
def others(dataset):
    return [m["content"] for row in dataset.train for m in row.messages[row.learn_from - 1 :] if m["role"] == "user"]


def test_a_twin_that_copies_the_person_cannot_be_told_from_them(replies):
    found = classifier_accuracy(replies[0:200:2], replies[1:200:2])
    assert found.low < 0.55
    assert found.accuracy < 0.62


def test_the_very_same_replies_are_a_coin(replies):
    assert classifier_accuracy(replies[:60], replies[:60]).accuracy == pytest.approx(0.5, abs=0.06)


def test_a_constant_answer_fails(replies):
    assert classifier_accuracy(["I am happy to help you with that."] * 60, replies[:60]).accuracy > 0.95


def test_another_way_of_writing_is_noticed(replies):
    stiff = [f"{text.capitalize().rstrip('.?! ')}." for text in replies[0:160:2]]
    assert classifier_accuracy(stiff, replies[1:160:2]).low > 0.55


def test_several_rounds_of_replies_are_judged_apart_and_averaged(replies):
    real, rounds = replies[1:120:2], [replies[0:120:2], ["I am happy to help you with that."] * 60]
    found = classifier_accuracy([*rounds[0], *rounds[1]], real)
    assert found.replies == 60
    assert found.accuracy == pytest.approx(sum(classifier_accuracy(said, real).accuracy for said in rounds) / 2)


def test_more_replies_narrow_the_interval(replies, others):
    few, many = classifier_accuracy(others[:40], replies[:40]), classifier_accuracy(others[:160], replies[:160])
    assert many.high - many.low < few.high - few.low


def rows_of(pairs):
    at = datetime(2024, 1, 1)
    return [
        Row([Message(role="user", content=user), Message(role="assistant", content=reply)], number, at, 1, 10)
        for number, (user, reply) in enumerate(pairs)
    ]


def swap(rows):
    other = {"user": "assistant", "assistant": "user", "system": "system"}
    return [replace(row, messages=[{**m, "role": other[m["role"]]} for m in row.messages]) for row in rows]


def test_swapped_accounts_are_noticed_and_one_author_is_not():
    casual = [f"lol yeah im {word} u know" for word in ("ok", "here", "tired", "late", "fine", "busy") * 8]
    stiff = [f"I believe the {word} is correct, Sir." for word in ("bill", "date", "name", "plan", "sum", "map") * 8]
    early, late = rows_of(zip(stiff, casual, strict=True)), rows_of(zip(stiff, casual, strict=True))
    same = check_authorship(early, late)
    assert same is not None
    assert same.auc > 0.95
    assert same.warning is None
    swapped = check_authorship(early, swap(late))
    assert swapped is not None
    assert swapped.auc < 0.05
    assert "somebody else" in (swapped.warning or "")


def test_the_sample_has_one_author(dataset):
    half = len(dataset.train) // 2
    found = check_authorship(dataset.train[:half], [*dataset.train[half:], *dataset.validation])
    assert found is not None
    assert found.auc > 0.7


def test_too_little_says_nothing():
    rows = rows_of([("a", "b")] * 3)
    assert check_authorship(rows, rows) is None
