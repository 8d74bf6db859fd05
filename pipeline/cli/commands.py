"""The same steps on the command line: python -m pipeline read, analyse, ask, dataset, train, evaluate, chat, ..."""

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli import ask as asking
from pipeline.cli.steps import (
    analysis_text,
    dataset_text,
    examine,
    make_dataset,
    push_folder,
    read_chat,
    submit_job,
    training_text,
    watch_run,
    writable,
)
from pipeline.cli.talk import answer, ask, converse, rhythm_of
from pipeline.cli.terminal import checked, count, say, show
from pipeline.errors import ChatError
from pipeline.progress import CancelledError
from pipeline.store import Entry, Folder

if TYPE_CHECKING:
    from pipeline.prompt import Message

app = typer.Typer(
    help="From a chat export to a twin that answers. Nothing leaves this computer unless a command says so.",
    no_args_is_help=True,
    add_completion=False,
    # typer's own tracebacks print local variables: somebody's messages.
    pretty_exceptions_enable=False,
)

Files = Annotated[list[Path], typer.Argument(help="An export (.txt, .zip or result.json); several are made into one.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one line of JSON, for scripts.")]
DateOrder = Annotated[str | None, typer.Option(help="Read dates as dmy, mdy or ymd, where the file cannot tell.")]
Merge = Annotated[
    list[str] | None, typer.Option(metavar="A=B", help="A and B are one person, who is called B; may be repeated.")
]
InZip = Annotated[str | None, typer.Option("--chat", help="Which chat of an archive that holds several.")]
Model = Annotated[str, typer.Option(help='"starter", a model on the Hugging Face Hub, or a folder.')]
OthersAgree = Annotated[
    bool, typer.Option("--others-agree", help="The other people in this chat know of the upload, and agree.")
]
Public = Annotated[bool, typer.Option("--public", help="Let anyone read it; say --public-again too.")]
PublicAgain = Annotated[bool, typer.Option("--public-again", hidden=True)]
RunDir = Annotated[Path, typer.Argument(help="A run's folder, as `train` made it.")]


@app.command()
def read(
    files: Files,
    out: Annotated[Path | None, typer.Option(help="Write the messages here, as Parquet.")] = None,
    date_order: DateOrder = None,
    chat: InZip = None,
    merge: Merge = None,
    as_json: AsJson = False,
) -> None:
    """Read an export and say what it is: messages, people, how its dates were read and how sure that is."""
    from pipeline.messages import likely_pairs, people

    found = read_chat(files, date_order, chat, merge)
    if out is not None:
        found.messages.write_parquet(writable(out))
    layout, written, names = found.layout, found.messages["sender"].count(), people(found.messages)
    pairs = likely_pairs(found.messages)
    first, last = found.messages["sent_at"].min(), found.messages["sent_at"].max()
    data = {
        "title": found.title,
        "messages": written,
        "system_lines": found.messages.height - written,
        "people": names,
        "maybe_one_person": pairs,
        "first": first,
        "last": last,
        "header": layout.header,
        "date_order": layout.date_order,
        "certain": layout.certain,
        "evidence": layout.evidence,
        "stray_lines": layout.stray_lines,
        "out": out,
    }
    lines = [
        f"{found.title}: {count(written, 'message')} by {count(len(names), 'person', 'people')}, {first!s} to {last!s}",
        *layout.evidence,
    ]
    if layout.stray_lines:
        lines.append(f"{count(layout.stray_lines, 'line')} before the first message belong to none.")
    lines += [f'If {name} and {into} are one person: --merge "{name}={into}"' for name, into in pairs[:5]]
    if not layout.certain:
        lines.append("If the dates look wrong, say how to read them with --date-order.")
    show("\n".join(lines + ([f"Written to {out}"] if out else [])), data, as_json)


@app.command()
def analyse(
    files: Files,
    out: Annotated[Path | None, typer.Option(help="Write a report here: one HTML file that opens offline.")] = None,
    card: Annotated[Path | None, typer.Option(help="Draw one person's style as a picture here (PNG).")] = None,
    whose: Annotated[str | None, typer.Option("--of", help="Whose card; else of who writes most.")] = None,
    hide: Annotated[bool, typer.Option("--hide", help="Leave names and words out of both.")] = False,
    date_order: DateOrder = None,
    chat: InZip = None,
    merge: Merge = None,
    as_json: AsJson = False,
) -> None:
    """Who writes, when and how: the head figures, with --out the whole report, with --card somebody's style."""
    from pipeline import analysis, report

    found = read_chat(files, date_order, chat, merge)
    with say.status("Counting"):
        counted = analysis.analyse(found.messages)
        if out is not None:
            report.write(counted, writable(out), title=found.title, hidden=hide)
        if card is not None:
            report.write_card(counted, whose or counted.people[0], writable(card), hidden=hide)
    made = {"out": out, "card": card}
    show(analysis_text(found.title, data := analysis.summary(counted), made), {**data, **made}, as_json)


app.command()(asking.ask)


