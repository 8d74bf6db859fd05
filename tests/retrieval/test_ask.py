"""Questions to a chat: found by words, by meaning, by dates; quoted as written; ready again when the chat has grown."""

import json
import shutil
from datetime import datetime, timedelta

import polars as pl
import pytest

import pipeline.retrieval.index as index_module
from pipeline.errors import ChatError
from pipeline.messages import SCHEMA
from pipeline.progress import CancelledError, Progress
from pipeline.retrieval import ask, build_index, open_index

SMALL_TALK = ["haha", "no way", "see you there", "what time though", "I am so tired today", "ok", "same here", "sure"]


def table(said, start=datetime(2024, 5, 1, 9), apart=timedelta(minutes=2)):
    """Messages of Ada and Bo in turn; (text, hours of silence before it) where there is one."""
    rows, at = [], start
    for number, one in enumerate(said):
        text, hours = one if isinstance(one, tuple) else (one, 0)
        at += apart + timedelta(hours=hours)
        rows.append((at, "Bo" if number % 2 else "Ada", text, "text", None, False, None))
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def chat(*told):
    """Small talk for some days, and in the middle of each day one thing that was told."""
    said = []
    for thing in told:
        said += [(SMALL_TALK[0], 20), *SMALL_TALK[1:], thing, *SMALL_TALK]
    return table(said)


TOLD = (
    "my dog had surgery on Monday, poor thing",
    "Grandma's apple cake won the first prize",
    "we drove to the lake and the canoe tipped over",
    "I lost my passport at the airport in Madrid",
    "the landlord raised our rent again",
)


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    return build_index(tmp_path_factory.mktemp("memory") / "index", {"Ada & Bo": chat(*TOLD)})


def first_texts(index, question, top=1):
    return [said.text for moment in ask(index, question, top) for said in moment.messages]


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("What happened with the canoe?", TOLD[2]),  # a word of it
        ("Has the puppy been operated on?", TOLD[0]),  # its meaning
        ("Wer hat beim Backen gewonnen?", TOLD[1]),  # in another language
    ],
)
def test_a_moment_is_found(index, question, answer):
    assert answer in first_texts(index, question)


def test_a_day_that_is_named_comes_first(index):
    days = [moment.messages[0].sent_at.date() for moment in ask(index, "What happened on 4 May 2024?", 2)]
    assert days == [datetime(2024, 5, 4).date()] * 2


def test_a_moment_is_quoted_as_it_was_written_with_what_is_around_it(index):
    (moment,) = ask(index, "the canoe on the lake", 1)
    messages = chat(*TOLD)
    assert moment.chat == "Ada & Bo"
    assert 5 <= len(moment.messages) <= 8
    for said in moment.messages:
        row = messages.row(said.row, named=True)
        assert (said.sent_at, said.sender, said.text) == (row["sent_at"], row["sender"], row["text"])


def test_moments_do_not_repeat_each_other_nor_run_over_a_night(index):
    found = ask(index, "tired passport dog cake rent", 5)
    rows = [{said.row for said in moment.messages} for moment in found]
    assert all(len(a & b) < 4 for i, a in enumerate(rows) for b in rows[:i])
    assert all(moment.messages[-1].sent_at - moment.messages[0].sent_at < timedelta(hours=1) for moment in found)


def test_what_nobody_wrote_is_not_remembered(tmp_path):
    rows = table(["hello", "the code is 4711", "bye"])
    others = rows.with_columns(kind=pl.Series(["text", "deleted", "system"], dtype=SCHEMA["kind"]))
    made = build_index(tmp_path / "index", {"x": others})
    assert made.said["text"].to_list() == ["hello"]
    with pytest.raises(ChatError):
        build_index(tmp_path / "index", {"x": others.slice(1)})


def test_a_chat_that_has_grown_costs_only_what_is_new(tmp_path, monkeypatch):
    folder, messages = tmp_path / "index", chat(*TOLD)
    build_index(folder, {"x": messages.head(70)})
    read, wide = [], index_module.wide_vectors
    monkeypatch.setattr(index_module, "wide_vectors", lambda texts, p: read.extend(texts) or wide(texts, p))
    grown = build_index(folder, {"x": messages})
    assert 0 < len(read) < 40
    assert TOLD[4] in first_texts(grown, "rent")
    fresh = build_index(tmp_path / "fresh", {"x": messages})
    assert (grown.wide == fresh.wide).all()
    assert first_texts(grown, "passport", 3) == first_texts(fresh, "passport", 3)
    read.clear()
    build_index(folder, {"x": messages})
    assert read == []


def test_a_forgotten_message_is_nowhere_in_the_folder(tmp_path):
    folder = tmp_path / "index"
    build_index(folder, {"x": table(["hello", "xylophone", "bye"])})
    build_index(folder, {"x": table(["hello", "bye"])})
    assert not any(b"xylo" in path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert [path.name for path in tmp_path.iterdir()] == ["index"]


def test_a_cancelled_memory_leaves_the_old_one(tmp_path):
    folder = tmp_path / "index"
    build_index(folder, {"x": table(["hello", "bye"])})
    with pytest.raises(CancelledError):
        build_index(folder, {"x": chat(*TOLD)}, Progress(cancelled_by=lambda: True))
    assert open_index(folder).said["text"].to_list() == ["hello", "bye"]
    assert [path.name for path in tmp_path.iterdir()] == ["index"]


def test_a_memory_of_another_version_is_made_anew(tmp_path):
    folder = tmp_path / "index"
    build_index(folder, {"x": table(["hello", "bye"])})
    (folder / "index.json").write_text(json.dumps({"version": 0}))
    assert open_index(folder) is None
    assert build_index(folder, {"x": table(["hello", "bye"])}).said.height == 2
    shutil.rmtree(folder)
    assert open_index(folder) is None


def test_several_chats_are_told_apart(tmp_path):
    made = build_index(tmp_path / "index", {"one": chat(TOLD[0]), "two": chat(TOLD[2])})
    assert ask(made, "canoe", 1)[0].chat == "two"
    assert ask(made, "dog surgery", 1)[0].chat == "one"
