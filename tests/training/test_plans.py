"""What the page shows is what is trained: one plan, saved with the run, new only where it must be."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline import runs
from pipeline.dataset import read_dataset, write_dataset
from pipeline.errors import ChatError
from pipeline.machine import T4, Machine, this_machine
from pipeline.models import model_list
from pipeline.planning import TrainingConfig, shape_of
from pipeline.runs import RunFolder, lay_out, read_plan
from pipeline.training.plans import keep_shown, plan_for, plan_run
from pipeline.visitors import Visitor
from tabs.finetune.forecast import plan_shown
from tests.training.architectures import make
from tests.training.waiting import wait

H100 = Machine("cuda", "NVIDIA H100", 79.2, 78.0, 16, (9, 0), 1, fast_bf16=True)
CPU = Machine("cpu", "CPU", 16.0, 12.0, 8)
MAC = Machine("mps", "Apple GPU", 16.0, 12.0, 8, gpus=1)
MACHINES = (CPU, T4, replace(T4, gpus=2), H100, replace(H100, gpus=8), MAC)
CLASSES = {"llama": "Llama", "qwen2": "Qwen2", "qwen3": "Qwen3", "smollm3": "SmolLM3"}
STRANGERS = ("GPT2", "Gemma2", "Mixtral", "Lfm2", "Bloom")


def config_of(info):
    """transformers' configuration of a model of the list."""
    import transformers

    sizes = info.sizes
    return getattr(transformers, f"{CLASSES[info.architecture]}Config")(
        hidden_size=sizes.hidden, intermediate_size=sizes.intermediate, num_hidden_layers=sizes.layers,
        num_attention_heads=sizes.heads, num_key_value_heads=sizes.kv_heads, head_dim=sizes.head_dim,
        vocab_size=sizes.vocabulary, tie_word_embeddings=sizes.tied, max_position_embeddings=info.context,
        pad_token_id=0,
    )  # fmt: skip


@pytest.fixture(scope="module")
def models(tiny_tokenizer, tmp_path_factory):
    """A folder of each model of the list and of some others, without weights: planning needs none."""
    folders = {}
    for info in model_list():
        folders[info.id] = tmp_path_factory.mktemp("listed")
        config_of(info).save_pretrained(folders[info.id])
    for name in STRANGERS:
        folders[name] = tmp_path_factory.mktemp("stranger")
        make(name).config.save_pretrained(folders[name])
    for folder in folders.values():
        tiny_tokenizer.save_pretrained(folder)
    return folders


@pytest.mark.parametrize("info", model_list(), ids=lambda info: info.id)
def test_the_list_says_of_each_model_what_its_configuration_does(info, models):
    listed, read = shape_of(info.id), shape_of(str(models[info.id]))
    assert read.parameters == pytest.approx(listed.parameters, rel=1e-3)  # the list leaves norms and biases out
    assert (dict(read.linear), read.sizes) == (dict(listed.linear), listed.sizes)
    kept = ("architecture", "positions", "window", "capped")
    assert [getattr(read, name) for name in kept] == [getattr(listed, name) for name in kept]


