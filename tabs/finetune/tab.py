"""Step 3: one button, then watch it learn. Everything shown of a run is read from its folder, so a reload finds it."""

from __future__ import annotations

import os
from html import escape
from typing import TYPE_CHECKING, Any

import gradio as gr

from pipeline.errors import ChatError
from pipeline.runs import RunFolder
from tabs.finetune import compare_runs, explain, jobs, notebook
from tabs.finetune import forecast as fit
from tabs.finetune.loss_curve import loss_curve
from tabs.runs import check_none_goes, new_run_folder, newest_run, run_folders, runs_stamp, seen_rows
from tabs.visitor import Stage, Visitor, own_run, safely, stamp, visitor_of
from web.bubbles import failed
from web.words import count, time_left

if TYPE_CHECKING:
    from pipeline.planning import TrainingConfig
    from pipeline.runs import Run

__all__ = ["build", "run_panel"]

TICK_SECONDS = 1.5


def build(stage: Stage) -> None:
    """The tab: empty, ready, running, done (or failed, paused, lost)."""
    private: dict[str, Any] = {"api_visibility": "private"}
    quiet: dict[str, Any] = {"show_progress": "hidden", **private}
    with gr.Column(elem_id="finetune-empty") as empty:
        gr.HTML('<div class="empty">No dataset yet. Make one in step 2: it takes a moment.</div>')
    with gr.Column(visible=False, elem_id="finetune-go") as go:
        if jobs.notice():
            gr.HTML(jobs.notice(), elem_id="finetune-notice")
        verdict = gr.HTML(elem_id="finetune-verdict")
        bar = gr.HTML(elem_id="fit")
        panel = gr.HTML(visible=False, elem_id="run")
        with gr.Row(elem_classes="actions"):
            onward = gr.Button(
                "Next: chat", variant="primary", visible=False, scale=0, min_width=180, elem_id="to-chat"
            )
            resume = gr.Button("Resume", variant="primary", visible=False, scale=0, min_width=180, elem_id="resume")
            stop = gr.Button("Stop and keep the best", visible=False, scale=0, min_width=250, elem_id="stop")
            pause = gr.Button("Pause", visible=False, scale=0, min_width=110, elem_id="pause")
            train = gr.Button("Train", variant="primary", scale=0, min_width=180, elem_id="train")
        knobs = _settings(stage, bar)
        with gr.Accordion("What the model sees (3 rows)", open=False, elem_classes="fold") as rows_fold:
            rows = gr.HTML()
        with gr.Accordion("Log", open=False, elem_classes="fold"):
            log = gr.HTML()
        with gr.Accordion(
            "Train on Hugging Face Jobs", open=jobs.is_better_here(), elem_classes="fold", elem_id="jobs"
        ):
            hired = gr.Column()
        with gr.Accordion("Train on a free T4", open=False, elem_classes="fold", elem_id="free-t4-fold") as free:
            notebook.build(free)
        with gr.Accordion("All runs: compare two, take one along", open=False, elem_classes="fold", elem_id="all-runs"):
            compare_runs.build(stage)
    timer = gr.Timer(TICK_SECONDS, active=False)
    shown = [empty, go, verdict, panel, onward, resume, stop, pause, train, log, timer]
    with hired:
        jobs.build(stage, knobs, _config, shown, _shown)
    gr.on([stage.dataset.change, stage.runs.change], safely(_draw), None, shown, **quiet)
    seen = gr.State("")
    timer.tick(safely(_tick), seen, [stage.runs, panel, log, seen], **quiet)
    train.click(safely(_train), knobs, [stage.runs, *shown], show_progress="minimal", **private)
    for button, asked in ((stop, "stop"), (pause, "pause"), (resume, "resume")):
        button.click(safely(_ask), gr.State(asked), [stage.runs, *shown], **quiet)
    onward.click(lambda: gr.Tabs(selected="chat"), None, stage.tabs, **quiet)
    rows_fold.expand(safely(_rows), knobs[0], rows, show_progress="minimal", **private)


