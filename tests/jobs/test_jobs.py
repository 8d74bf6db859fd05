"""Jobs over real HTTP: private, priced, followed, stopped, and every fault one sentence that leaves nothing behind."""

import json
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest

import pipeline
from pipeline import jobs, runs
from pipeline.dataset import DatasetConfig, build_dataset, write_dataset
from pipeline.errors import ChatError
from pipeline.jobs import Hardware, estimate, list_hardware, poll_job, start_job
from pipeline.jobs.submit import pinned
from pipeline.planning import TrainingConfig
from pipeline.runs import read_job, read_run, write_job
from tests.dataset.chats import chat, talk
from tests.hub.server import READ_TOKEN, TOKEN, Fault

T4 = Hardware("t4-small", "Nvidia T4 - small", 0.40, "T4", 1, "16 GB of GPU memory")


@pytest.fixture(scope="module")
def dataset_dir(tmp_path_factory):
    return write_dataset(
        build_dataset(chat(*talk(60)), DatasetConfig(person="Ann")), tmp_path_factory.mktemp("data") / "dataset"
    )


def start(hub, dataset_dir, run_dir, token=TOKEN, config=None, **options):
    settings = {"consent": True, "name": "twin-1", "endpoint": hub.url, **options}
    return start_job(dataset_dir, run_dir, config or TrainingConfig(), T4, 60, token, **settings)


@pytest.fixture
def waiting(hub, dataset_dir, tmp_path):
    """A job that waits for a machine."""
    return start(hub, dataset_dir, tmp_path / "run").directory


def test_what_was_chosen_for_this_computer_does_not_go_along(hub, dataset_dir, tmp_path):
    asked = TrainingConfig(processes=4, trackio=True, rank=8)
    assert start(hub, dataset_dir, tmp_path / "run", config=asked).config == TrainingConfig(rank=8)


def send(hub, **state):
    """What a job's machine pushes while it trains."""
    repo = hub.repos["model", "ann/twin-1"]
    files = {
        **repo.files,
        "run/state.json": json.dumps({"status": "running", "pid": 4, "total_steps": 20, **state}).encode(),
        "run/metrics.jsonl": b'{"step": 1, "loss": 3.5}\n{"step": 2, "loss": 3.1}\n',
    }
    repo.commit(files, str(state))
    hub.jobs["job0"].stage = "RUNNING"


def send_adapter(hub):
    repo = hub.repos["model", "ann/twin-1"]
    adapter = {"adapter_model.safetensors": b"weights", "adapter_config.json": b"{}", "README.md": b"card"}
    repo.commit({**repo.files, **adapter}, "An adapter")


def see(hub, run_dir, token=TOKEN):
    return poll_job(run_dir, token, seconds=0, endpoint=hub.url)


def test_prices_and_what_it_costs_are_known_before_anything_starts(hub):
    cheapest, t4 = list_hardware(TOKEN, hub.url)
    assert (cheapest.name, t4.name) == ("cpu-upgrade", "t4-small")
    assert t4.label == "Nvidia T4 - small · 16 GB of GPU memory · $0.40 an hour"
    told = estimate(t4, 90, parameters=7_000_000_000, tokens=150_000)
    assert told.most == pytest.approx(0.60)
    assert 5 < told.minutes < 30
    assert told.likely < told.most
    assert estimate(replace(t4, card="Tomorrow's"), 30, parameters=1, tokens=1).likely is None


def test_a_job_gets_private_repositories_the_dataset_our_code_and_the_token_as_a_secret(hub, waiting, dataset_dir):
    assert {name: repo.private for name, repo in hub.repos.items()} == {
        ("model", "ann/twin-1"): True,
        ("dataset", "ann/twin-1-data"): True,
    }
    files = hub.repos["dataset", "ann/twin-1-data"].files
    assert files["dataset/train.jsonl"] == (dataset_dir / "train.jsonl").read_bytes()
    package = Path(pipeline.__file__).parent
    assert files["code/pipeline/training/finetune.py"] == (package / "training" / "finetune.py").read_bytes()
    asked = hub.jobs["job0"].asked
    assert (asked["flavor"], asked["timeoutSeconds"], asked["secrets"]) == ("t4-small", 3600, {"HF_TOKEN": TOKEN})
    assert TOKEN not in json.dumps({name: value for name, value in asked.items() if name != "secrets"})
    assert any(part.startswith("torch==") for part in asked["command"])
    assert hub.leaks == []
    kept = [path.read_bytes() for path in waiting.rglob("*") if path.is_file()]
    assert not any(TOKEN.encode() in data for data in [*kept, *files.values()])


