"""Many replies under one message, read together, are as surprising as each alone."""

import pytest
import torch

from pipeline.inference import candidates, reading
from pipeline.inference.candidates import CandidateReplies, candidate_losses, shared_prompt
from pipeline.inference.reading import Prompts
from pipeline.inference.transformers_decoder import TransformersDecoder
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


def test_candidates_lose_what_each_conversation_loses(tiny_engine, conversations):
    apart = Prompts(tiny_engine, conversations).read()
    groups = [shared_prompt(conversations), shared_prompt(conversations[:2])]
    first, second = candidate_losses(tiny_engine, groups)
    for together, alone in zip([*first, *second], [*apart, *apart[:2]], strict=True):
        torch.testing.assert_close(torch.tensor(together), torch.tensor(alone), rtol=1e-4, atol=1e-4)


def test_candidates_that_do_not_fit_at_once_are_read_in_parts(tiny_engine, conversations, monkeypatch):
    group = shared_prompt(conversations)
    whole = candidate_losses(tiny_engine, [group])
    monkeypatch.setattr(candidates, "READ_TOKENS", len(group.prompt) + 20)
    for parts, one in zip(candidate_losses(tiny_engine, [group])[0], whole[0], strict=True):
        torch.testing.assert_close(torch.tensor(parts), torch.tensor(one), rtol=1e-4, atol=1e-4)


def test_a_beginning_that_prompts_share_is_read_once_and_changes_nothing(tiny_engine, conversations, monkeypatch):
    group = shared_prompt(conversations)
    other = CandidateReplies([*group.prompt[:-3], 7], group.replies[:2])
    apart = candidate_losses(tiny_engine, [group, other])
    monkeypatch.setattr(reading, "LEAST_SHARED", 8)
    for parts, one in zip(candidate_losses(tiny_engine, [group, other]), apart, strict=True):
        for a, b in zip(parts, one, strict=True):
            torch.testing.assert_close(torch.tensor(a), torch.tensor(b), rtol=1e-4, atol=1e-4)


def test_a_model_of_another_layout_gives_the_same(tiny_engine, conversations):
    group = shared_prompt(conversations)
    expected = candidate_losses(tiny_engine, [group])
    tiny_engine.decoder = TransformersDecoder(tiny_engine.decoder.model)
    for foreign, ours in zip(candidate_losses(tiny_engine, [group])[0], expected[0], strict=True):
        torch.testing.assert_close(torch.tensor(foreign), torch.tensor(ours), rtol=1e-4, atol=1e-4)


def test_the_prompt_is_what_the_replies_share(conversations):
    group = shared_prompt(conversations)
    assert all(c.ids == [*group.prompt, *reply] or c.ids[: len(group.prompt)] == group.prompt for c, reply in zip(
        conversations, group.replies, strict=True
    ))  # fmt: skip
    assert isinstance(group, CandidateReplies)
    assert len(group.replies) == len(REPLIES)
