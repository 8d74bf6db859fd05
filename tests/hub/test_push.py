"""Pushing a dataset to a Hub over real HTTP: private, whole or not at all, and read back as it was."""

import json
import os
import subprocess
import sys
from datetime import datetime

import pytest

from pipeline.dataset import FORMATS, DatasetConfig, build_dataset, write_dataset
from pipeline.errors import ChatError
from pipeline.evaluation import Answers, Candidate, Exam, write_exam
from pipeline.hub import find_token, pack_adapter, prepare_adapter, prepare_dataset, push, read_account
from pipeline.planning import TrainingConfig
from pipeline.redact import RedactionConfig
from pipeline.runs.state import write_state
from tests.dataset.chats import chat, talk
from tests.hub.server import READ_TOKEN, TOKEN, Fault


@pytest.fixture(scope="module")
def dataset():
    config = DatasetConfig(person="Ann", redaction=RedactionConfig(aliases={"Ann": "Robin", "Bob": "Kim"}))
    return build_dataset(chat(*talk(60, words="mail a@b.com")), config)


@pytest.fixture
def upload(dataset, tmp_path):
    return prepare_dataset(dataset, tmp_path / "upload", FORMATS)


@pytest.fixture
def small(dataset, tmp_path):
    return prepare_dataset(dataset, tmp_path / "small")


def pushed(hub, upload, repo="ann/our-chat", token=TOKEN, **options):
    return push(upload, repo, token, endpoint=hub.url, **{"consent": True, **options})


def test_it_is_private_and_holds_what_was_shown_before(hub, upload):
    done = pushed(hub, upload)
    repo = hub.repos["dataset", "ann/our-chat"]
    assert repo.private
    assert done.private
    assert done.url == f"{hub.url}/datasets/ann/our-chat"
    assert {file.path: file.bytes for file in upload.files} == {path: len(data) for path, data in repo.files.items()}
    assert upload.bytes == sum(map(len, repo.files.values()))
    assert hub.published == ["create private=True", "commit"]


def test_what_was_reviewed_is_known_again_and_nothing_else_is(dataset, small, tmp_path):
    assert prepare_dataset(dataset, tmp_path / "again").digest == small.digest
    unmasked = build_dataset(chat(*talk(60, words="mail a@b.com")), DatasetConfig(person="Ann"))
    assert prepare_dataset(unmasked, tmp_path / "other").digest != small.digest


def test_the_token_is_in_no_url_and_no_file(hub, upload):
    pushed(hub, upload)
    assert hub.leaks == []
    assert not any(TOKEN.encode() in data for data in hub.repos["dataset", "ann/our-chat"].files.values())


@pytest.mark.slow
def test_the_rows_are_read_back_by_datasets(hub, dataset, upload, tmp_path):
    pushed(hub, upload)
    script = (
        "import json, sys, datasets\n"
        "made = {f: datasets.load_dataset('ann/our-chat', f, token='hf_write') for f in sys.argv[1:]}\n"
        "print(json.dumps({f: {p: d.to_list() for p, d in parts.items()} for f, parts in made.items()}))"
    )
    environment = {**os.environ, "HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "hf"), "HF_HUB_OFFLINE": "0",
                   "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", script, "messages", "prompt_completion"],
        capture_output=True, text=True, env=environment, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    read = json.loads(done.stdout)
    for part, rows in (("train", dataset.train), ("validation", dataset.validation)):
        assert [record["messages"] for record in read["messages"][part]] == [row.messages for row in rows]
        assert [record["learn_from"] for record in read["messages"][part]] == [row.learn_from for row in rows]
    assert len(read["prompt_completion"]["train"]) == dataset.summary.train_replies


def test_the_card_says_what_it_is_how_it_was_made_and_what_is_masked(hub, dataset, upload):
    from huggingface_hub import DatasetCard

    pushed(hub, upload)
    text = hub.repos["dataset", "ann/our-chat"].files["README.md"].decode()
    card = DatasetCard(text)
    assert [config["config_name"] for config in card.data.to_dict()["configs"]] == list(FORMATS)
    assert card.data.language == ["en"]
    assert "POST /api/validate-yaml" in hub.requests
    assert f"| train | {dataset.summary.train_replies} |" in text
    assert "email" in text
    assert "agree" in text
    for name in ("Ann", "Bob", "a@b.com"):
        assert name not in text


