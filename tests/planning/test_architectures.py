"""Models that are not on the list: each learns as it would alone, talks and is examined, or is refused."""

import copy
import json
from pathlib import Path

import pytest

from pipeline.errors import ChatError
from pipeline.machine import T4, Machine
from pipeline.models import load_config
from pipeline.planning import DatasetShape, TrainingConfig, linear_layers, lora_parameters, non_text_modules, resolve
from pipeline.planning.recipe import PLAIN
from pipeline.planning.shapes import read_shape
from pipeline.training.data import IGNORED, Example, collate
from tests.training.architectures import CLASSES, make

TEMPLATES = Path(__file__).parents[1] / "chat_templates"
ROWS = [
    Example(tuple(range(5, 5 + length)), tuple(i if i % 3 else IGNORED for i in range(5, 5 + length)))
    for length in (9, 3, 90)
]
CPU = Machine("cpu", "CPU", 16.0, 12.0, 8)


def plan_of(model, **settings):
    shape = read_shape("tiny", model.config)
    return resolve(TrainingConfig(model="tiny", **settings), CPU, DatasetShape((9, 3, 90)), shape)


def losses_alone(model, rows):
    import torch
    from torch.nn.functional import cross_entropy

    total = 0.0
    for row in rows:
        logits = model(input_ids=torch.tensor([row.ids])).logits[0, :-1].float()
        total += float(cross_entropy(logits, torch.tensor(row.labels[1:]), ignore_index=IGNORED, reduction="sum"))
    return total


def losses_as_trained(model, rows):
    """How the model was to take its rows, and the loss when it does."""
    from pipeline.training.attention import register_attention
    from pipeline.training.trainer import learned_loss

    chosen = plan_of(model).attention.value
    if chosen == "documents":
        model.set_attn_implementation(register_attention())
    batches = [[row] for row in rows] if chosen == "alone" else [rows]
    return chosen, sum(float(learned_loss(model, collate(batch))[0]) for batch in batches)


@pytest.mark.parametrize("name", [name for name in CLASSES if name != "Falcon"])
def test_rows_give_what_they_give_alone(name):
    model = make(name)
    alone = losses_alone(model, ROWS)
    chosen, together = losses_as_trained(model, ROWS)
    assert together == pytest.approx(alone, rel=2e-4)
    assert (model.config.model_type in PLAIN) == (chosen != "alone")


def test_every_architecture_that_is_said_to_be_plain_was_tried():
    import transformers

    tried = {getattr(transformers, f"{name}Config").model_type for name in CLASSES}
    assert {kind.removesuffix("_text") for kind in PLAIN} <= tried


@pytest.mark.parametrize("name", ["Mistral", "Gemma3", "Cohere2"])
def test_a_window_shorter_than_a_row_is_kept(name):
    model = make(name, sliding_window=32)
    alone = losses_alone(model, ROWS)
    chosen, together = losses_as_trained(model, ROWS)
    assert chosen == "own"
    assert together == pytest.approx(alone, rel=2e-4)
    wider = read_shape("tiny", make(name, sliding_window=64).config)
    plan = resolve(TrainingConfig(max_tokens=64), CPU, DatasetShape((9, 3, 90)), wider)
    assert plan.attention.value == "documents"


