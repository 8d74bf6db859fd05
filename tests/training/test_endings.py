"""How a run may end badly: out of memory, no better than before; and that 4 bits are learned on."""

import json

import pytest

from pipeline.training import read_state, train
from pipeline.training.follow import NO_BETTER
from pipeline.training.worker import _halve_batch, _out_of_memory, _sentence, lay_out, read_config


def real_failures():
    """What this computer says when it has not so much memory, and when something else is wrong."""
    import torch

    for fail in (lambda: torch.empty(2**50), lambda: bytearray(2**60), lambda: torch.zeros(2) @ torch.zeros(3)):
        try:
            fail()
        except Exception as error:
            yield error


def test_out_of_memory_is_told_from_other_failures():
    torchs, pythons, wrong = real_failures()
    assert _out_of_memory(torchs)
    assert _out_of_memory(pythons)
    assert not _out_of_memory(wrong)
    assert _sentence(torchs).startswith("Memory ran out even at half the batch: choose a smaller model")
    assert _sentence(wrong) == "Training failed (RuntimeError): the run's log.txt says more."


@pytest.mark.parametrize(("limit", "step", "half"), [(None, 600, 300), (4096, 4096, 2048), (200, 4096, 128)])
def test_out_of_memory_halves_what_goes_through_at_once_and_says_so(
    limit, step, half, tiny_dataset, tiny_config, tmp_path
):
    config = tiny_config.model_copy(update={"tokens_per_batch": limit, "tokens_per_step": step, "rows_per_step": 5})
    lay_out(tiny_dataset, tmp_path / "run", config)
    smaller = _halve_batch(tmp_path / "run", config)
    assert smaller == read_config(tmp_path / "run")
    assert (smaller.tokens_per_batch, smaller.tokens_per_step, smaller.rows_per_step) == (half, step, 2)
    message = f"Memory ran out, so the batch was halved to {half:,} tokens."
    assert json.loads((tmp_path / "run/metrics.jsonl").read_text()) == {"step": 0, "message": message}
    assert read_state(tmp_path / "run").message == message


@pytest.mark.slow
def test_a_run_that_ends_worse_than_it_began_says_so(tiny_dataset, tiny_config, tiny_tokenizer, tmp_path):
    from pipeline.models import load_model

    train(tiny_dataset, tmp_path / "good", tiny_config)
    learned = load_model(tiny_config.model, adapter=tmp_path / "good/adapter", merge=True, device="cpu")
    learned.save_pretrained(tmp_path / "learned")
    tiny_tokenizer.save_pretrained(tmp_path / "learned")
    wild = {"model": str(tmp_path / "learned"), "learning_rate": 0.9, "alpha": 1000, "epochs": 0.5, "validations": 1}
    train(tiny_dataset, tmp_path / "run", tiny_config.model_copy(update=wild))
    state = read_state(tmp_path / "run")
    assert state.best_validation_loss >= state.base_validation_loss
    assert NO_BETTER in state.message


@pytest.mark.slow
def test_four_bits_are_learned_on(tiny_dataset, tiny_config, tiny_folder, tmp_path):
    import torch
    from bitsandbytes.nn import Linear4bit

    from pipeline.models import load_model

    loaded = load_model(str(tiny_folder), quantise=True, dtype=torch.float32, device="cpu")
    packed = [layer for layer in loaded.modules() if isinstance(layer, Linear4bit)]
    assert len(packed) == 14  # seven in each of two layers
    assert all(layer.weight.quant_type == "nf4" and layer.weight.quant_state.nested for layer in packed)
    train(tiny_dataset, tmp_path / "run", tiny_config.model_copy(update={"quantise": "nf4", "epochs": 1.0}))
    state = read_state(tmp_path / "run")
    assert state.best_validation_loss < state.base_validation_loss