def test_it_is_followed_as_any_run(hub, waiting):
    assert read_run(waiting).status == "starting"
    assert see(hub, waiting).message == "Waiting for a machine"
    hub.jobs["job0"].seconds = 900
    send(hub, step=2)
    send_adapter(hub)
    run = see(hub, waiting)
    assert (run.status, run.step, run.loss, run.pid) == ("running", 2, 3.1, None)
    assert run.spent == pytest.approx(0.10)
    assert run.has_adapter
    assert not run.resumable
    send(hub, status="done", step=20)
    hub.jobs["job0"].stage = "COMPLETED"
    assert see(hub, waiting).status == "done"
    hub.requests.clear()
    see(hub, waiting)
    assert hub.requests == []


def test_the_hub_is_asked_now_and_then_only(hub, waiting):
    see(hub, waiting)
    hub.requests.clear()
    poll_job(waiting, TOKEN, endpoint=hub.url)
    assert hub.requests == []


@pytest.mark.parametrize(
    ("stage", "said", "seconds", "adapter", "status", "sentence"),
    [
        ("ERROR", None, 60, False, "failed", "nothing was learned yet"),
        ("ERROR", "exit code 1", 60, True, "failed", "ended before the training did; the best so far is kept"),
        ("ERROR", "Job timeout", 3600, True, "stopped", "limit of 60 minutes; the best so far"),
        ("DELETED", None, 3590, False, "failed", "limit of 60 minutes"),
        ("CANCELED", None, 60, True, "stopped", "cancelled; the best so far is kept"),
        ("COMPLETED", None, 60, False, "failed", "ended before"),
    ],
)
def test_a_job_that_is_ended_from_outside_says_so(hub, waiting, stage, said, seconds, adapter, status, sentence):
    send(hub, step=2)
    if adapter:
        send_adapter(hub)
    job = hub.jobs["job0"]
    job.stage, job.message, job.seconds = stage, said, seconds
    run = see(hub, waiting)
    assert run.status == status
    assert sentence in run.message


def test_cancel_ends_the_job_and_stop_asks_the_training(hub, waiting):
    send(hub, step=2)
    see(hub, waiting)
    assert runs.stop(waiting).status == "stopping"
    see(hub, waiting)
    assert hub.repos["model", "ann/twin-1"].files["run/control"] == b"stop"
    with pytest.raises(ChatError, match="cannot be paused"):
        runs.pause(waiting)
    assert jobs.cancel(waiting, TOKEN, endpoint=hub.url).status == "failed"
    assert hub.jobs["job0"].stage == "CANCELED"
    with pytest.raises(ChatError, match="nothing to cancel"):
        jobs.cancel(waiting, TOKEN, endpoint=hub.url)


SENTENCES = {
    401: "sign in again",
    402: "no credit",
    403: "may not run jobs",
    429: "slow down",
    500: "fault of its own",
    0: "connection to Hugging Face broke",
}
STEPS = ("POST /api/jobs/", "/commit/", "/api/repos/create")


@pytest.mark.parametrize(
    ("where", "status"),
    [*((STEPS[0], status) for status in SENTENCES), *((step, 500) for step in STEPS[1:])],
)
def test_faults_are_a_sentence_and_leave_nothing(hub, dataset_dir, tmp_path, where, status):
    hub.faults = [Fault(where, status)]
    with pytest.raises(ChatError, match=SENTENCES[status]) as caught:
        start(hub, dataset_dir, tmp_path / "run")
    assert TOKEN not in str(caught.value)
    assert caught.value.__context__ is None
    assert hub.repos == {}
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("status", [401, 500, 0])
def test_a_look_that_fails_is_a_note_and_the_run_goes_on(hub, waiting, status):
    send(hub, step=2)
    hub.faults = [Fault("GET /api/jobs/", status)]
    run = see(hub, waiting)
    assert run.live
    assert run.job.note.startswith(("The", "This", "Hugging Face"))
    hub.faults = []
    assert see(hub, waiting).job.note == ""


def test_files_that_arrive_cut_off_are_fetched_again(hub, waiting):
    send(hub, step=2)
    hub.faults = [Fault("GET /ann/twin-1/resolve", 200)]  # whole, and not as long as it was said to be
    run = see(hub, waiting)
    assert (run.step, run.job.note) == (
        0,
        "The connection to Hugging Face broke. A job that has started goes on; try again.",
    )
    hub.faults = []
    run = see(hub, waiting)
    assert (run.step, run.job.note) == (2, "")


