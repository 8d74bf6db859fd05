"""Each source knows its own files and leaves the others', and chats of several sources lie side by side."""

import json
from pathlib import Path

import pytest

from pipeline.errors import ChatError
from pipeline.sources import chats_in, read
from pipeline.sources.registry import SOURCES, recognise
from tests.sources.test_archives import archive

TELEGRAM = json.dumps(
    {
        "name": "Ann", "type": "personal_chat", "id": 1,
        "messages": [
            {"id": 1, "type": "message", "date": "2024-03-20T21:16:42", "from": "Ann", "from_id": "user1", "text": "hi"}
        ],
    }
)  # fmt: skip
META = json.dumps(
    {
        "participants": [{"name": "Ann"}, {"name": "Bob"}],
        "messages": [{"sender_name": "Ann", "timestamp_ms": 1710969402000, "content": "hi"}],
        "title": "Ann", "thread_path": "inbox/ann_1",
    }
)  # fmt: skip
DISCORD = json.dumps(
    {
        "guild": {"id": "0", "name": "Direct Messages"}, "channel": {"id": "1", "name": "Ann"},
        "messages": [
            {"id": "1", "type": "Default", "timestamp": "2024-03-20T21:16:42.1+00:00", "content": "hi",
             "author": {"name": "ann", "nickname": "Ann"}}
        ],
    }
)  # fmt: skip
OWN = {
    "whatsapp": ("_chat.txt", "20/03/2024, 21:16 - Ann: hi\n20/03/2024, 21:17 - Bob: hello\n"),
    "telegram": ("result.json", TELEGRAM),
    "meta": ("message_1.json", META),
    "discord": ("Ann.json", DISCORD),
}
OTHERS = {"story.txt": "Once upon a time\nthere was a file.\n", "list.json": "[1, 2]", "empty.json": "{}", "": ""}


def test_there_is_a_file_of_each_source_here():
    assert [source.name for source in SOURCES] == list(OWN)


@pytest.mark.parametrize("name", OWN)
def test_a_source_is_told_by_its_content_under_any_name(name):
    for called in (OWN[name][0], "chat.txt", "export"):
        found = recognise(OWN[name][1], called)
        assert found
        source, evidence = found
        assert (source.name, evidence.on != "") == (name, True)
        assert 0.5 < evidence.sure <= 1


@pytest.mark.parametrize("called", OTHERS)
def test_what_is_of_no_source_is_recognised_by_none(called):
    assert recognise(OTHERS[called], called) is None


@pytest.mark.parametrize("name", OWN)
def test_a_layout_names_its_source(name, tmp_path: Path):
    path = tmp_path / OWN[name][0]
    path.write_text(OWN[name][1])
    assert read(path).layout.source == name


def test_chats_of_one_name_from_two_sources_are_two(tmp_path: Path):
    account = {"about": "Telegram", "chats": {"list": [json.loads(TELEGRAM)]}}
    path = archive(tmp_path / "all.zip", {"Ann.txt": OWN["whatsapp"][1], "result.json": json.dumps(account)})
    assert chats_in(path) == ["Ann", "Ann (Telegram)"]
    assert read(path, chat="Ann (Telegram)").layout.source == "telegram"
    assert read(path, chat="Ann").layout.source == "whatsapp"


def test_a_file_of_no_source_is_refused_and_all_sources_are_named(tmp_path: Path):
    path = tmp_path / "story.txt"
    path.write_text(OTHERS["story.txt"])
    with pytest.raises(ChatError) as caught:
        read(path)
    assert all(source.export in str(caught.value) for source in SOURCES)
