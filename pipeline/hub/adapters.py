"""An adapter as it goes to the Hub: its weights, a config without this machine's paths, and a card."""

import json
import shutil
from pathlib import Path

from pipeline.dataset import DatasetConfig, Summary, read_about
from pipeline.errors import ChatError
from pipeline.evaluation import exam_markdown, exam_notes, read_exam
from pipeline.hub.cards import adapter_card
from pipeline.hub.push import CONSENT, Upload, seal
from pipeline.models import STARTER, AdapterFolder, model_list
from pipeline.planning import TrainingConfig
from pipeline.runs import Run, RunFolder, read_run

__all__ = ["prepare_adapter"]

STARTER_ON_HUB = "HuggingFaceTB/SmolLM2-135M-Instruct"
LICENCES = {"Apache-2.0": "apache-2.0", "Llama 2 Community": "llama2"}


def prepare_adapter(run_dir: Path, folder: Path, *, title: str = "A chat twin") -> Upload:
    """Write what a push of this run's adapter will upload into `folder` (emptied first). Raises ChatError."""
    run = read_run(run_dir)
    source = RunFolder(run_dir).adapter
    if not source.weights.is_file():
        raise ChatError("This run has no adapter yet: wait until it has learned something, then push.")
    config, summary = read_about(RunFolder(run_dir).dataset.path)
    base = hub_name(run.config.model)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    made = AdapterFolder(folder)
    shutil.copyfile(source.weights, made.weights)
    settings = json.loads(source.settings.read_text(encoding="utf-8"))
    settings["base_model_name_or_path"] = base
    made.settings.write_text(json.dumps(settings, indent=2), encoding="utf-8")
    licences = {model.id: model.licence for model in model_list()}
    exam = read_exam(run_dir)
    card = adapter_card(
        title=title,
        base_model=base,
        licence=LICENCES.get(licences.get(run.config.model, ""), "other"),
        language=config.language,
        system_prompt=config.system_prompt or "",
        facts=training_facts(run, config, summary),
        consent=CONSENT,
        learn=run.config.learn,
        exam="\n\n".join([exam_markdown(exam), *exam_notes(exam)]) if exam else "",
        held_out=exam.held_out_replies if exam else 0,
    )
    (folder / "README.md").write_text(str(card), encoding="utf-8")
    warnings = ("Weights can repeat pieces of what they were trained on.",)
    return seal(folder, "model", {"train replies": summary.train_replies, "steps": run.step}, {}, warnings)


def hub_name(model: str) -> str:
    """The base model as others find it: a Hub id, or the name of a folder that only this machine has."""
    if model == STARTER:
        return STARTER_ON_HUB
    path = Path(model).expanduser()
    return path.name if path.is_dir() else model


def recipe_of(settings: TrainingConfig) -> str:
    """What it was trained with, in a line."""
    step = f"{settings.rows_per_step} rows"
    if settings.batching == "tokens":
        step = f"{settings.tokens_per_step:,} tokens" if settings.tokens_per_step else "as many tokens as suit the chat"
    rate = "chosen by size" if settings.learning_rate is None else f"{settings.learning_rate:g}"
    return (
        f"{settings.recipe}; rate {rate}, {settings.scheduler}, warm-up {settings.warmup:g}; {step} a step; "
        f"rows of at most {settings.max_tokens:,} tokens; weight decay {settings.weight_decay:g}, gradients cut at "
        f"{settings.max_grad_norm:g}, dropout {settings.dropout:g}, seed {settings.seed}"
    )


def training_facts(run: Run, config: DatasetConfig, summary: Summary) -> dict[str, str]:
    settings = run.config
    layers = ", ".join(settings.targets) or "all linear layers"
    facts = {
        "Replies learned from": str(summary.train_replies),
        "Held out": f"{summary.validation_replies} later replies",
        "Masked before": "by form and by lists" if config.redaction else "nothing",
        "LoRA": f"rank {settings.rank or 'chosen by size'}, alpha {settings.alpha:g}, {layers}",
        "Recipe": recipe_of(settings),
        "Steps": f"{run.step}, {settings.epochs or 1:g} epochs asked for",
    }
    if run.base_validation_loss is not None and run.best_validation_loss is not None:
        before, after = run.base_validation_loss, run.best_validation_loss
        facts["Held-out loss of a reply's tokens"] = f"{before:.3f} before, {after:.3f} after"
    return facts
