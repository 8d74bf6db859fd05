"""What is left of somebody who deleted everything: no conversation in any engine, not even of a reply that is on."""

import gc
from pathlib import Path

import pytest

from pipeline.inference import Engine, GenerationConfig, LoadedModels
from pipeline.inference.cuda_graphs import CudaGraphRunner
from pipeline.models import load_tokenizer

ANN, EVE = Path("/visitors/ann"), Path("/visitors/eve")
PROMPT = [5, 77, 31, 5, 77, 31, 9]


@pytest.fixture
def models(tiny_run, monkeypatch):
    """Two engines in memory: a base model, and one whose adapter is Ann's."""
    from pipeline.runs import read_config

    loaded = LoadedModels()
    model = read_config(tiny_run).model
    loaded.get(model)
    loaded.get(model, tiny_run / "adapter")
    return loaded, model


def speak(engine: Engine, key: str, most: int = 4):
    config = GenerationConfig(max_new_tokens=most, temperature=0)
    return engine.generate(PROMPT, config, cache_key=key)


def test_conversations_with_every_engine_are_forgotten(models, tiny_run):
    loaded, model = models
    base, twin = loaded.get(model), loaded.get(model, tiny_run / "adapter")
    for engine in (base, twin):
        for key in ("ann/base", "ann/one", "eve/base", "anna/base"):
            list(speak(engine, key))
    loaded.forget(ANN)
    for engine in (base, twin):
        assert engine.prefix_cache.take("ann/base") is None
        assert engine.prefix_cache.take("ann/one") is None
        assert engine.prefix_cache.take("eve/base") is not None
        assert engine.prefix_cache.take("anna/base") is not None


def test_a_reply_that_is_being_made_ends_and_keeps_nothing(models):
    loaded, model = models
    engine = loaded.get(model)
    reply = speak(engine, "ann/base", most=500)
    next(reply)
    loaded.forget(ANN)
    assert len(list(reply)) < 3
    assert len(engine.prefix_cache) == 0
    list(speak(engine, "ann/base"))  # the same browser, come back
    assert engine.prefix_cache.take("ann/base") is not None


def test_an_adapter_of_theirs_is_given_up(models, tiny_run):
    loaded, model = models
    loaded.forget(tiny_run)
    gc.collect()
    assert list(loaded._engines) == [(model, "")]


def test_each_template_has_its_own_engine_over_the_same_weights(models, tiny_tokenizer):
    from pipeline.prompt import read_template

    loaded, model = models
    usual = loaded.get(model)
    other = read_template(load_tokenizer(model)).model_copy(update={"to_twin": "\nTWIN:"})
    changed = loaded.get(model, template=other)
    assert changed.template == other
    assert usual.template != other
    assert changed.decoder is usual.decoder
    assert changed.lock is usual.lock
    assert loaded.get(model, template=other) is changed
    assert loaded.get(model) is usual
    list(speak(changed, "ann/one"))
    loaded.forget(ANN)
    assert len(changed.prefix_cache) == 0


def test_captured_steps_are_overwritten(tiny_engine):
    tiny_engine.cuda_graphs = CudaGraphRunner(tiny_engine.decoder)
    list(speak(tiny_engine, "ann/base"))
    list(speak(tiny_engine, "eve/base"))
    before = list(speak(tiny_engine, "eve/base"))
    tiny_engine.forget("ann")
    static = tiny_engine.cuda_graphs._static
    assert all(not buffer.any() for buffer in (*static.keys, *static.values))
    assert list(speak(tiny_engine, "eve/base")) == before
