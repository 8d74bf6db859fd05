"""`python -m pipeline ask`."""

import json

import pytest

from tests.test_command_line import assert_refused, pipeline

LINES = (
    "hi",
    "we took the canoe out on the lake",
    "and?",
    "it tipped over",
    "haha",
    "grandma won the baking prize",
    "wow",
)


@pytest.fixture(scope="module")
def chat(tmp_path_factory):
    path = tmp_path_factory.mktemp("chat") / "WhatsApp Chat with Bo.txt"
    path.write_text(
        "".join(
            f"[{day:02d}.02.24, 10:{minute:02d}:00] {'Bo' if minute % 2 else 'Ada'}: {text}\n"
            for day in (1, 2, 3)
            for minute, text in enumerate(LINES if day == 2 else ("good morning", "what is up", "nothing much", "bye"))
        )
    )
    return path


def test_the_moments_that_answer_are_quoted(chat, tmp_path):
    memory = tmp_path / "memory"
    assert f"  Bo: {LINES[1]}\n" in pipeline("ask", chat, "Who went boating?", "--top", "1", "--memory", memory).stdout
    (tmp_path / "questions.jsonl").write_text('{"question": "canoe?", "id": 7}\n\n{"question": "the prize"}\n')
    done = pipeline("ask", chat, "--questions", tmp_path / "questions.jsonl", "--memory", memory)
    first, second = map(json.loads, done.stdout.splitlines())
    assert (first["id"], second["question"]) == (7, "the prize")
    moment = first["moments"][0]
    assert (moment["chat"], set(moment["messages"][0])) == ("Bo", {"sent_at", "sender", "text", "row"})
    assert {"sent_at": "2024-02-02T10:01:00", "sender": "Bo", "text": LINES[1], "row": 5} in moment["messages"]
    assert LINES[5] in [said["text"] for said in second["moments"][0]["messages"]]


def test_it_says_what_it_needs(chat, tmp_path):
    (tmp_path / "bad.jsonl").write_text('{"ask": "what?"}\n')
    assert_refused(pipeline("ask", "where?"), "Name a chat first")
    assert_refused(pipeline("ask", chat, "--questions", tmp_path / "bad.jsonl"), "Each line of")
    assert_refused(pipeline("ask", chat, "--questions", tmp_path / "none.jsonl"), "cannot be read")