CONFIGS = st.builds(
    TrainingConfig.of,
    st.sampled_from(("ours", "ours", "blog")),
    rank=st.none() | st.just(8),
    epochs=st.none() | st.sampled_from((0.5, 2.0)),
    learning_rate=st.none() | st.just(1e-4),
    tokens_per_step=st.none() | st.just(512),
    tokens_per_batch=st.none() | st.just(256),
    max_tokens=st.sampled_from((256, 1024)),
    targets=st.just(()),
    learn=st.sampled_from(("replies", "everything")),
    repeat_context=st.booleans(),
    precision=st.sampled_from(("auto", "fp32")),
    checkpointing=st.sampled_from(("auto", "always")),
    shard=st.sampled_from(("auto", "always")),
    processes=st.none() | st.integers(1, 3),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(config=CONFIGS, machine=st.sampled_from(MACHINES), data=st.data())
def test_the_pages_plan_is_the_one_that_the_worker_saves(config, machine, data, models, tiny_dataset, tmp_path_factory):
    config = config.model_copy(update={"model": str(models[data.draw(st.sampled_from(sorted(models)))])})
    folder = tmp_path_factory.mktemp("case")
    whole = read_dataset(tiny_dataset)
    rows = data.draw(st.lists(st.sampled_from(whole.train), min_size=1, max_size=30))
    write_dataset(replace(whole, train=rows), folder / "dataset")
    shown = plan_for(folder / "dataset", config, machine)
    lay_out(folder / "dataset", folder / "run", config)
    assert plan_run(folder / "run", machine) == shown == read_plan(folder / "run")
    assert plan_run(folder / "run", replace(machine, cores=1)) == shown  # resumed


@pytest.mark.slow
def test_what_the_page_shows_is_trained_to_the_byte(tiny_dataset, tiny_folder, tmp_path):
    visitor = Visitor(tmp_path)
    write_dataset(read_dataset(tiny_dataset), visitor.dataset)
    config = TrainingConfig(model=str(tiny_folder), epochs=0.3, validations=1, precision="fp32")
    shown = plan_shown(visitor, config, "here")
    runs.start(visitor.dataset, tmp_path / "clicked", config, shown)
    assert wait(tmp_path / "clicked", lambda run: not run.live).status == "done"
    saved = (tmp_path / "clicked/plan.json").read_text()
    assert saved == shown.model_dump_json(indent=1)
    runs.start(visitor.dataset, tmp_path / "typed", config)  # as the command line does: the worker plans
    run = wait(tmp_path / "typed", lambda run: not run.live)
    assert run.plan.model_copy(update={"machine": shown.machine, "forecast": shown.forecast}) == shown
    assert (run.total_steps, run.step, run.config) == (shown.steps, shown.steps, shown.settled)
    learned = json.loads((tmp_path / "clicked/adapter/adapter_config.json").read_text())
    assert learned["r"] == shown.rank.value


def test_where_the_models_tokenizer_is_not_here_the_plan_is_an_estimate_of_its_steps_alone(
    tiny_dataset, tiny_folder, tmp_path
):
    shown = plan_for(tiny_dataset, TrainingConfig(model="Qwen/Qwen2.5-1.5B-Instruct"), T4)
    assert shown.dataset.estimated
    assert shown.dataset.tokens == pytest.approx(read_dataset(tiny_dataset).summary.train_tokens, rel=0.3)
    steps = next(row for row in shown.reasons() if row[0] == "Steps")
    assert steps[1].startswith("about ")
    assert "by another tokenizer than the model's" in steps[2]
    # When it is counted, what was shown of how it learns stays.
    config = TrainingConfig(model=str(tiny_folder))
    counted = plan_for(tiny_dataset, config, CPU)
    guess = counted.model_copy(
        update={
            "dataset": replace(counted.dataset, tokens=60_000, estimated=True),
            "rank": replace(counted.rank, value=32),
        }
    )
    lay_out(tiny_dataset, tmp_path / "run", config, guess)
    plan = plan_run(tmp_path / "run", CPU)
    assert (plan.rank, plan.dataset, plan.steps) == (guess.rank, counted.dataset, counted.steps)
    assert plan.lora_parameters == 2 * counted.lora_parameters


def test_on_other_hardware_a_run_gets_a_new_plan_and_says_what_changed(tiny_dataset, tiny_folder, tmp_path):
    run_dir, config = tmp_path / "run", TrainingConfig(model=str(tiny_folder))
    lay_out(tiny_dataset, run_dir, config)
    begun = plan_run(run_dir, T4)
    plan = plan_run(run_dir, replace(H100, gpus=2))
    assert plan == read_plan(run_dir)
    assert (plan.settled, plan.steps) == (begun.settled, begun.steps)
    said = (
        "Planned anew on NVIDIA H100 instead of a T4: processes 2 instead of 1, precision bf16 instead of fp16, "
        "tokens at once 512 instead of 1,024."
    )
    assert plan.changed == runs.read_state(run_dir).message == said
    assert runs.read_metrics(run_dir)["message"].to_list() == [said]
    assert plan_run(run_dir, replace(H100, gpus=2, free=70.0)) == plan  # of the same kind
    assert len(runs.read_metrics(run_dir)) == 1


def test_a_run_goes_on_with_the_optimiser_whose_moments_it_has_or_says_that_it_cannot(
    tiny_dataset, tiny_folder, tmp_path
):
    small = replace(T4, memory=0.0001)  # where 8-bit moments pay
    folder = RunFolder(tmp_path / "run")
    lay_out(tiny_dataset, folder.path, TrainingConfig(model=str(tiny_folder)))
    assert plan_run(folder.path, small).optimiser.value == "paged_adamw_8bit"
    assert plan_run(folder.path, H100).optimiser.value == "paged_adamw_8bit"
    checkpoint = folder.checkpoint(3)
    checkpoint.mkdir(parents=True)
    folder.whole(checkpoint).write_text("{}")
    with pytest.raises(ChatError, match="begun with paged_adamw_8bit, whose moments adamw_torch cannot take over"):
        plan_run(folder.path, CPU)


def test_settings_that_were_changed_make_a_new_plan(tiny_dataset, tiny_folder, tmp_path):
    run_dir, config = tmp_path / "run", TrainingConfig(model=str(tiny_folder))
    lay_out(tiny_dataset, run_dir, config)
    plan_run(run_dir, CPU)
    (run_dir / "config.json").write_text(config.model_copy(update={"checkpointing": "always"}).model_dump_json())
    plan = plan_run(run_dir, CPU)
    assert plan.changed == "Planned anew as its settings were changed: checkpointing on instead of off."


def test_a_run_older_than_plans_gets_one_from_its_settled_settings(tiny_dataset, tiny_folder, tmp_path):
    """Its config.json has what was chosen then filled in; that stays."""
    run_dir = tmp_path / "run"
    settled = TrainingConfig(
        model=str(tiny_folder), rank=32, learning_rate=1e-3, epochs=2.0, tokens_per_step=2048, tokens_per_batch=512
    )
    lay_out(tiny_dataset, run_dir, settled)
    assert runs.read_run(run_dir).plan is None
    plan = plan_run(run_dir, CPU)
    assert (plan.settled, plan.tokens_per_batch.value, plan.changed) == (settled, 512, "")
    (run_dir / "plan.json").write_text('{"format": 2}')  # of a version to come
    assert plan_run(run_dir, CPU) == plan


def test_what_was_shown_is_kept_unless_more_than_free_memory_changed(tiny_dataset):
    config = TrainingConfig(model="Qwen/Qwen2.5-1.5B-Instruct")
    shown = plan_for(tiny_dataset, config, T4)
    assert keep_shown(shown, plan_for(tiny_dataset, config, replace(T4, free=13.0))) == shown
    assert keep_shown(None, shown) == shown
    for changed in (config.model_copy(update={"rank": 8}), TrainingConfig()):
        now = plan_for(tiny_dataset, changed, T4)
        assert keep_shown(shown, now) == now
    tight = keep_shown(shown, plan_for(tiny_dataset, config, replace(T4, free=6.0)))
    assert tight.checkpointing.value == "on"


def test_a_model_that_is_not_what_was_planned_is_a_fault_of_ours(tiny_dataset, tiny_model, tiny_folder):
    from pipeline.training.finetune import _require_as_planned

    plan = plan_for(tiny_dataset, TrainingConfig(model=str(tiny_folder)), replace(this_machine(), gpus=0))
    _require_as_planned(plan, tiny_model, plan.steps)
    for wrong, said in (({"lora_parameters": 7}, "LoRA weights, not 7"), ({"steps": 999}, "steps, not 999")):
        with pytest.raises(RuntimeError, match=f"not what was planned: .*{said}"):
            _require_as_planned(plan.model_copy(update=wrong), tiny_model, plan.steps)


def test_a_shape_is_read_anew_when_its_folder_has_changed(tmp_path):
    import os

    make("Llama").config.save_pretrained(tmp_path)
    small = shape_of(str(tmp_path))
    make("Llama", num_hidden_layers=4).config.save_pretrained(tmp_path)
    os.utime(Path(tmp_path) / "config.json", ns=(1, 1))
    assert shape_of(str(tmp_path)).parameters > small.parameters