def _settings(stage: Stage, bar: gr.HTML) -> list[Any]:
    """The folds of how it will train: settings, whether it fits, what it means. Returns the settings, as components."""
    with gr.Accordion("Settings", open=False, elem_classes="fold", elem_id="finetune-settings"):
        knobs = _knobs()
        several, more = _more_knobs()
        knobs += more
    with gr.Accordion("Will it fit, and why so", open=False, elem_classes="fold", elem_id="finetune-fit"):
        fit.build(stage, bar, knobs, _config)
    with gr.Accordion("What it means", open=False, elem_classes="fold", elem_id="finetune-means") as means:
        explain.build(means, knobs[0])
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    stage.dataset.change(safely(_offered), None, [several, more[-1]], **quiet)
    return knobs


def _knobs() -> list[Any]:
    """The folded settings, in the order of `_config`'s arguments."""
    from pipeline.models import model_list

    models = [(f"{model.name}  ·  {model.licence}", model.id) for model in model_list()]
    model = gr.Dropdown(
        models, value=models[0][1], allow_custom_value=True, label="Model", elem_id="model",
        info="Any other by its name on the Hub, such as org/name",
    )  # fmt: skip
    recipe = gr.Radio([("Ours", "ours"), ("The blog's", "blog")], value="ours", label="Recipe")
    with gr.Row():
        epochs = gr.Number(0, label="Times each reply is seen", info="0: as the recipe has it")
        rate = gr.Number(0, label="Learning rate", info="0: by the size of the model")
    with gr.Row():
        rank = gr.Number(0, label="Rank", info="0: as the recipe has it", precision=0)
        tokens = gr.Number(0, label="Longest row, in tokens", info="0: 1,024", precision=0)
    with gr.Row():
        precision = gr.Dropdown(
            [("By the machine", "auto"), ("BF16", "bf16"), ("FP16", "fp16"), ("FP32", "fp32")], value="auto",
            label="Computed in", info="16 bits are faster where the machine has them",
        )  # fmt: skip
        weights = gr.Dropdown(
            [("By the machine", "auto"), ("4 bits (NF4)", "nf4"), ("As computed", "none")], value="auto",
            label="Base weights kept in", info="4 bits take a quarter of the memory",
        )  # fmt: skip
        batch = gr.Number(0, label="Tokens at once", info="0: by the machine", precision=0)
    return [model, recipe, epochs, rate, rank, tokens, precision, weights, batch]


def _more_knobs() -> tuple[gr.Row, list[Any]]:
    """What only some machines have: the row for several GPUs (hidden elsewhere), and all the settings."""
    with gr.Row(visible=False, elem_id="several-gpus") as several:
        processes = gr.Number(
            0, label="GPUs that train together", precision=0,
            info="0: all. Each takes its share of every step, so an epoch is over sooner.",
        )  # fmt: skip
        shard = gr.Dropdown(
            [("Where it does not fit one", "auto"), ("Always", "always"), ("Never", "never")], value="auto",
            label="Split the model over them", info="Then more fits, in 16 bits. Whole on each, steps are faster.",
        )  # fmt: skip
    tracked = gr.Checkbox(
        False, label="Metrics into a trackio project, too", elem_id="trackio", visible=False,
        info="In the run's folder, on this computer only.",
    )  # fmt: skip
    return several, [processes, shard, tracked]


def _offered() -> list[Any]:
    """Outputs [several, tracked]: those that make sense here. Behind a link nobody could open trackio's dashboard."""
    from pipeline.machine.hardware import this_machine

    far = bool(os.environ.get("SPACE_ID")) or os.environ.get("GRADIO_SHARE", "").lower() in ("1", "true")
    return [gr.Row(visible=this_machine().gpus > 1), gr.Checkbox(visible=not far)]


def _config(model: str, recipe: str, *settings: Any) -> TrainingConfig:
    from pydantic import ValidationError

    from pipeline.planning import TrainingConfig

    names = (
        "epochs", "learning_rate", "rank", "max_tokens", "precision", "quantise", "tokens_per_batch", "processes",
        "shard", "trackio",
    )  # fmt: skip
    asked = dict(zip(names, settings, strict=True))
    try:
        return TrainingConfig.of(
            recipe,  # type: ignore[arg-type]
            model=(model or "starter").strip(),
            **{name: value for name, value in asked.items() if value},
        )
    except ValidationError as error:
        places = ", ".join(str(problem["loc"][0]).replace("_", " ") for problem in error.errors())
        raise ChatError(f"A setting cannot be used: check {places}.") from None


