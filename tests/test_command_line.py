"""The command line: each step on its own, one sentence and exit code 2 for what a user can cause."""

import itertools
import json
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from pipeline.chat import load_twin
from pipeline.cli.talk import answer, rhythm_of
from pipeline.dataset import Rhythm
from pipeline.evaluation import write_generation
from pipeline.inference import GenerationConfig
from pipeline.sample import write_sample

ROOT = Path(__file__).parents[1]
ONE_PERSON = "".join(f"[01.02.24, 10:{minute:02d}:00] Ada: note {minute}\n" for minute in range(40))
FEW_REPLIES = "".join(
    f"[01.02.24, 10:{minute:02d}:00] {'Ada' if minute % 2 else 'Bo'}: word {minute}\n" for minute in range(12)
)


def pipeline(*arguments, text=None):
    """Run `python -m pipeline ARGUMENTS`; `text` is typed into it."""
    command = [sys.executable, "-m", "pipeline", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, input=text, timeout=600)


def one_line_of_json(done):
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    return json.loads(line)


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    return write_sample(tmp_path_factory.mktemp("sample"))


def test_read_says_what_the_file_is_and_writes_the_messages(sample, tmp_path):
    import polars as pl

    found = one_line_of_json(pipeline("read", sample, "--out", tmp_path / "messages.parquet", "--json"))
    assert (found["messages"], found["people"]) == (2866, ["Noah", "Ryan"])
    assert (found["date_order"], found["certain"], found["stray_lines"]) == ("dmy", True, 0)
    assert pl.read_parquet(tmp_path / "messages.parquet").height == 2867


def test_read_calls_one_person_by_one_name(tmp_path):
    path = tmp_path / "chat.txt"
    path.write_text("".join(f"[01.02.24, 10:0{i}:00] {name}: hi\n" for i, name in enumerate(["Ann", "Ann B.", "Bo"])))
    assert one_line_of_json(pipeline("read", path, "--json"))["maybe_one_person"] == [["Ann B.", "Ann"]]
    found = one_line_of_json(pipeline("read", path, "--json", "--merge", "Ann B.=Ann"))
    assert (found["people"], found["maybe_one_person"]) == (["Ann", "Bo"], [])
    assert_refused(pipeline("read", path, "--merge", "Zoe=Ann"), "write A=B")


def test_analyse_counts_and_writes_a_report_and_a_card(sample, tmp_path):
    made = ["--out", tmp_path / "report.html", "--card", tmp_path / "card.png", "--of", "Ryan"]
    found = one_line_of_json(pipeline("analyse", sample, *made, "--json"))
    assert (found["messages"], found["people"], found["days"]) == (2866, 2, 17)
    assert "<html" in (tmp_path / "report.html").read_text("utf-8")
    assert (tmp_path / "card.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("name", "content", "step", "says"),
    [
        ("empty.txt", "", "read", "empty"),
        ("recipe.txt", "Two eggs.\nStir well.\n", "read", "chat"),
        ("absent.txt", None, "read", "cannot be opened"),
        ("one.txt", ONE_PERSON, "dataset", "Only Ada writes in this chat"),
        ("few.txt", FEW_REPLIES, "dataset", "needs at least 30"),
    ],
)
def test_what_a_user_can_cause_is_one_sentence_and_exit_code_2(tmp_path, name, content, step, says):
    if content is not None:
        (tmp_path / name).write_text(content, "utf-8")
    more = ["--as", "Ada", "--out", tmp_path / "out"] if step == "dataset" else []
    assert_refused(pipeline(step, tmp_path / name, *more), says)
    assert not (tmp_path / "out").exists()


