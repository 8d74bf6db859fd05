"""How a run may end badly: out of memory, no better than before; and that 4 bits are learned on."""

import pytest

from pipeline.runs import read_state
from pipeline.training import train
from pipeline.training.monitor import NO_BETTER
from pipeline.training.worker import _out_of_memory, _sentence


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
