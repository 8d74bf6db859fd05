"""A model of another layout answers through the same engine."""

import pytest
import torch
from transformers import (
    CohereConfig,
    CohereForCausalLM,
    Gemma2Config,
    Gemma2ForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    GraniteConfig,
    GraniteForCausalLM,
)  # fmt: skip

from pipeline.chat import Twin, stream
from pipeline.inference import Engine, GenerationConfig
from pipeline.inference.decoder import Decoder
from pipeline.inference.reading import Prompts
from pipeline.inference.sampling import sample
from pipeline.inference.transformers_decoder import TransformersDecoder
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
    return Engine(TransformersDecoder(model), tiny_tokenizer, read_template(tiny_tokenizer), 2048)


def test_a_second_turn_is_the_same_with_and_without_what_was_kept(engine):
    twin = Twin(engine, GenerationConfig(temperature=0, max_new_tokens=6))
    history = [Message(role="user", content="hello there")]
    *_, first = stream(twin, history, cache_key="a")
    history += [Message(role="assistant", content=first.text or "x"), Message(role="user", content="and?")]
    *_, kept = stream(twin, history, cache_key="a")
    *_, fresh = stream(twin, history)
    assert kept == fresh


def test_losses_are_the_models_own_and_replies_come_at_every_place(engine, tiny_tokenizer):
    talk = [Message(role="user", content="hi"), Message(role="assistant", content="oh hello")]
    conversations = [encode(engine.template, tiny_tokenizer, talk), encode(engine.template, tiny_tokenizer, talk[:1])]
    start = conversations[0].learned.index(True)
    prompts = Prompts(engine, conversations, [(0, start), (1, len(conversations[1].ids))])
    nats, (replies,) = prompts.read(), sample(prompts, [GenerationConfig()])
    ids = torch.tensor([conversations[0].ids])
    expected = torch.nn.functional.cross_entropy(
        engine.decoder.model(ids).logits[0, start - 1 : -1].float(), ids[0, start:], reduction="none"
    )
    kept = sum(conversations[0].learned)
    torch.testing.assert_close(torch.tensor(nats[0]), expected[:kept], rtol=1e-4, atol=1e-4)
    assert len(replies) == 2
    assert all(replies.values())
    assert nats[1] == []


SHAPE = {
    "vocab_size": 97, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "initializer_range": 0.3, "eos_token_id": 2, "pad_token_id": 2,
}  # fmt: skip


@pytest.mark.parametrize(
    "model",
    [
        CohereForCausalLM(CohereConfig(**SHAPE, logit_scale=0.0625)),
        GraniteForCausalLM(GraniteConfig(**SHAPE, logits_scaling=8.0)),
    ],
    ids=["cohere", "granite"],
)
def test_scores_that_a_model_scales_are_its_own(model):
    decoder, ids = TransformersDecoder(model.eval()), torch.arange(20)[None]
    hidden = decoder.forward(ids, decoder.empty(1, 20))
    torch.testing.assert_close(decoder.logits(hidden), model(ids).logits)


def test_a_reply_ends_where_the_model_has_no_more_positions(tiny_tokenizer):
    config = GPT2Config(vocab_size=len(tiny_tokenizer), n_positions=32, n_embd=32, n_layer=1, n_head=2)
    engine = Engine(
        TransformersDecoder(GPT2LMHeadModel(config).eval()), tiny_tokenizer, read_template(tiny_tokenizer), 32
    )
    engine.stops = frozenset()
    written = list(engine.generate(list(range(5, 25)), GenerationConfig(max_new_tokens=40)))
    assert len(written) == 13
