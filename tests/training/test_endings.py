"""How a run may end badly: out of memory, no better than before; and that 4 bits are learned on."""

import pytest

from pipeline.runs import lay_out, read_metrics, read_run, read_state, write_state
from pipeline.store.limits import limits
from pipeline.training import train
from pipeline.training.monitor import NO_BETTER
from pipeline.training.worker import _out_of_memory, _sentence, work


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
def test_a_loss_that_became_nan_ends_the_run_with_a_sentence(tiny_dataset, tiny_config, tmp_path):
    wild = {"learning_rate": 0.9, "weight_decay": 1e38, "warmup": 0.0, "epochs": 2}
    train(tiny_dataset, tmp_path / "run", tiny_config.model_copy(update=wild))
    state, metrics = read_state(tmp_path / "run"), read_metrics(tmp_path / "run")
    assert state.status == "failed"
    assert "became NaN" in state.message
    assert "lower learning rate" in state.message
    assert not (tmp_path / "run/adapter").exists()
    assert metrics["loss"].drop_nulls().is_finite().all()
    assert metrics["step"].max() < state.total_steps, "it went on for nothing"
    assert read_run(tmp_path / "run").loss is not None


@pytest.mark.slow
def test_a_training_ends_when_its_time_is_over(tiny_dataset, tiny_config, tmp_path, monkeypatch):
    monkeypatch.setenv("CHAT_TWIN_HOSTS", "twin.example.org")  # a machine that strangers share
    run_dir = tmp_path / "run"
    lay_out(tiny_dataset, run_dir, tiny_config)
    write_state(run_dir, seconds=limits().training_seconds.most - 1)  # of an earlier try
    work(run_dir)
    state = read_state(run_dir)
    assert state.status == "stopped"
    assert state.message.startswith("The training took 2 hours")
    assert state.step < state.total_steps
    assert (tmp_path / "run/adapter/adapter_config.json").is_file()


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