def test_an_archive_without_a_chat_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        archive.writestr("IMG-20240101-WA0001.jpg", b"not a chat")
    assert_refused(pipeline("read", tmp_path / "photos.zip"), "chat")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["dataset", "CHAT", "--as", "Zoe", "--out", "OUT"], "Zoe does not write in this chat"),
        (["dataset", "CHAT", "--as", "Noah", "--out", "OUT", "--format", "yaml"], "format yaml is not known"),
        (["dataset", "CHAT", "--as", "Noah", "--out", "OUT", "--validation-share", "3"], "--validation-share"),
        (["read", "CHAT", "--date-order", "yyy"], "date order yyy is not known"),
        (["train", "OUT", "--out", "OUT/run"], "dataset"),
        (["train", "OUT", "--out", "OUT/run", "--recipe", "soup"], "recipe soup is not known"),
        (["evaluate", "OUT"], "run"),
        (["chat", "OUT"], "run"),
        (["chat", "--rhythm"], "How fast"),
    ],
)
def test_a_wrong_argument_is_one_sentence_and_exit_code_2(sample, tmp_path, arguments, says):
    places = {"CHAT": sample, "OUT": tmp_path / "out", "OUT/run": tmp_path / "out" / "run"}
    assert_refused(pipeline(*(places.get(argument, argument) for argument in arguments)), says)


def assert_refused(done, says):
    assert done.returncode == 2, done.stderr
    assert not done.stdout
    (sentence,) = done.stderr.splitlines()
    assert says in sentence
    assert sentence.endswith(".")


def test_a_twin_may_answer_at_the_persons_own_pace(tiny_run, tmp_path):
    run = shutil.copytree(tiny_run, tmp_path / "run")
    write_generation(GenerationConfig(seed=1, break_bias=5, max_new_tokens=60), run)
    twin = load_twin(run)
    history = []
    at_once = list(answer(twin, history, "hello"))
    assert 2 < len(at_once) < 20
    paced, began = [], time.monotonic()
    times = [
        (bubble, time.monotonic() - began)
        for bubble in answer(twin, paced, "hello", Rhythm(pause=0.2, per_character=0, spread=0))
    ]
    assert [bubble for bubble, _ in times] == at_once
    assert paced == history
    written = [at for bubble, at in times if bubble.strip()]  # an empty one waits for nothing
    assert len(written) > 2
    assert min(later - earlier for earlier, later in itertools.pairwise(written)) > 0.15
    assert rhythm_of(run) is not None


@pytest.mark.slow
def test_every_step_from_an_export_to_an_answer(sample, tmp_path):
    made = one_line_of_json(
        pipeline("dataset", sample, "--as", "Noah", "--out", tmp_path / "dataset", "--format", "blog", "--json")
    )
    assert made["train_replies"] + made["validation_replies"] > 600
    assert (tmp_path / "dataset" / "formats" / "blog" / "train.jsonl").is_file()
    shorten(tmp_path / "dataset", rows=4)
    run = one_line_of_json(pipeline("train", tmp_path / "dataset", "--epochs", 1, "--out", tmp_path / "run", "--json"))
    assert run["status"] == "done"
    assert run["loss_after"] < run["loss_before"]
    short = GenerationConfig(max_new_tokens=30)  # without one an exam begins with tuning, a minute or two
    write_generation(short, tmp_path / "run")
    exam = one_line_of_json(pipeline("evaluate", tmp_path / "run", "--samples", 2, "--json"))
    twin, base = (next(c for c in exam["candidates"] if c["name"] == name) for name in ("twin", "base"))
    assert twin["loss"]["nats_per_token"] < base["loss"]["nats_per_token"]
    talk = pipeline("chat", tmp_path / "run", text="hey, what are you up to?\n")
    assert talk.returncode == 0, talk.stderr
    assert "Noah: " in talk.stdout


def shorten(dataset, rows):
    """Keep so many rows of each part, so that learning takes seconds."""
    for part in ("train", "validation"):
        path = dataset / f"{part}.jsonl"
        path.write_text("".join(path.read_text("utf-8").splitlines(keepends=True)[:rows]), "utf-8")
