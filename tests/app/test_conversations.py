"""A conversation as it is kept: going back to the last message, to answer it again or to change it."""

import json
import shutil
from contextlib import ExitStack
from datetime import datetime

import pytest
from built import built, first_values

from pipeline.chat.conversation import (
    Conversation,
    exchange_conversation,
    read_conversation,
    write_conversation,
)
from pipeline.errors import ChatError
from pipeline.inference import LoadedModels
from pipeline.prompt import Message
from pipeline.visitors import Visitor
from tabs.chat import panel as chat_panel
from tabs.chat.answering import reply
from web.bubbles import waiting

BEGAN = datetime(2024, 1, 1)


def talk(*contents):
    return Conversation(
        BEGAN, [Message(role="assistant" if i % 2 else "user", content=c) for i, c in enumerate(contents)]
    )


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
    write_conversation(tmp_path, "base", talk("hi"))
    assert exchange_conversation(tmp_path, "base", talk("hi"), talk("hi", "hello"))
    (tmp_path / "talks" / "base.json").unlink()
    assert not exchange_conversation(tmp_path, "base", talk("hi", "hello"), talk("hi", "hello", "so"))
    assert read_conversation(tmp_path, "base").messages == []


def test_who_waits_is_told_of_every_change_until_it_is_their_turn():
    before = iter([3, 3, 2, 2, 1, 0])
    assert list(waiting(lambda: next(before))) == [3, 2, 1]


def opened(models, **settings):
    """A conversation's panel with its page, and the values of one who uses settings of their own."""
    panel, stage = built(lambda stage: chat_panel.build(), models=models)
    named = {panel.form[name]: value for name, value in settings.items()}
    return panel, stage, first_values(panel.asked) | {panel.own: True} | named


def test_a_third_visitor_sees_how_many_are_before_them(tmp_path, tiny_engine):
    models = LoadedModels()
    models._engines["starter", ""] = [tiny_engine]
    panel, stage, values = opened(models, max_new_tokens=8)
    busy = [ExitStack() for _ in range(3)]
    for stack in busy:
        stack.enter_context(models.queue.join())
    replies = reply(panel, stage, Visitor(tmp_path), "base", talk("hi"), values)
    assert "typing" in next(replies)[panel.talk]
    assert "2 replies before yours" in next(replies)[panel.talk]
    busy[0].close()
    assert "1 reply before yours" in next(replies)[panel.talk]
    busy[1].close()
    *_, last = replies
    assert "before yours" not in last[panel.talk]
    assert read_conversation(tmp_path, "base").messages[-1]["role"] == "assistant"
    busy[2].close()
    with models.queue.join() as before:
        assert before() == 0


def test_at_their_own_pace_bubbles_are_kept_as_they_are_shown_and_a_new_start_ends_them(tmp_path, tiny_run):
    run = shutil.copytree(tiny_run, tmp_path / "runs" / "one")
    about = json.loads((run / "dataset" / "dataset.json").read_text())
    about["summary"]["rhythm"] = {"pause": 0.0, "per_character": 0.002, "spread": 0.0}
    (run / "dataset" / "dataset.json").write_text(json.dumps(about))
    # Enough of the tiny model's noise for several bubbles.
    panel, stage, values = opened(LoadedModels(), temperature=1.0, top_p=1.0, max_new_tokens=120)
    asked = (panel, stage, Visitor(tmp_path), "one", talk("hi"), values | {panel.paced: True})
    views = [updates[panel.talk] for updates in reply(*asked)]
    shown = [view.count('class="bubble" dir') for view in views]
    assert shown == sorted(shown)
    assert "typing" in views[0]
    assert "typing" not in views[-1]
    assert len(read_conversation(tmp_path, "one").messages) == 2
    replies = reply(*asked)
    next(replies)
    write_conversation(tmp_path, "one", talk("something else"))
    *_, last = replies
    assert "something else" in last[panel.talk]
    assert read_conversation(tmp_path, "one") == talk("something else")
