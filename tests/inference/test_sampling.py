"""Many at once gives what one by one gives."""

import pytest
import torch

from pipeline.inference import GenerationConfig, reading
from pipeline.inference.reading import Prompts, shared_prefixes
from pipeline.inference.sampling import sample
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


def expected_losses(engine, one):
    logits = engine.decoder.model(torch.tensor([one.ids])).logits[0, :-1]
    losses = torch.nn.functional.cross_entropy(logits, torch.tensor(one.ids[1:]), reduction="none")
    return losses[torch.tensor(one.learned[1:])]


def test_replies_at_many_places_are_those_of_each_prompt_alone(tiny_engine, conversations):
    (replies,) = sample(Prompts(tiny_engine, conversations, starts(conversations)), [GREEDY])
    assert len(replies) == 5
    for (number, at), reply in replies.items():
        assert reply == list(tiny_engine.generate(conversations[number].ids[:at], GREEDY))


def test_losses_are_of_learned_tokens_alone(tiny_engine, conversations):
    found = Prompts(tiny_engine, conversations).read()
    for one, nats in zip(conversations, found, strict=True):
        torch.testing.assert_close(torch.tensor(nats), expected_losses(tiny_engine, one), rtol=1e-4, atol=1e-4)


def test_a_beginning_that_is_read_once_for_all_changes_nothing(tiny_engine, conversations, monkeypatch):
    places = starts(conversations)
    (apart,) = sample(Prompts(tiny_engine, conversations, places), [GREEDY])
    monkeypatch.setattr(reading, "LEAST_SHARED", 4)
    prompts = Prompts(tiny_engine, conversations, places)
    assert any(start for _, start in prompts._groups())
    assert sample(prompts, [GREEDY]) == [apart]
    for one, nats in zip(conversations, prompts.nats, strict=True):
        torch.testing.assert_close(torch.tensor(nats), expected_losses(tiny_engine, one), rtol=1e-4, atol=1e-4)


def test_sequences_that_begin_alike_are_grouped_by_what_they_share(monkeypatch):
    monkeypatch.setattr(reading, "LEAST_SHARED", 2)
    sequences = [[1, 2, 3, 4], [7, 8, 9], [1, 2, 3, 5, 6], [1, 9], [7, 8]]
    found = shared_prefixes(sequences, [3, 2, 4, 1, 1])
    assert found == [([0, 2], 3), ([1, 3, 4], 0)]


def test_what_is_read_once_can_be_sampled_again(tiny_engine, conversations):
    prompts = Prompts(tiny_engine, conversations, starts(conversations))
    once, again = sample(prompts, [GREEDY]), sample(prompts, [GREEDY])
    assert once == again
    hot = GenerationConfig(temperature=2, seed=1, max_new_tokens=10)
    assert sample(prompts, [hot]) == sample(prompts, [hot]) != once


def test_what_is_too_large_to_be_held_is_read_again(tiny_engine, conversations, monkeypatch):
    places = starts(conversations)
    held = sample(Prompts(tiny_engine, conversations, places), [GREEDY])
    monkeypatch.setattr(reading, "HELD_BYTES", 0)
    monkeypatch.setattr(reading, "PART_BYTES", 0)
    prompts = Prompts(tiny_engine, conversations, places)
    assert sample(prompts, [GREEDY]) == sample(prompts, [GREEDY]) == held


def test_replies_of_several_configs_grow_together_each_by_its_own(tiny_engine, conversations):
    prompts = Prompts(tiny_engine, conversations, starts(conversations))
    hot = GenerationConfig(temperature=2, seed=1, max_new_tokens=10)
    greedy, one, other = sample(prompts, [GREEDY, hot, hot])
    (some,) = sample(prompts, [GREEDY], starts(conversations)[1:3])
    assert [greedy] == sample(prompts, [GREEDY])
    assert one.keys() == other.keys() == greedy.keys()
    assert one != other
    assert some == {place: greedy[place] for place in starts(conversations)[1:3]}


def test_progress_ends_at_one(tiny_engine, conversations):
    seen: list[float] = []
    prompts = Prompts(tiny_engine, conversations, starts(conversations))
    prompts.read(Progress(lambda share, _: seen.append(share)))
    assert seen == sorted(seen)
    assert seen[-1] == 1
    seen.clear()
    sample(prompts, [GREEDY], progress=Progress(lambda share, _: seen.append(share)))
    assert seen == sorted(seen)
    assert seen[-1] == 1
