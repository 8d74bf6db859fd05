import copy
from pathlib import Path

import pytest

from pipeline.models import load_tokenizer
from pipeline.sample import sample_text
from pipeline.sources import parse

TEMPLATES = Path(__file__).parents[1] / "chat_templates"
SPECIAL = {
    "llama2": [],
    "llama3": ["<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"],
    "qwen": [],
    "gemma": ["<start_of_turn>", "<end_of_turn>"],
    "mistral": ["[INST]", "[/INST]"],
}


@pytest.fixture(scope="session")
def starter():
    return load_tokenizer("starter")


@pytest.fixture(scope="session", params=["starter", *SPECIAL, "base"])
def tokenizer(request, starter):
    """The starter's tokenizer under each family's template, and without any."""
    made = copy.deepcopy(starter)
    if request.param == "base":
        made.chat_template = None
    elif request.param != "starter":
        made.chat_template = (TEMPLATES / f"{request.param}.jinja").read_text()
        made.add_special_tokens({"additional_special_tokens": SPECIAL[request.param]})
    return made


@pytest.fixture(scope="session")
def sample():
    return parse(sample_text())[0]
