"""How it will train, a part of the Fine-tune tab: the settings as a form of `TrainingConfig`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

from tabs.form import ZERO_IS_NONE, Codec, Form, FormField, form_field
from tabs.wiring import Updates

if TYPE_CHECKING:
    from pipeline.planning import TrainingConfig

__all__ = ["build", "settings_of"]

NAME = Codec(lambda name: name, lambda name: (name or "starter").strip())


def build() -> tuple[Form[TrainingConfig], gr.Row]:
    """The form, and its row that only a machine of several GPUs needs."""
    from pipeline.planning import TrainingConfig

    fields = _fields()
    with gr.Row(visible=False, elem_id="several-gpus") as several:
        fields["processes"] = form_field(
            TrainingConfig, "processes", gr.Number, ZERO_IS_NONE, label="GPUs that train together", precision=0,
            info="0: all. Each takes its share of every step, so an epoch is over sooner.",
        )  # fmt: skip
        fields["shard"] = form_field(
            TrainingConfig, "shard", gr.Dropdown, label="Split the model over them",
            choices=[("Where it does not fit one", "auto"), ("Always", "always"), ("Never", "never")],
            info="Then more fits, in 16 bits. Whole on each, steps are faster.",
        )  # fmt: skip
    fields["trackio"] = form_field(
        TrainingConfig, "trackio", gr.Checkbox, label="Metrics into a trackio project, too", elem_id="trackio",
        visible=False, info="In the run's folder, on this computer only.",
    )  # fmt: skip
    return Form(TrainingConfig, fields, _config), several


def _fields() -> dict[str, FormField]:
    """What every machine has."""
    from pipeline.models import model_list
    from pipeline.planning import TrainingConfig

    models = [(f"{model.name}  ·  {model.licence}", model.id) for model in model_list()]
    fields = {
        "model": form_field(
            TrainingConfig, "model", gr.Dropdown, NAME, choices=models, allow_custom_value=True, label="Model",
            elem_id="model", info="Any other by its name on the Hub, such as org/name",
        ),
        "recipe": form_field(
            TrainingConfig, "recipe", gr.Radio, choices=[("Ours", "ours"), ("The blog's", "blog")], label="Recipe"
        ),
    }  # fmt: skip
    with gr.Row():
        fields["epochs"] = form_field(
            TrainingConfig, "epochs", gr.Number, ZERO_IS_NONE, label="Times each reply is seen",
            info="0: as the recipe has it",
        )  # fmt: skip
        fields["learning_rate"] = form_field(
            TrainingConfig, "learning_rate", gr.Number, ZERO_IS_NONE, label="Learning rate",
            info="0: by the size of the model",
        )  # fmt: skip
    with gr.Row():
        fields["rank"] = form_field(
            TrainingConfig, "rank", gr.Number, ZERO_IS_NONE, label="Rank", info="0: as the recipe has it", precision=0
        )
        fields["max_tokens"] = form_field(
            TrainingConfig, "max_tokens", gr.Number, label="Longest row, in tokens", precision=0
        )
    with gr.Row():
        fields["precision"] = form_field(
            TrainingConfig, "precision", gr.Dropdown, label="Computed in",
            choices=[("By the machine", "auto"), ("BF16", "bf16"), ("FP16", "fp16"), ("FP32", "fp32")],
            info="16 bits are faster where the machine has them",
        )  # fmt: skip
        fields["quantise"] = form_field(
            TrainingConfig, "quantise", gr.Dropdown, label="Base weights kept in",
            choices=[("By the machine", "auto"), ("4 bits (NF4)", "nf4"), ("As computed", "none")],
            info="4 bits take a quarter of the memory",
        )  # fmt: skip
        fields["tokens_per_batch"] = form_field(
            TrainingConfig, "tokens_per_batch", gr.Number, ZERO_IS_NONE, label="Tokens at once",
            info="0: by the machine", precision=0,
        )  # fmt: skip
    return fields


def _config(fields: dict[str, Any]) -> TrainingConfig:
    """The recipe, with what was changed; a setting left as it is at first is as the recipe has it."""
    from pipeline.planning import TrainingConfig

    known = TrainingConfig.model_fields
    changed = {name: value for name, value in fields.items() if name != "recipe" and value != known[name].default}
    return TrainingConfig.of(fields["recipe"], **changed)


def settings_of(form: Form[TrainingConfig], config: TrainingConfig) -> Updates:
    """The form as it was when a run of this configuration was started: what is the recipe's own is left as at first."""
    from pipeline.planning import TrainingConfig

    recipe = TrainingConfig.of(config.recipe)
    changed = {name for name in form.fields if getattr(config, name) != getattr(recipe, name)} | {"recipe"}
    return form.defaults | form.show({name: getattr(config, name) for name in changed})
