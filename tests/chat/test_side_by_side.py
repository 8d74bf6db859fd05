"""Several answers to one message grow together, and each is what it would be alone."""

from itertools import pairwise

import pytest

from pipeline.chat import Twin
from pipeline.chat.side_by_side import stream_side_by_side
from pipeline.chat.twin import stream
from pipeline.errors import ChatError
from pipeline.inference import GenerationConfig
from pipeline.prompt import Message

ASKED = [Message(role="user", content="hi")]


@pytest.fixture
def twins(tiny_engine):
    return {
        "one": Twin(tiny_engine, GenerationConfig(temperature=0, max_new_tokens=6)),
        "other": Twin(tiny_engine, GenerationConfig(seed=3, max_new_tokens=14), instruction="Be brief."),
    }


def test_each_answer_is_the_one_it_gives_alone(twins):
    steps = list(stream_side_by_side(twins, ASKED))
    for name, twin in twins.items():
        *_, alone = stream(twin, ASKED)
        assert steps[-1][name] == alone
        texts = [step[name].text for step in steps]
        assert all(after.startswith(before) or after == alone.text for before, after in pairwise(texts))
    assert len({step["one"].text for step in steps}) > 1


def test_nothing_to_answer_is_a_sentence(twins):
    with pytest.raises(ChatError):
        list(stream_side_by_side(twins, []))
