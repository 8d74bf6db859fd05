"""Choosing the next token."""

import pytest
import torch
from pydantic import ValidationError

from pipeline.inference import GenerationConfig
from pipeline.inference.generation import pick


def scores(*shares):
    return torch.tensor([shares]).log()


def chosen(logits, config, rounds=400, **options):
    generator = torch.Generator().manual_seed(0)
    return {int(pick(logits.clone(), config, generator, **options)) for _ in range(rounds)}


def test_temperature_zero_takes_the_likeliest():
    assert chosen(scores(0.2, 0.5, 0.3), GenerationConfig(temperature=0)) == {1}


def test_top_p_keeps_the_smallest_set_that_makes_up_the_share():
    shares = scores(0.05, 0.5, 0.3, 0.15)
    assert chosen(shares, GenerationConfig(temperature=1, top_p=0.4)) == {1}
    assert chosen(shares, GenerationConfig(temperature=1, top_p=0.6)) == {1, 2}
    assert chosen(shares, GenerationConfig(temperature=1, top_p=1)) == {0, 1, 2, 3}


def test_words_already_written_come_back_less_and_padding_is_no_word():
    config = GenerationConfig(temperature=0, repetition_penalty=2)
    logits = torch.tensor([[2.0, 1.9, -3.0]])
    assert int(pick(logits.clone(), config, written=torch.tensor([[0, -1]]))) == 1
    assert int(pick(logits.clone(), config, written=torch.tensor([[-1, -1]]))) == 0


def test_a_bias_on_the_end_makes_replies_shorter():
    config = GenerationConfig(temperature=0, end_bias=1)
    assert int(pick(torch.tensor([[2.0, 1.5]]), config, end_ids=torch.tensor([1]))) == 1


def test_a_bias_on_the_break_makes_bubbles_shorter_and_leaves_the_end_alone():
    config = GenerationConfig(temperature=0, break_bias=1)
    ids = {"end_ids": torch.tensor([0]), "break_ids": torch.tensor([2])}
    assert int(pick(torch.tensor([[1.8, 2.0, 1.5]]), config, **ids)) == 2
    assert int(pick(torch.tensor([[2.1, 2.0, 0.5]]), config, **ids)) == 0


def test_unknown_settings_are_refused():
    with pytest.raises(ValidationError):
        GenerationConfig(temprature=1)