@app.command()
def dataset(
    files: Files,
    person: Annotated[str, typer.Option("--as", help="Whose replies are learned, as the chat names them.")],
    out: Annotated[Path, typer.Option(help="The dataset's folder.")],
    form: Annotated[
        list[str] | None, typer.Option("--format", help="Further forms: blog, llama2, sharegpt, ...")
    ] = None,
    redact: Annotated[bool, typer.Option(help="Mask phone numbers, addresses, links and the like.")] = False,
    silence_minutes: Annotated[float | None, typer.Option(help="The silence that ends a conversation.")] = None,
    validation_share: Annotated[float | None, typer.Option(help="Share of the replies held out.")] = None,
    max_tokens: Annotated[int | None, typer.Option(help="Most tokens in one row.")] = None,
    max_replies: Annotated[int | None, typer.Option(help="Most replies to learn from, chosen to differ.")] = None,
    also_named: Annotated[list[str] | None, typer.Option(help="Another name of the same person.")] = None,
    model: Model = "starter",
    canaries: Annotated[int, typer.Option(help="Plant so many made-up secrets, which `evaluate` looks for.")] = 0,
    push_to: Annotated[
        str | None, typer.Option("--push", help="Then push it to this Hub repository, private: USER/NAME.")
    ] = None,
    others_agree: OthersAgree = False,
    public: Public = False,
    public_again: PublicAgain = False,
    date_order: DateOrder = None,
    chat: InZip = None,
    as_json: AsJson = False,
) -> None:
    """Make a training dataset of one person's replies, each with what it answers."""
    from pipeline.dataset import DatasetConfig
    from pipeline.redact import RedactionConfig

    config = checked(
        DatasetConfig,
        person=person,
        redaction=RedactionConfig() if redact else None,
        silence_minutes=silence_minutes,
        validation_share=validation_share,
        max_tokens=max_tokens,
        max_replies=max_replies,
        also_named=also_named or None,
    )
    made = make_dataset(read_chat(files, date_order, chat), config, model, out, form or [], canaries)
    data, text = {**made.summary.model_dump(mode="json"), "out": out}, dataset_text(made, out)
    if push_to is not None:
        consent = {"consent": others_agree, "public": public, "public_again": public_again}
        done, lines = push_folder(out, push_to, form or [], **consent)
        data, text = {**data, "url": done.url, "private": done.private}, f"{text}\n{lines}"
    show(text, data, as_json)


@app.command()
def push(
    folder: Annotated[Path, typer.Argument(help="A dataset's folder, or a run's: then its adapter is pushed.")],
    repo: Annotated[str, typer.Argument(help="The Hub repository: USER/NAME. It is made, private, where it is not.")],
    form: Annotated[list[str] | None, typer.Option("--format", help="Further forms of a dataset.")] = None,
    others_agree: OthersAgree = False,
    public: Public = False,
    public_again: PublicAgain = False,
    as_json: AsJson = False,
) -> None:
    """Push a dataset or an adapter to the Hugging Face Hub, with a card, in one commit."""
    consent = {"consent": others_agree, "public": public, "public_again": public_again}
    done, lines = push_folder(folder, repo, form or [], **consent)
    show(lines, {"url": done.url, "private": done.private, "changes": done.changes}, as_json)