def test_pushing_again_updates_with_a_diff_and_drops_forms_left_out(hub, upload, tmp_path):
    assert pushed(hub, upload).changes["train replies"] == (None, 50)
    smaller = build_dataset(chat(*talk(40)), DatasetConfig(person="Ann"))
    done = pushed(hub, prepare_dataset(smaller, tmp_path / "again", ("messages",)))
    assert done.changes["train replies"] == (50, smaller.summary.train_replies)
    repo = hub.repos["dataset", "ann/our-chat"]
    assert sorted(path for path in repo.files if path.endswith(".parquet")) == [
        "messages/train.parquet",
        "messages/validation.parquet",
    ]
    assert len(repo.commits) == 2


def test_public_needs_two_yeses_and_comes_last(hub, upload):
    with pytest.raises(ChatError, match="once more"):
        pushed(hub, upload, public=True)
    assert hub.requests == []
    done = pushed(hub, upload, public=True, public_again=True)
    assert not done.private
    assert hub.published == ["create private=True", "commit", "settings private=False"]


def test_without_consent_nothing_is_asked_of_the_hub(hub, upload):
    with pytest.raises(ChatError, match="agree"):
        pushed(hub, upload, consent=False)
    assert hub.requests == []


def test_a_public_repository_is_not_filled_when_private_is_meant(hub, upload):
    pushed(hub, upload, public=True, public_again=True)
    before = dict(hub.repos["dataset", "ann/our-chat"].files)
    with pytest.raises(ChatError, match="public already"):
        pushed(hub, upload)
    assert hub.repos["dataset", "ann/our-chat"].files == before


def test_somebody_elses_work_is_not_overwritten(hub, upload):
    pushed(hub, upload)
    hub.repos["dataset", "ann/our-chat"].commit({"data.csv": b"1"}, "Another's")
    with pytest.raises(ChatError, match="not made here"):
        pushed(hub, upload)
    assert hub.repos["dataset", "ann/our-chat"].files == {"data.csv": b"1"}


@pytest.mark.parametrize("name", ["ann/", "ann/a b", "ann/x/y", "ann/..", "", "ann/" + "x" * 97, "/x"])
def test_names_that_are_not_allowed(hub, upload, name):
    with pytest.raises(ChatError, match="not allowed"):
        pushed(hub, upload, repo=name)
    assert hub.repos == {}


def test_a_name_without_an_owner_is_the_tokens_own(hub, upload):
    assert pushed(hub, upload, repo="our-chat").url.endswith("/datasets/ann/our-chat")


@pytest.mark.parametrize(
    ("token", "repo", "sentence"),
    [
        (None, "ann/x", "not signed in"),
        ("hf_wrong", "ann/x", "sign in again"),
        (READ_TOKEN, "ann/x", "only read"),
        (TOKEN, "bob/x", "may not write to bob/x"),
    ],
)
def test_who_may_not_push_is_told_so(hub, upload, token, repo, sentence):
    with pytest.raises(ChatError, match=sentence) as caught:
        pushed(hub, upload, repo=repo, token=token)
    assert str(token) not in str(caught.value)
    assert hub.repos == {}


SENTENCES = {
    401: "sign in again",
    403: "may not write",
    409: "same moment",
    413: "more than the Hub takes",
    429: "slow down",
    500: "fault of its own",
    0: "connection to the Hub broke",
}
STEPS = ("/api/repos/create", "/preupload/", "/objects/batch", "PUT /lfs/")


@pytest.mark.parametrize(
    ("where", "status"),
    [*(("/commit/", status) for status in SENTENCES), *((step, s) for step in STEPS for s in (500, 0))],
)
def test_faults_are_a_sentence_and_leave_nothing_half_done(hub, small, where, status):
    hub.faults = [Fault(where, status)]
    with pytest.raises(ChatError, match=SENTENCES[status]) as caught:
        pushed(hub, small)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    for repo in hub.repos.values():
        assert repo.private
        assert repo.files == {}
    hub.faults = []
    assert pushed(hub, small).changes["train replies"] == (None, 50)
    assert hub.repos["dataset", "ann/our-chat"].private


def test_what_has_arrived_is_not_sent_again(hub, small):
    hub.faults = [Fault("/commit/", 0)]
    with pytest.raises(ChatError, match="goes on where it stopped"):
        pushed(hub, small)
    sent = sum("PUT /lfs/" in line for line in hub.requests)
    assert sent > 0
    hub.faults, hub.requests[:] = [], []
    pushed(hub, small)
    assert not any("PUT /lfs/" in line for line in hub.requests)


def test_a_short_hiccup_is_waited_out(hub, small):
    hub.faults = [Fault("/presmall/", 503, times=2)]
    assert pushed(hub, small).private


