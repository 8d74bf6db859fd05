"""Forms: what a page that nobody has touched asks for is what the models have as their defaults, and back again."""

import pytest
from built import built, first_values

from pipeline.dataset import DatasetConfig
from pipeline.errors import ChatError
from pipeline.inference import GenerationConfig
from pipeline.planning import TrainingConfig
from pipeline.redact import RedactionConfig
from tabs.chat import panel as chat
from tabs.dataset import tab as dataset
from tabs.finetune import settings


@pytest.fixture(scope="module")
def dataset_form():
    return built(dataset.build)[0].form


@pytest.fixture(scope="module")
def training_form():
    return built(lambda stage: settings.build()[0])[0]


def asked(form, **values):
    """What the form reads with some values of components changed."""
    return form.read(first_values(form.components) | {form[name]: value for name, value in values.items()})


def test_an_untouched_dataset_form_asks_for_the_defaults(dataset_form):
    assert asked(dataset_form, person="Ann") == DatasetConfig(person="Ann")
    assert set(dataset_form.fields) == set(DatasetConfig.model_fields) - {"language"}


def test_an_untouched_chat_form_asks_for_the_defaults_and_leaves_what_was_tuned():
    form = built(lambda stage: chat.build())[0].form
    assert asked(form) == GenerationConfig()
    tuned = GenerationConfig(temperature=0.5, end_bias=1.5, long_reply=40)
    mine = form.read(first_values(form.components), **dict(tuned))
    assert mine == GenerationConfig(end_bias=1.5, long_reply=40)
    assert form.read(form.show(tuned), **dict(tuned)) == tuned


def test_an_untouched_training_form_asks_for_the_recipe(training_form):
    assert asked(training_form) == TrainingConfig()
    assert asked(training_form, recipe="blog") == TrainingConfig.of("blog")
    assert asked(training_form, model=" org/name ") == TrainingConfig(model="org/name")
    several = asked(training_form, processes=2, shard="always", trackio=True)
    assert several == TrainingConfig(processes=2, shard="always", trackio=True)


@pytest.mark.parametrize("recipe", ["ours", "blog"])
@pytest.mark.parametrize("changes", [{}, {"rank": 8, "epochs": 0.5, "max_tokens": 512, "quantise": "nf4"}])
def test_a_training_form_shows_what_a_run_was_started_with(training_form, recipe, changes):
    config = TrainingConfig.of(recipe, **changes)
    shown = settings.settings_of(training_form, config)
    assert set(shown) == set(training_form.components)
    assert training_form.read(shown) == config
    assert shown[training_form["rank"]] == changes.get("rank", 0)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"silence_minutes": 90.0, "max_tokens": 512, "max_replies": 40, "situation": False},
        {"filters": ("link", "only_call"), "also_named": ("Annie",), "system_prompt": "You are {person}."},
        {"redaction": RedactionConfig(kinds=("url", "email"), aliases={"Ann": "A"}, words=("Berlin", "Acme"))},
    ],
)
def test_a_dataset_form_shows_what_it_was_made_with(dataset_form, changes):
    config = DatasetConfig(person="Ann", **changes)
    shown = dataset_form.show(config)
    assert set(shown) == set(dataset_form.components)
    assert dataset_form.read(shown) == config


def test_what_cannot_be_used_is_named_as_the_page_names_it(dataset_form):
    with pytest.raises(ChatError, match=r"Most replies to learn from: input should be greater than or equal to 30"):
        asked(dataset_form, person="Ann", max_replies=5)
    with pytest.raises(ChatError, match=r"only \{person\}, \{others\} and \{situation\} may stand in braces"):
        asked(dataset_form, person="Ann", system_prompt="{name}")
    with pytest.raises(ChatError, match="Choose whose replies"):
        asked(dataset_form)
