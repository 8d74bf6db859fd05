"""Captured steps give the scores of plain ones. Without a GPU the same steps run uncaptured."""

import copy

import pytest
import torch

from pipeline.inference.cuda_graphs import COUNTS, CudaGraphRunner
from pipeline.inference.decoder import Decoder
from pipeline.inference.engine import Engine
from pipeline.inference.generation import GenerationConfig


@pytest.fixture
def runner(tiny_engine: Engine) -> CudaGraphRunner:
    return CudaGraphRunner(tiny_engine.decoder)


def plain(engine: Engine, ids: list[int]) -> torch.Tensor:
    decoder = engine.decoder
    with torch.inference_mode():
        return decoder.logits(decoder.forward(torch.tensor([ids]), decoder.empty(1, len(ids)))[:, -1])


def some_ids(count: int, seed: int = 0) -> list[int]:
    return torch.randint(5, 200, (count,), generator=torch.Generator().manual_seed(seed)).tolist()


@pytest.mark.parametrize("parts", [[1, 1, 1], [7, 1, 16, 1], [64, 30, 1, 1], [3, 64]])
@torch.inference_mode()
def test_scores_are_those_of_the_whole_read_at_once(tiny_engine: Engine, runner: CudaGraphRunner, parts: list[int]):
    ids, cache, at = some_ids(sum(parts)), tiny_engine.decoder.empty(1, 4), 0
    for count in parts:
        scores = runner.scores(ids[at : at + count], cache)
        at += count
        torch.testing.assert_close(scores, plain(tiny_engine, ids[:at]), rtol=1e-4, atol=1e-4)
    assert int(cache.lengths[0]) == at


@torch.inference_mode()
def test_conversations_that_take_turns_do_not_mix(tiny_engine: Engine, runner: CudaGraphRunner):
    one, other = some_ids(20, 1), some_ids(20, 2)
    caches = [tiny_engine.decoder.empty(1, 1) for _ in range(2)]
    for at in range(20):
        for ids, cache in zip((one, other), caches, strict=True):
            scores = runner.scores([ids[at]], cache)
    torch.testing.assert_close(scores, plain(tiny_engine, other), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(
        runner.scores(one[:1], caches[0]), plain(tiny_engine, one + one[:1]), rtol=1e-4, atol=1e-4
    )


@torch.inference_mode()
def test_what_the_static_cache_holds_comes_back_for_a_plain_step(tiny_engine: Engine, runner: CudaGraphRunner):
    ids, cache = some_ids(90), tiny_engine.decoder.empty(1, 1)
    runner.scores(ids[:10], cache)
    runner.scores(ids[10:12], cache)
    runner.release(cache)
    hidden = tiny_engine.decoder.forward(torch.tensor([ids[12:]]), cache)
    torch.testing.assert_close(tiny_engine.decoder.logits(hidden[:, -1]), plain(tiny_engine, ids), rtol=1e-4, atol=1e-4)
    last = runner.scores(ids[:1], cache)
    torch.testing.assert_close(last, plain(tiny_engine, ids + ids[:1]), rtol=1e-4, atol=1e-4)


@torch.inference_mode()
def test_a_cropped_conversation_goes_on_from_where_it_was_cropped(tiny_engine: Engine, runner: CudaGraphRunner):
    ids, other = some_ids(30), some_ids(10, 3)
    cache = tiny_engine.decoder.empty(1, 1)
    runner.scores(ids, cache)
    runner.scores(other, tiny_engine.decoder.empty(1, 1))  # takes the static cache
    runner.scores(other, cache)
    cache.crop(20)
    scores = runner.scores(other, cache)
    torch.testing.assert_close(scores, plain(tiny_engine, ids[:20] + other), rtol=1e-4, atol=1e-4)


@torch.inference_mode()
def test_a_conversation_outgrows_the_static_cache(tiny_engine: Engine, runner: CudaGraphRunner):
    ids, cache = some_ids(1400), tiny_engine.decoder.empty(1, 1)
    for at in range(0, 1400, 50):
        scores = runner.scores(ids[at : at + 50], cache)
    torch.testing.assert_close(scores, plain(tiny_engine, ids), rtol=1e-3, atol=1e-3)


def test_replies_by_captured_steps_are_the_same(tiny_engine: Engine):
    config = GenerationConfig(temperature=0.8, max_new_tokens=20, seed=3)
    prompt = some_ids(COUNTS[-1] + 20)

    def two_turns(cache_key: str) -> list[int]:
        first = list(tiny_engine.generate(prompt, config, cache_key=cache_key))
        return first + list(tiny_engine.generate([*prompt, *first, *prompt[:9]], config, cache_key=cache_key))

    expected = two_turns("plain")
    tiny_engine.runner = CudaGraphRunner(tiny_engine.decoder)
    assert two_turns("runner") == expected


@pytest.mark.skipif(not torch.cuda.is_available(), reason="graphs are captured on a GPU only")
@torch.inference_mode()
def test_a_graph_goes_on_giving_the_scores_of_plain_steps_while_memory_is_reused(tiny_model):
    decoder = Decoder(copy.deepcopy(tiny_model).cuda())
    runner, cache, ids = CudaGraphRunner(decoder), decoder.empty(1, 1), some_ids(120)
    for at in range(0, 120, 6):
        for start, end in ((at, at + 5), (at + 5, at + 6)):
            scores = runner.scores(ids[start:end], cache)
            for size in range(1, 80):
                torch.full((size,), 7_777_777, device="cuda")  # what was freed by mistake is overwritten
        plain_ids = torch.tensor([ids[: at + 6]], device="cuda")
        expected = decoder.logits(decoder.forward(plain_ids, decoder.empty(1, at + 6))[:, -1])
        torch.testing.assert_close(scores, expected, rtol=1e-3, atol=1e-3)