@app.command()
def train(
    dataset_dir: Annotated[Path, typer.Argument(help="A folder that `dataset` made.")],
    out: Annotated[Path, typer.Option(help="The run's folder.")],
    model: Model = "starter",
    recipe: Annotated[str, typer.Option(help='"ours", or "blog" for the settings of the blog.')] = "ours",
    epochs: Annotated[float | None, typer.Option(help="Times each reply is seen.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Peak learning rate.")] = None,
    rank: Annotated[int | None, typer.Option(help="Rank of the adapter's matrices.")] = None,
    act_as: Annotated[str | None, typer.Option(help='"t4": behave as on a T4 on a bigger GPU.')] = None,
    processes: Annotated[int | None, typer.Option(help="GPUs that train together; else all of them.")] = None,
    shard: Annotated[
        str | None, typer.Option(help='Split the model over them: "always", "never"; else where it fits no single one.')
    ] = None,
    trackio: Annotated[
        bool, typer.Option("--trackio", help="Metrics into a trackio project in the run's folder, too; stays local.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
    job: Annotated[str | None, typer.Option(help="Train on Hugging Face Jobs: on t4-small, say. Costs money.")] = None,
    minutes: Annotated[int, typer.Option(help="After which a job is ended.")] = 60,
    yes: Annotated[bool, typer.Option("--yes", help="Start the job at the price that is said.")] = False,
    others_agree: OthersAgree = False,
    as_json: AsJson = False,
) -> None:
    """Fine-tune a model on a dataset. Ctrl-C stops and keeps the best so far; --resume goes on."""
    from pipeline import runs
    from pipeline.planning import RECIPES, TrainingConfig

    if recipe not in RECIPES:
        raise ChatError(f"The recipe {recipe} is not known: use {' or '.join(RECIPES)}.")
    if resume:
        run = runs.resume(out)
    else:
        settings = {
            "epochs": epochs, "learning_rate": learning_rate, "rank": rank, "act_as": act_as, "processes": processes,
            "shard": shard, "trackio": trackio,
        }  # fmt: skip
        config = checked(TrainingConfig.of, recipe=recipe, model=model, **settings)
        if job is None:
            run = runs.start(dataset_dir, out, config)
        else:
            run = submit_job(dataset_dir, out, config, job, minutes, yes=yes, consent=others_agree)
    run = watch_run(run)
    data = {
        "run": run.directory,
        "status": run.status,
        "message": run.message,
        "steps": run.step,
        "plan": None if run.plan is None else run.plan.model_dump(mode="json"),
        "loss_before": run.base_validation_loss,
        "loss_after": run.best_validation_loss,
    }
    show(training_text(run), data, as_json)


@app.command()
def evaluate(
    run_dir: RunDir,
    samples: Annotated[int, typer.Option(min=1, help="At how many moments the twin replies, twice at least.")] = 100,
    full: Annotated[
        bool,
        typer.Option("--full", help="Replies of the prompted base model too, style and context of all, authorship."),
    ] = False,
    swap: Annotated[
        Path | None,
        typer.Option(help="Add to the exam: does each reply find its own twin, of this one and of another run's?"),
    ] = None,
    by_turn: Annotated[
        bool,
        typer.Option("--by-turn", help="Add to the exam: the twin at the turns of conversations that it holds itself."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Examine a twin on the end of the chat, which it has not seen, beside the model it began as."""
    from pipeline.evaluation import exam_text

    exam = examine(run_dir, samples, full=full, swap=swap, by_turn=by_turn)
    print(exam.model_dump_json() if as_json else exam_text(exam))


@app.command()
def chat(
    run_dir: Annotated[Path | None, typer.Argument(help="A run's folder; without it, the bare model.")] = None,
    model: Model = "starter",
    rhythm: Annotated[bool, typer.Option("--rhythm", help="Bubbles come as fast as the person sends them.")] = False,
) -> None:
    """Talk to a twin. Each line is a message; an empty line, Ctrl-D or Ctrl-C ends it."""
    from pipeline.chat import load_twin
    from pipeline.runs import read_run

    if run_dir is not None:
        read_run(run_dir)
    pace = rhythm_of(run_dir) if rhythm else None
    with say.status("Loading the model"):
        twin = load_twin(run_dir, model)
    name = twin.person or model
    say.print(f"You are talking to {name}'s twin, a model. It can be wrong about everything.", markup=False)
    history: list[Message] = []
    while text := ask():
        for bubble in answer(twin, history, text, pace):
            print(f"{name}: {bubble}", flush=True)


class DemoFolder(Folder):
    """What the demonstration leaves behind."""

    dataset = Entry("dataset")
    run = Entry("run")


@app.command()
def demo(
    out: Annotated[Path | None, typer.Option(help="Keep everything here; else in a new temporary folder.")] = None,
    samples: Annotated[int, typer.Option(min=1, help="How many replies the exam samples.")] = 100,
) -> None:
    """The whole way on the sample chat: read, analyse, dataset, fine-tune, exam, conversation."""
    from pipeline import analysis, runs
    from pipeline.dataset import DatasetConfig
    from pipeline.evaluation import exam_text
    from pipeline.planning import TrainingConfig
    from pipeline.sample import CREDIT, PERSON, write_sample

    folder = out or Path(tempfile.mkdtemp(prefix="chat-twin-demo-"))
    folder.mkdir(parents=True, exist_ok=True)
    kept = DemoFolder(folder)
    if kept.run.exists():
        raise ChatError(f"There is a run in {folder} already: choose an empty folder.")
    print(f"Everything is kept in {folder}\n\n1. The sample. {CREDIT}")
    found = read_chat([write_sample(folder)])
    print(f"\n2. Analyse\n{analysis_text(found.title, analysis.summary(analysis.analyse(found.messages)))}")
    made = make_dataset(found, DatasetConfig(person=PERSON), "starter", kept.dataset, [])
    print(f"\n3. Dataset\n{dataset_text(made, kept.dataset)}")
    print(f"\n4. Fine-tune on {made.summary.train_replies} replies")
    run = watch_run(runs.start(kept.dataset, kept.run, TrainingConfig()))
    print(training_text(run))
    print(f"\n5. Exam\n{exam_text(examine(kept.run, samples))}")
    print("\n6. Chat: what the other wrote in the part that the twin has not seen, and what the twin answers now")
    converse(kept.run, [m["content"] for m in made.validation[0].messages if m["role"] == "user"][:8])
    print(f"\nGo on with: python -m pipeline chat {kept.run}")


def main() -> None:
    """Run a command; what the user can cause is one sentence on stderr and exit code 2, or 130 where they ended it."""
    from pipeline.machine import share_cores

    share_cores()
    try:
        app()
    except ChatError as error:
        say.print(str(error), style="red", markup=False)
        sys.exit(130 if isinstance(error, CancelledError) else 2)
