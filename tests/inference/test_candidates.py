"""Many replies under one message, read together, are as surprising as each alone."""

import pytest
import torch

from pipeline.inference import candidates as branches
from pipeline.inference.batch import read_and_sample
from pipeline.inference.candidates import Stem, read_branches, stem_of
from pipeline.inference.transformers_decoder import ForeignDecoder
from pipeline.prompt import Message, encode

REPLIES = ["fine", "fine, and you?", "no", "the same thing again"]


@pytest.fixture
def conversations(tiny_engine):
    before = [Message(role="user", content="hi"), Message(role="assistant", content="hello")]
    before.append(Message(role="user", content="how are you"))
    return [
        encode(tiny_engine.template, tiny_engine.tokenizer, [*before, Message(role="assistant", content=reply)], 3)
        for reply in REPLIES
    ]


def test_branches_lose_what_each_conversation_loses(tiny_engine, conversations):
    apart = read_and_sample(tiny_engine, conversations).nats
    stems = [stem_of(conversations), stem_of(conversations[:2])]
    first, second = read_branches(tiny_engine, stems)
    for together, alone in zip([*first, *second], [*apart, *apart[:2]], strict=True):
        torch.testing.assert_close(torch.tensor(together), torch.tensor(alone), rtol=1e-4, atol=1e-4)


def test_branches_that_do_not_fit_at_once_are_read_in_parts(tiny_engine, conversations, monkeypatch):
    stem = stem_of(conversations)
    whole = read_branches(tiny_engine, [stem])
    monkeypatch.setattr(branches, "READ_TOKENS", len(stem.ids) + 20)
    for parts, one in zip(read_branches(tiny_engine, [stem])[0], whole[0], strict=True):
        torch.testing.assert_close(torch.tensor(parts), torch.tensor(one), rtol=1e-4, atol=1e-4)


def test_a_model_of_another_layout_gives_the_same(tiny_engine, conversations):
    stem = stem_of(conversations)
    expected = read_branches(tiny_engine, [stem])
    tiny_engine.decoder = ForeignDecoder(tiny_engine.decoder.model)
    for foreign, ours in zip(read_branches(tiny_engine, [stem])[0], expected[0], strict=True):
        torch.testing.assert_close(torch.tensor(foreign), torch.tensor(ours), rtol=1e-4, atol=1e-4)


def test_a_stem_is_what_the_replies_share(conversations):
    stem = stem_of(conversations)
    assert all(c.ids == [*stem.ids, *reply] or c.ids[: len(stem.ids)] == stem.ids for c, reply in zip(
        conversations, stem.replies, strict=True
    ))  # fmt: skip
    assert isinstance(stem, Stem)
    assert len(stem.replies) == len(REPLIES)