def test_the_account_is_shown_before_the_push(hub):
    account = read_account(TOKEN, hub.url)
    assert (account.name, account.namespaces, account.can_write) == ("ann", ("ann",), True)


def test_on_a_space_only_the_visitors_own_token_counts(monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_owner")
    assert find_token("hf_visitor") == "hf_visitor"
    assert find_token() == "hf_owner"
    monkeypatch.setenv("SPACE_ID", "ann/chat-twin")
    assert find_token() is None
    assert find_token("hf_visitor") == "hf_visitor"


def test_an_unmasked_upload_warns(tmp_path):
    plain = build_dataset(chat(*talk(40)), DatasetConfig(person="Ann"))
    assert "Nothing is masked" in prepare_dataset(plain, tmp_path / "u").warnings[0]


def finished_run(folder):
    """A run's folder as training leaves it, with an adapter that remembers this machine's paths."""
    write_dataset(build_dataset(chat(*talk(40)), DatasetConfig(person="Ann")), folder / "dataset")
    (folder / "config.json").write_text(TrainingConfig(model="starter").model_dump_json())
    write_state(folder, status="done", step=12, total_steps=12, base_validation_loss=3.2, best_validation_loss=2.5)
    adapter = folder / "adapter"
    adapter.mkdir()
    (adapter / "adapter_model.safetensors").write_bytes(b"weights" * 100)
    (adapter / "adapter_config.json").write_text(json.dumps({"r": 16, "base_model_name_or_path": "/home/ann/models/x"}))
    (adapter / "notes.txt").write_text("stays here")
    return folder


def test_an_adapter_goes_up_private_with_its_card_and_no_path_of_this_machine(hub, tmp_path):
    upload = prepare_adapter(finished_run(tmp_path / "run"), tmp_path / "upload")
    done = pushed(hub, upload, repo="ann/twin")
    repo = hub.repos["model", "ann/twin"]
    assert repo.private
    assert done.url == f"{hub.url}/ann/twin"
    assert set(repo.files) == {"README.md", "adapter_config.json", "adapter_model.safetensors", "chat-twin.json"}
    assert (
        json.loads(repo.files["adapter_config.json"])["base_model_name_or_path"]
        == "HuggingFaceTB/SmolLM2-135M-Instruct"
    )
    card = repo.files["README.md"].decode()
    assert "base_model: HuggingFaceTB/SmolLM2-135M-Instruct" in card
    assert "3.200 before, 2.500 after" in card
    assert "/home/ann" not in str(repo.files)


def test_an_exam_stands_in_the_card_and_names_nobody(tmp_path):
    run = finished_run(tmp_path / "run")
    answers = Answers(
        sampled=9, most_tokens=200, ended=1, other_side=0, repeats=0, mean_characters=31, mean_bubbles=1.5
    )  # fmt: skip
    candidates = (Candidate(name="twin", answers=answers), Candidate(name="person"))
    exam = Exam(made_at=datetime(2024, 1, 1), person="Zora", model="x", held_out_replies=31, candidates=candidates)
    write_exam(exam, run)
    card = (prepare_adapter(run, tmp_path / "upload").folder / "README.md").read_text()
    assert "On 31 replies" in card
    assert "| Replies that end by themselves | 100% |" in card
    assert "Zora" not in card


def test_a_twin_to_take_along_is_one_zip_without_the_chat(tmp_path):
    import zipfile

    run = finished_run(tmp_path / "run")
    (run / "template.json").write_text('{"opening": ""}')
    (run / "log.txt").write_text("a log")
    path = pack_adapter(run, tmp_path / "twin.zip")
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    assert sorted(files) == [
        "README.md", "adapter_config.json", "adapter_model.safetensors", "config.json", "generation.json",
        "template.json",
    ]  # fmt: skip
    card = files["README.md"].decode()
    for said in ("base_model: HuggingFaceTB/SmolLM2", "Replies learned from", "Recipe: ours", "3.200 before",
                 "told that it is a model", "agree", "apache-2.0"):  # fmt: skip
        assert said in card
    assert not any(b"/home/ann" in data or b"word" in data for data in files.values())
    assert list(tmp_path.glob("*.zip")) == [path]


def test_a_run_without_an_adapter_is_not_pushed(tmp_path):
    folder = finished_run(tmp_path / "run")
    (folder / "adapter" / "adapter_model.safetensors").unlink()
    with pytest.raises(ChatError, match="no adapter yet"):
        prepare_adapter(folder, tmp_path / "upload")