def _train(request: gr.Request, *knobs: Any) -> list[Any]:
    from pipeline.runs import start

    visitor = visitor_of(request)
    config = _config(*knobs)
    if not visitor.has_dataset:
        raise ChatError("There is no dataset yet: make one in step 2.")
    check_none_goes(visitor)
    start(visitor.dataset, new_run_folder(visitor), config)
    return [runs_stamp(visitor), *_shown(visitor)]


def _ask(request: gr.Request, asked: str) -> list[Any]:
    """Stop, pause or resume the newest run."""
    from pipeline import runs

    visitor = visitor_of(request)
    folders = run_folders(visitor)
    run_dir = own_run(visitor, folders[0].name if folders else None)
    {"stop": runs.stop, "pause": runs.pause, "resume": runs.resume}[asked](run_dir)
    return [runs_stamp(visitor), *_shown(visitor)]


def _draw(request: gr.Request) -> list[Any]:
    return _shown(visitor_of(request))


def _tick(request: gr.Request, token: gr.OAuthToken | None, seen: str) -> list[Any]:
    """What changed in the run's folder since the last look; a page that redraws for nothing slows the training down."""
    visitor = visitor_of(request)
    folders = run_folders(visitor)
    now = ""
    if folders:
        jobs.follow_job(request, token, folders[0])
        run_folder = RunFolder(folders[0])
        told = (run_folder.metrics, run_folder.state, run_folder.job)
        now = stamp(visitor, *(path.relative_to(visitor.folder).as_posix() for path in told))
    run = newest_run(visitor) if now != seen else None
    if run is None:
        return [runs_stamp(visitor), gr.skip(), gr.skip(), now]
    return [runs_stamp(visitor), run_panel(run), _log(run), now]


def _rows(request: gr.Request, model: str) -> str:
    return seen_rows(visitor_of(request), model)


def _shown(visitor: Visitor) -> list[Any]:
    """The whole tab from the visitor's folder: outputs [empty .. timer]."""
    run = newest_run(visitor)
    if run is None and not visitor.has_dataset:
        return [gr.Column(visible=True), gr.Column(visible=False), *[gr.skip()] * 8, gr.Timer(active=False)]
    status = run.status if run is not None else None
    live, resumable = run is not None and run.live, run is not None and run.resumable and status != "stopped"
    finished = status in ("done", "stopped") and run is not None and run.has_adapter
    again = gr.Button(
        "Train" if run is None else "Train again",
        variant="secondary" if finished or resumable else "primary",
        visible=not live and visitor.has_dataset,
    )
    return [
        gr.Column(visible=False), gr.Column(visible=True),
        gr.HTML(_ready(visitor) if run is None else "", visible=run is None),
        gr.HTML(run_panel(run) if run is not None else "", visible=run is not None),
        gr.Button(visible=finished), gr.Button(visible=resumable),
        gr.Button(visible=live, interactive=status == "running"),
        gr.Button(visible=live and run is not None and run.job is None, interactive=status == "running"),
        again, _log(run), gr.Timer(active=live or (run is not None and run.job is not None and not run.job.over)),
    ]  # fmt: skip


def _ready(visitor: Visitor) -> str:
    """The verdict before training: what will be learned."""
    from pipeline.dataset import read_about

    if not visitor.has_dataset:
        return ""
    config, summary = read_about(visitor.dataset)
    return (
        f'<p class="lead" dir="auto">Ready to learn from {count(summary.train_replies, "reply", "replies")} '
        f"of {escape(config.person)}.</p>"
    )


