"""The written-out forward pass gives what transformers gives, whatever was cached, shared or padded."""

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM, Qwen3Config, Qwen3ForCausalLM

from pipeline.inference.decoder import Decoder
from pipeline.inference.shared_prefix import SharedPrefixCache

SHAPE = {
    "vocab_size": 97, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "head_dim": 8, "initializer_range": 0.3,
}  # fmt: skip
SCALED = {
    "rope_type": "llama3", "rope_theta": 10000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}  # fmt: skip


def models():
    torch.manual_seed(0)
    yield "llama", LlamaForCausalLM(LlamaConfig(**SHAPE))
    yield "llama, scaled positions", LlamaForCausalLM(LlamaConfig(**SHAPE, rope_parameters=SCALED))
    yield "qwen2", Qwen2ForCausalLM(Qwen2Config(**SHAPE))
    yield "qwen3", Qwen3ForCausalLM(Qwen3Config(**SHAPE))


@pytest.fixture(params=[pytest.param(model, id=name) for name, model in models()])
def pair(request):
    model = request.param.eval().requires_grad_(False)
    ids = torch.randint(0, 97, (3, 40), generator=torch.Generator().manual_seed(1))
    expected = model(ids).logits
    return Decoder(model), ids, expected


def test_reading_at_once_gives_the_same_scores(pair):
    decoder, ids, expected = pair
    torch.testing.assert_close(decoder.logits(decoder.forward(ids, decoder.empty(3, 40))), expected)


def test_reading_in_parts_and_growing_gives_the_same_scores(pair):
    decoder, ids, expected = pair
    cache = decoder.empty(1, 4)
    parts = [decoder.logits(decoder.forward(part, cache)) for part in ids[:1].split([7, 1, 1, 20, 11], dim=1)]
    torch.testing.assert_close(torch.cat(parts, dim=1), expected[:1])


def test_a_cropped_cache_goes_on_as_if_the_rest_had_never_been(pair):
    decoder, ids, expected = pair
    cache = decoder.empty(1, 64)
    decoder.forward(torch.cat([ids[:1, :12], ids[1:2, :20]], dim=1), cache)
    cache.crop(12)
    torch.testing.assert_close(decoder.logits(decoder.forward(ids[:1, 12:], cache)), expected[:1, 12:])


def test_forks_of_padded_conversations_grow_as_each_would_alone(pair):
    decoder, ids, expected = pair
    held = decoder.empty(3, 40)
    decoder.forward(ids, held, used=torch.tensor([40, 33, 8]))
    rows, lengths = [1, 0, 1, 2], [5, 30, 20, 8]
    cache = SharedPrefixCache(held, rows, lengths, room=3)
    for step in range(3):
        if step == 1:  # the one alone in its conversation leaves
            kept = torch.tensor([0, 1, 2])
            cache.keep(kept)
            rows, lengths = rows[:3], lengths[:3]
        taken = torch.stack([ids[row, length + step] for row, length in zip(rows, lengths, strict=True)])
        scores = decoder.logits(decoder.forward(taken[:, None], cache))[:, 0]
        for got, row, length in zip(scores, rows, lengths, strict=True):
            torch.testing.assert_close(got, expected[row, length + step])


def test_a_model_of_another_layout_is_told_apart():
    from transformers import Gemma2Config, Gemma2ForCausalLM

    gemma = Gemma2ForCausalLM(Gemma2Config(**SHAPE))
    assert not Decoder.fits(gemma)
    assert Decoder.fits(LlamaForCausalLM(LlamaConfig(**SHAPE)))
    assert not Decoder.fits(LlamaForCausalLM(LlamaConfig(**SHAPE, rope_parameters={**SCALED, "rope_type": "dynamic"})))


def test_a_single_token_from_8_bit_weights_scores_nearly_the_same(tiny_model):
    import copy

    decoder = Decoder(copy.deepcopy(tiny_model).to(torch.bfloat16))
    ids = torch.randint(3, 200, (1, 30), generator=torch.Generator().manual_seed(1))
    together = decoder.logits(decoder.forward(ids, decoder.empty(1, 30)))
    cache = decoder.empty(1, 30)
    alone = torch.cat([decoder.logits(decoder.forward(ids[:, i : i + 1], cache)) for i in range(30)], dim=1)
    assert torch.nn.functional.cosine_similarity(alone[0], together[0]).min() > 0.98


@pytest.mark.parametrize("model", [pytest.param(model, id=name) for name, model in models()])
def test_an_adapter_beside_the_weights_counts_as_in_peft(model):
    lora = LoraConfig(r=4, lora_alpha=6, target_modules="all-linear", init_lora_weights=False)
    twin = get_peft_model(model.eval(), lora).eval().requires_grad_(False)
    ids = torch.randint(0, 97, (1, 30), generator=torch.Generator().manual_seed(1))
    expected = twin(ids).logits
    decoder = Decoder(twin.get_base_model())
    cache = decoder.empty(1, 30)
    parts = [decoder.logits(decoder.forward(part, cache)) for part in ids.split([29, 1], dim=1)]
    torch.testing.assert_close(torch.cat(parts, dim=1), expected)
