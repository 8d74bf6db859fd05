"""Every test runs offline, on one thread of its worker, with data of its own and models from the shared cache."""

import os
import sys
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

if sys.dont_write_bytecode:
    # A hundred processes are started here. Where no bytecode may lie beside the code, each would first compile torch
    # and all that comes with it, longer than it then works: the tests keep theirs in a folder apart.
    sys.dont_write_bytecode = False
    sys.pycache_prefix = str(Path(__file__).parents[1] / ".pytest_cache" / "bytecode")
    os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

os.environ.update(
    CHAT_TWIN_HOME=tempfile.mkdtemp(prefix="chat-twin-test-"),
    HF_HUB_DISABLE_TELEMETRY="1",
    HF_HUB_OFFLINE="1",
    GRADIO_ANALYTICS_ENABLED="False",
    OMP_NUM_THREADS="1",
    OMP_WAIT_POLICY="PASSIVE",
    TOKENIZERS_PARALLELISM="false",
)
os.environ.pop("HF_TOKEN", None)

import pytest
from hypothesis import HealthCheck, settings

# Workers share two cores with training and a browser: a slow example says nothing about the code.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("house")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """Slow tests first, those of the app in the half that the first of two workers begins with, the rest in the other.

    So neither waits in the end while the other is in the middle of a long one, and one alone starts app and browser.
    """
    slow = [item for item in items if item.get_closest_marker("slow")]
    first = [item for item in slow if item.get_closest_marker("browser") or item.nodeid.startswith("tests/app/")]
    second = [item for item in slow if item not in first]
    fast = [item for item in items if item not in slow]
    cut = max(0, len(items) // 2 - len(first))
    items[:] = first + fast[:cut] + second + fast[cut:]


@pytest.fixture(scope="session")
def tiny_tokenizer():
    """A tokenizer of bytes with a ChatML template: made here, fetched from nowhere."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    made = Tokenizer(models.BPE(vocab={token: i for i, token in enumerate([*special, *letters])}, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=made, bos_token=special[1], eos_token=special[2], unk_token=special[0], pad_token=special[2]
    )
    tokenizer.chat_template = (
        "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
    )
    return tokenizer


@pytest.fixture(scope="session")
def tiny_model(tiny_tokenizer):
    """A Llama of two small layers with random weights, float32, the same in every test."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.set_num_threads(1)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tiny_tokenizer), hidden_size=64, intermediate_size=96, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=2048, initializer_range=0.3,
        bos_token_id=1, eos_token_id=2, pad_token_id=2,
    )  # fmt: skip
    return LlamaForCausalLM(config).eval().requires_grad_(False)


@pytest.fixture
def tiny_engine(tiny_model, tiny_tokenizer):
    """An engine over the tiny model, with nothing kept yet."""
    from pipeline.inference import Engine
    from pipeline.inference.decoder import Decoder
    from pipeline.prompt import read_template

    return Engine(Decoder(tiny_model), tiny_tokenizer, read_template(tiny_tokenizer), 2048)


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory, tiny_model, tiny_tokenizer):
    """A finished run of the tiny model on the beginning of the sample, its adapter untrained. Copy it to change it."""
    import copy
    import json

    import torch
    from peft import LoraConfig, get_peft_model

    from pipeline.dataset import DatasetConfig, build_dataset, write_dataset
    from pipeline.inference import GenerationConfig
    from pipeline.prompt import read_template
    from pipeline.sample import sample_text
    from pipeline.sources import parse

    folder = tmp_path_factory.mktemp("run")
    model = folder / "model"
    tiny_model.save_pretrained(model)
    tiny_tokenizer.save_pretrained(model)
    messages, _ = parse("\n".join(sample_text().splitlines()[:500]))
    dataset = build_dataset(messages, DatasetConfig(person="Noah", validation_share=0.3), tiny_tokenizer)
    write_dataset(dataset, folder / "dataset")
    torch.manual_seed(0)
    lora = LoraConfig(r=2, target_modules="all-linear", init_lora_weights=False, task_type="CAUSAL_LM")
    get_peft_model(copy.deepcopy(tiny_model), lora).save_pretrained(folder / "adapter")
    (folder / "config.json").write_text(json.dumps({"model": str(model)}))
    (folder / "template.json").write_text(read_template(tiny_tokenizer).model_dump_json())
    (folder / "generation.json").write_text(GenerationConfig(max_new_tokens=12).model_dump_json())
    return folder


@pytest.fixture(scope="session")
def tiny_folder(tiny_model, tiny_tokenizer, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    tiny_model.save_pretrained(folder)
    tiny_tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_dataset(tiny_tokenizer, tmp_path_factory):
    """Sixty exchanges, a session of four an evening."""
    import polars as pl

    from pipeline.dataset import DatasetConfig, build_dataset, write_dataset

    start = datetime(2024, 3, 1, 20)
    rows = []
    for exchange in range(60):
        at = start + timedelta(days=exchange // 4, minutes=exchange % 4 * 3)
        rows.append((at, "Ann", f"question {exchange}", "text", None, False))
        rows.append((at + timedelta(minutes=1), "Bob", f"answer {exchange * 7 % 11}", "text", None, False))
    schema = {
        "sent_at": pl.Datetime("us"), "sender": pl.String, "text": pl.String, "kind": pl.String,
        "attachment": pl.String, "edited": pl.Boolean,
    }  # fmt: skip
    messages = pl.DataFrame(rows, schema=schema, orient="row")
    folder = tmp_path_factory.mktemp("dataset")
    write_dataset(build_dataset(messages, DatasetConfig(person="Bob"), tiny_tokenizer), folder)
    return folder


@pytest.fixture(scope="session")
def tiny_config(tiny_folder):
    """Settings for a run of some twenty steps with a checkpoint after each."""
    from pipeline.planning import TrainingConfig

    return TrainingConfig(
        model=str(tiny_folder), rank=4, alpha=8, epochs=3, tokens_per_step=512, learning_rate=5e-3, precision="fp32",
        checkpoint_seconds=0, validations=3, patience=9,
    )  # fmt: skip
