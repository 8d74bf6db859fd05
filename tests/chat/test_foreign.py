"""A model of another layout answers through the same engine."""

import pytest
import torch
from transformers import Gemma2Config, Gemma2ForCausalLM

from pipeline.chat import Engine, GenerationConfig, Twin, stream
from pipeline.chat.batch import read_and_sample
from pipeline.chat.decoder import Decoder
from pipeline.chat.foreign import ForeignDecoder
from pipeline.prompt import Message, encode, read_template


@pytest.fixture(scope="module")
def engine(tiny_tokenizer):
    torch.manual_seed(0)
    config = Gemma2Config(
        vocab_size=len(tiny_tokenizer), hidden_size=32, intermediate_size=48, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, head_dim=8, sliding_window=16, initializer_range=0.3,
        eos_token_id=2, pad_token_id=2,
    )  # fmt: skip
    model = Gemma2ForCausalLM(config).eval().requires_grad_(False)
    assert not Decoder.fits(model)
    return Engine(ForeignDecoder(model), tiny_tokenizer, read_template(tiny_tokenizer), 2048)


def test_a_second_turn_is_the_same_with_and_without_what_was_kept(engine):
    twin = Twin(engine, GenerationConfig(temperature=0, max_new_tokens=6))
    history = [Message(role="user", content="hello there")]
    *_, first = stream(twin, history, visitor="a")
    history += [Message(role="assistant", content=first.text or "x"), Message(role="user", content="and?")]
    *_, kept = stream(twin, history, visitor="a")
    *_, fresh = stream(twin, history)
    assert kept == fresh


def test_losses_are_the_models_own_and_replies_come_at_every_place(engine, tiny_tokenizer):
    talk = [Message(role="user", content="hi"), Message(role="assistant", content="oh hello")]
    conversations = [encode(engine.template, tiny_tokenizer, talk), encode(engine.template, tiny_tokenizer, talk[:1])]
    start = conversations[0].learned.index(True)
    found = read_and_sample(engine, conversations, [(0, start), (1, len(conversations[1].ids))])
    ids = torch.tensor([conversations[0].ids])
    expected = torch.nn.functional.cross_entropy(
        engine.decoder.model(ids).logits[0, start - 1 : -1].float(), ids[0, start:], reduction="none"
    )
    kept = sum(conversations[0].learned)
    torch.testing.assert_close(torch.tensor(found.nats[0]), expected[:kept], rtol=1e-4, atol=1e-4)
    assert all(found.replies.values())
    assert found.nats[1] == []