@pytest.mark.parametrize(
    ("token", "options", "sentence"),
    [
        (None, {}, "not signed in"),
        ("hf_wrong", {}, "sign in again"),
        (READ_TOKEN, {}, "only read"),
        (TOKEN, {"consent": False}, "agree"),
        (TOKEN, {"config": "folder"}, "cannot reach a model on this computer"),
    ],
)
def test_what_may_not_start_is_told_so(hub, dataset_dir, tmp_path, token, options, sentence):
    if options.get("config"):
        options = {"config": TrainingConfig(model=str(tmp_path))}
    with pytest.raises(ChatError, match=sentence):
        start(hub, dataset_dir, tmp_path / "run", token=token, **options)
    assert (hub.repos, hub.jobs) == ({}, {})
    assert not (tmp_path / "run").exists()


def test_after_its_time_a_job_that_nobody_looks_at_is_lost(waiting):
    job = read_job(waiting)
    write_job(waiting, job.model_copy(update={"started_at": time.time() - 2 * 3600}))
    assert read_run(waiting).status == "lost"


def test_on_the_command_line_the_price_is_said_and_has_to_be_agreed_to(hub, dataset_dir, tmp_path, monkeypatch):
    from typer.testing import CliRunner

    from pipeline.cli.commands import app

    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub.url)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    command = ["train", str(dataset_dir), "--out", str(tmp_path / "run"), "--job", "t4-small"]
    done = CliRunner().invoke(app, command)
    assert "at most $0.40" in done.output
    assert "say --yes" in str(done.exception)
    assert "agree" in str(CliRunner().invoke(app, [*command, "--yes"]).exception)
    assert "t4-small" in str(CliRunner().invoke(app, [*command[:-1], "z9"]).exception)
    assert (hub.jobs, hub.repos) == ({}, {})


def test_what_a_job_installs_is_all_that_its_side_imports():
    """What our code imports as it starts, over there, comes with the packages that the job names."""
    import importlib.metadata
    import subprocess
    import sys

    script = (
        "import sys; before = set(sys.modules); import pipeline.jobs.worker, pipeline.training.finetune\n"
        "print(*sorted({name.split('.')[0] for name in set(sys.modules) - before}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    homes = importlib.metadata.packages_distributions()
    imported = {home for name in done.stdout.split() for home in homes.get(name, [])}
    brought = {
        "numpy",
        "annotated-types",
        "polars-runtime-32",
        "pydantic_core",
        "typing-inspection",
        "typing_extensions",
    }
    assert imported - brought <= {requirement.split("==")[0] for requirement in pinned()}


@pytest.mark.slow
def test_a_job_trains_with_our_code_and_stops_when_asked(hub, tiny_folder, tiny_dataset, tiny_config, tmp_path):
    """The whole way: what goes up is run by another Python, its results come down, and a request reaches it."""
    shutil.copytree(tiny_folder, tmp_path / "cache" / "smollm2-135m-instruct")
    hub.machine = tmp_path / "machine"
    hub.environment = {"CHAT_TWIN_CACHE": str(tmp_path / "cache"), "CHAT_TWIN_JOB_SECONDS": "0.3"}
    config = tiny_config.model_copy(update={"model": "starter", "epochs": 60.0, "validations": 40, "patience": 99})
    run_dir = tmp_path / "run"
    start(hub, tiny_dataset, run_dir, config=config)

    def until(true, seconds=200):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            run = see(hub, run_dir)
            if true(run):
                return run
            time.sleep(0.2)
        raise AssertionError(f"still {run}: {hub.jobs['job0'].printed.read_text()[-2000:]}")

    run = until(lambda run: run.has_adapter or not run.live)
    assert run.live, (run_dir / "log.txt").read_text()[-2000:]
    runs.stop(run_dir)
    run = until(lambda run: run.job.over)
    assert (run.status, run.job.stage) == ("stopped", "COMPLETED"), hub.jobs["job0"].printed.read_text()[-2000:]
    assert 0 < run.step < run.total_steps
    assert runs.read_metrics(run_dir)["loss"].drop_nulls().len() >= 1
    assert (run_dir / "template.json").exists()
    assert "base_model: HuggingFaceTB" in hub.repos["model", "ann/twin-1"].files["README.md"].decode()
    assert TOKEN not in hub.jobs["job0"].printed.read_text()
