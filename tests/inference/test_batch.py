"""Many at once gives what one by one gives."""

import pytest
import torch

from pipeline.inference import GenerationConfig
from pipeline.inference.batch import prefill, read_and_sample, sample
from pipeline.progress import Progress
from pipeline.prompt import Message, encode

GREEDY = GenerationConfig(temperature=0, max_new_tokens=10)


@pytest.fixture
def conversations(tiny_engine):
    talks = [["hi", "hello you", "how are you", "fine"], ["what", "nothing at all"], ["one", "two", "three", "four"]]
    made = []
    for talk in talks:
        messages = [Message(role="assistant" if i % 2 else "user", content=text) for i, text in enumerate(talk)]
        made.append(encode(tiny_engine.template, tiny_engine.tokenizer, messages))
    return made


def starts(conversations):
    return [
        (number, i)
        for number, one in enumerate(conversations)
        for i in range(1, len(one.ids))
        if one.learned[i] and not one.learned[i - 1]
    ]


def test_replies_at_many_places_are_those_of_each_prompt_alone(tiny_engine, conversations):
    found = read_and_sample(tiny_engine, conversations, starts(conversations), GREEDY)
    assert len(found.replies) == 5
    for (number, at), reply in found.replies.items():
        assert reply == list(tiny_engine.generate(conversations[number].ids[:at], GREEDY))


def test_losses_are_of_learned_tokens_alone(tiny_engine, conversations):
    found = read_and_sample(tiny_engine, conversations)
    for one, nats in zip(conversations, found.nats, strict=True):
        logits = tiny_engine.decoder.model(torch.tensor([one.ids])).logits[0, :-1]
        losses = torch.nn.functional.cross_entropy(logits, torch.tensor(one.ids[1:]), reduction="none")
        expected = losses[torch.tensor(one.learned[1:])]
        torch.testing.assert_close(torch.tensor(nats), expected, rtol=1e-4, atol=1e-4)


def test_what_is_read_once_can_be_sampled_again(tiny_engine, conversations):
    prompts = prefill(tiny_engine, conversations, starts(conversations))
    once, again = sample(tiny_engine, prompts, GREEDY), sample(tiny_engine, prompts, GREEDY)
    assert once == again
    hot = GenerationConfig(temperature=2, seed=1, max_new_tokens=10)
    assert sample(tiny_engine, prompts, hot) == sample(tiny_engine, prompts, hot) != once


def test_rounds_of_replies_differ_where_there_is_chance(tiny_engine, conversations):
    hot = GenerationConfig(temperature=2, seed=1, max_new_tokens=10)
    found = read_and_sample(tiny_engine, conversations, starts(conversations), hot, rounds=3)
    assert len(found.again) == 2
    assert all(said.keys() == found.replies.keys() for said in found.again)
    assert found.replies != found.again[0] != found.again[1]


def test_progress_ends_at_one(tiny_engine, conversations):
    seen: list[float] = []
    read_and_sample(tiny_engine, conversations, progress=Progress(lambda share, _: seen.append(share)))
    assert seen == sorted(seen)
    assert seen[-1] == 1
