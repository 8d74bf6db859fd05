"""A conversation as it is kept: going back to the last message, to answer it again or to change it."""

import json
import shutil
from contextlib import ExitStack
from datetime import datetime

import pytest

from pipeline.errors import ChatError
from pipeline.inference import LoadedModels
from pipeline.prompt import Message
from tabs.chat.conversations import Talk, exchange_talk, read_talk, write_talk
from tabs.chat.tab import _reply
from tabs.visitor import Stage, Visitor
from web.bubbles import waiting

BEGAN = datetime(2024, 1, 1)


def talk(*contents):
    return Talk(BEGAN, [Message(role="assistant" if i % 2 else "user", content=c) for i, c in enumerate(contents)])


def test_a_changed_turn_is_where_the_conversation_goes_on():
    said = talk("hi", "hello", "how are\nyou", "fine")
    assert said.text_at(2) == "how are\nyou"
    assert said.changed(3, "great") == talk("hi", "hello", "how are\nyou", "great")
    assert said.changed(1, " hey \r\n\nyou") == talk("hi", "hey\nyou")
    assert said.changed(0, "ho") == talk("ho")


def test_nothing_is_no_message():
    with pytest.raises(ChatError, match="something left"):
        talk("hi", "hello").changed(1, " \n ")


def test_the_name_that_a_group_puts_before_a_message_is_not_changed_with_it():
    names = ("Ada", "Grace")
    said = talk("Ada: hi\nthere", "Grace: no name of theirs")
    assert said.text_at(0, names) == "hi\nthere"
    assert said.changed(0, "ho", names) == talk("Ada: ho")
    assert said.text_at(1, names) == "Grace: no name of theirs"
    assert said.text_at(0, ("Ada",)) == "Ada: hi\nthere"


def test_what_was_deleted_meanwhile_is_not_brought_back(tmp_path):
    visitor = Visitor(tmp_path)
    write_talk(visitor, "base", talk("hi"))
    assert exchange_talk(visitor, "base", talk("hi"), talk("hi", "hello"))
    (tmp_path / "talks" / "base.json").unlink()
    assert not exchange_talk(visitor, "base", talk("hi", "hello"), talk("hi", "hello", "so"))
    assert read_talk(visitor, "base").messages == []


def test_who_waits_is_told_of_every_change_until_it_is_their_turn():
    before = iter([3, 3, 2, 2, 1, 0])
    assert list(waiting(lambda: next(before))) == [3, 2, 1]


def test_a_third_visitor_sees_how_many_are_before_them(tmp_path, tiny_engine):
    models = LoadedModels()
    models._engines["starter", ""] = tiny_engine
    stage, visitor = Stage(None, None, None, None, models), Visitor(tmp_path)
    busy = [ExitStack() for _ in range(3)]
    for stack in busy:
        stack.enter_context(models.queue.join())
    replies = _reply(stage, visitor, "base", talk("hi"), (False, True, 0.9, 0.95, 8))
    assert "typing" in next(replies)[0]
    assert "2 replies before yours" in next(replies)[0]
    busy[0].close()
    assert "1 reply before yours" in next(replies)[0]
    busy[1].close()
    *_, last = replies
    assert "before yours" not in last[0]
    assert read_talk(visitor, "base").messages[-1]["role"] == "assistant"
    busy[2].close()
    with models.queue.join() as before:
        assert before() == 0


def test_at_their_own_pace_bubbles_are_kept_as_they_are_shown_and_a_new_start_ends_them(tmp_path, tiny_run):
    run = shutil.copytree(tiny_run, tmp_path / "runs" / "one")
    about = json.loads((run / "dataset" / "dataset.json").read_text())
    about["summary"]["rhythm"] = {"pause": 0.0, "per_character": 0.002, "spread": 0.0}
    (run / "dataset" / "dataset.json").write_text(json.dumps(about))
    stage, visitor = Stage(None, None, None, None, LoadedModels()), Visitor(tmp_path)
    lengths = (True, True, 1.0, 1.0, 120)  # enough of the tiny model's noise for several bubbles
    views = [view for view, *_ in _reply(stage, visitor, "one", talk("hi"), lengths)]
    shown = [view.count('class="bubble" dir') for view in views]
    assert shown == sorted(shown)
    assert "typing" in views[0]
    assert "typing" not in views[-1]
    assert len(read_talk(visitor, "one").messages) == 2
    replies = _reply(stage, visitor, "one", talk("hi"), lengths)
    next(replies)
    write_talk(visitor, "one", talk("something else"))
    *_, last = replies
    assert "something else" in last[0]
    assert read_talk(visitor, "one") == talk("something else")