def run_panel(run: Run) -> str:
    """The run as it stands: curve, state in words, figures."""
    from pipeline.runs import read_metrics
    from pipeline.training.trackio_log import dashboard_command

    metrics = read_metrics(run.directory)
    train, held_out, speed, memory = _series(metrics)
    last = run.step if run.status in ("done", "stopped") else run.total_steps  # the steps that will not come take room
    curve = loss_curve(train, [point for point in held_out if point[0] > 0], last, _before(held_out))
    share = 100 * run.step / max(run.total_steps, 1)
    waiting = run.status == "starting" and run.message
    lines = [f'<p class="state">{escape(run.message) if waiting else _state_line(run)}</p>']
    if run.live:
        lines.append(f'<div class="meter"><i style="width:{share:.0f}%"></i></div>')
        left = "" if run.status == "stopping" else f"{time_left(run.seconds_left)} · "
        lines.append(f"<p><b>{left}step {run.step:,} of {run.total_steps:,}</b></p>" if run.total_steps else "")
    lines.append(_loss_line(train, held_out))
    figures = [f"{speed:,.0f} tokens a second" if speed else "", f"{memory:.1f} GB of memory" if memory else ""]
    if any(figures):
        lines.append(f"<p>{' · '.join(filter(None, figures))}</p>")
    lines += jobs.job_lines(run)
    if run.config.trackio:
        shown = f"<code>{escape(dashboard_command(run.directory))}</code>"
        lines.append(f'<p class="quiet" style="overflow-wrap: anywhere">Its dashboard: {shown}</p>')
    # Of a run that was asked to end the state has said the first sentence already.
    message = run.message.partition(". ")[2] if run.status in ("stopped", "paused") else run.message
    if message and not run.live:
        lines.append(failed(message) if run.status in ("failed", "lost") else f"<p>{escape(message)}</p>")
    return f'<div class="run"><div>{curve}</div><div>{"".join(lines)}</div></div>'


def _state_line(run: Run) -> str:
    return {
        "starting": "Loading the model",
        "running": f"Learning · {100 * run.step // max(run.total_steps, 1)} %",
        "stopping": "Stopping, and keeping the best so far",
        "paused": "Paused. Resume goes on from where it was.",
        "done": "Done. The twin is ready to talk.",
        "stopped": "Stopped. The best so far is kept, and ready to talk.",
        "failed": "The training failed.",
        "lost": "The training was cut off.",
    }[run.status]


def _loss_line(train: list[tuple[float, float]], held_out: list[tuple[float, float]]) -> str:
    if held_out and len(held_out) > 1:
        before, best = held_out[0][1], min(loss for _, loss in held_out[1:])
        better = 100 * (1 - best / before) if before else 0
        how = f"{better:.0f} % below before training" if better >= 0.5 else "no better than before training"
        return f"<p>Loss on held-out replies <b>{before:.2f} → {best:.2f}</b>, {how}</p>"
    if train:
        return f"<p>Loss <b>{train[0][1]:.2f} → {train[-1][1]:.2f}</b>, held-out replies not looked at yet</p>"
    return "<p>The first steps take a moment.</p>"


def _series(metrics: Any) -> tuple[list[tuple[float, float]], list[tuple[float, float]], float | None, float | None]:
    """(train points, held-out points, last tokens a second, last memory in GiB) of a run's metrics."""

    def points(column: str) -> list[tuple[float, float]]:
        if column not in metrics.columns or "step" not in metrics.columns:
            return []
        return [(step, loss) for step, loss in metrics.select("step", column).drop_nulls().iter_rows() if loss == loss]

    def last(column: str) -> float | None:
        found = points(column)
        return found[-1][1] if found else None

    return points("loss"), points("validation_loss"), last("tokens_per_second"), last("memory_gib")


def _before(held_out: list[tuple[float, float]]) -> float | None:
    return held_out[0][1] if held_out and held_out[0][0] == 0 else None


def _log(run: Run | None) -> str:
    if run is None:
        return '<p class="quiet">Nothing yet.</p>'
    try:
        text = RunFolder(run.directory).log.read_text(encoding="utf-8", errors="replace")[-6000:]
    except OSError:
        text = ""
    return f'<pre class="log">{escape(text) or "Nothing yet."}</pre>'