@pytest.mark.parametrize("name", [name for name in CLASSES if name not in ("Falcon", "Mamba")])
def test_lora_weights_are_counted_before_anything_is_loaded(name):
    """On a copy without weights. PEFT puts as many on the model, and on a mixture's experts more."""
    from peft import LoraConfig, get_peft_model

    model = make(name)
    shape = read_shape("tiny", model.config)
    assert shape.parameters == sum(parameter.numel() for parameter in model.parameters())
    assert linear_layers(model) == shape.linear
    learning = get_peft_model(model, LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM"))
    learned = sum(parameter.numel() for parameter in learning.parameters() if parameter.requires_grad)
    counted = lora_parameters(shape, 4)
    assert counted == learned if shape.sizes is not None else counted <= learned


def folder_of(model, tokenizer, folder, **changes):
    model.save_pretrained(folder)
    changed = copy.deepcopy(tokenizer)
    for name, value in changes.items():
        setattr(changed, name, value)
    changed.save_pretrained(folder)
    return str(folder)


GEMMA = (TEMPLATES / "gemma.jinja").read_text()  # knows no system message, and ends a turn otherwise than a text
CASES = {
    "GPT2": ({"n_positions": 1024}, {"chat_template": None, "pad_token": None}, {}),
    "Gemma2": ({}, {"chat_template": GEMMA}, {}),
    "GPTNeoX": ({}, {"chat_template": None, "eos_token": "<|endoftext|>"}, {"quantise": "nf4"}),
    "Lfm2": ({}, {"eos_token": "<|endoftext|>"}, {}),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_a_model_of_another_kind_learns_talks_and_is_examined(
    name, tiny_dataset, tiny_config, tiny_tokenizer, tmp_path
):
    from pipeline.chat import load_twin, stream
    from pipeline.evaluation import evaluate
    from pipeline.inference import GenerationConfig
    from pipeline.runs import read_state
    from pipeline.training import train

    sizes, tokenizer, settings = CASES[name]
    model = folder_of(make(name, **sizes), tiny_tokenizer, tmp_path / "model", **tokenizer)
    changes = {"model": model, "epochs": 0.3, "validations": 1, "checkpoint_seconds": 60, **settings}
    train(tiny_dataset, tmp_path / "run", tiny_config.model_copy(update=changes))
    state = read_state(tmp_path / "run")
    assert (state.status, state.best_validation_loss < state.base_validation_loss) == ("done", True)
    few = GenerationConfig(max_new_tokens=4)
    (tmp_path / "run/generation.json").write_text(few.model_dump_json())
    *_, piece = stream(load_twin(tmp_path / "run"), [{"role": "user", "content": "question 3"}])
    assert piece.finish_reason
    assert evaluate(tmp_path / "run", samples=1).of("twin")


def test_rows_are_no_longer_than_the_model_has_positions_for():
    assert plan_of(make("GPT2")).longest_row == 256
    assert plan_of(make("Bloom")).longest_row == 1024


def test_where_memory_is_not_known_beforehand_activations_are_not_kept_on_a_gpu():
    shape = read_shape("tiny", make("Mixtral").config)
    gpu = resolve(TrainingConfig(), T4, DatasetShape((9, 3, 90)), shape)
    assert (gpu.forecast, gpu.fits, gpu.checkpointing.value) == (None, True, "on")
    assert plan_of(make("Mixtral")).checkpointing.value == "off"


def test_what_only_reads_and_does_not_see_learns():
    """A model with eyes: LoRA is put on what reads, and the rest counts for nothing."""
    import torch

    class Both(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.vision_tower = torch.nn.Linear(8, 8)
            self.language_model = torch.nn.ModuleDict({"up_proj": torch.nn.Linear(8, 4)})

        def get_output_embeddings(self):
            return None

    assert linear_layers(Both()) == (("up_proj", 12),)
    assert non_text_modules(make("Llama")) is None


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"model_type": "t5"}, "does not continue a text"),
        ({"model_type": "bert", "architectures": ["BertForMaskedLM"]}, "does not continue a text"),
        ({"model_type": "never_heard_of"}, "does not know: update transformers"),
        ({"model_type": "x", "auto_map": {"AutoConfig": "code.Config"}}, "Python code of its own, which is not run"),
        ({"model_type": "llama", "quantization_config": {"quant_method": "awq", "bits": 4}}, "quantised already"),
    ],
)
def test_what_cannot_be_learned_on_is_refused_in_a_sentence(config, said, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "code.py").write_text("raise SystemExit('it was run')")
    with pytest.raises(ChatError, match=said):
        load_config(str(tmp_path))


@pytest.mark.parametrize(
    ("name", "settings", "said"),
    [
        ("Mamba", {}, "LoRA cannot be put on the layers of a mamba"),
        ("Falcon", {}, "A falcon cannot be trained here"),
        ("GPT2", {"targets": ("q_proj", "v_proj")}, "A gpt2 has no q_proj or v_proj to train: use our recipe"),
    ],
)
def test_layers_that_cannot_be_trained_are_named(
    name, settings, said, tiny_dataset, tiny_config, tiny_tokenizer, tmp_path
):
    from pipeline.runs import read_state
    from pipeline.training import train

    model = folder_of(make(name), tiny_tokenizer, tmp_path / "model")
    with pytest.raises(ChatError, match=said):
        train(tiny_dataset, tmp_path / "run", tiny_config.model_copy(update={"model": model, **settings}))
    assert said in read_state(tmp_path / "run").message
