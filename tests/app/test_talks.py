"""A conversation as it is kept: going back to the last message, to answer it again or to change it."""

from contextlib import ExitStack
from datetime import datetime

from pipeline.chat import LoadedModels
from pipeline.prompt import Message
from tabs.bubbles import waiting
from tabs.chat import _reply
from tabs.talks import Talk, read_talk
from tabs.visitor import Stage, Visitor

BEGAN = datetime(2024, 1, 1)


def talk(*contents):
    return Talk(BEGAN, [Message(role="assistant" if i % 2 else "user", content=c) for i, c in enumerate(contents)])


def test_the_last_message_comes_back_to_be_changed():
    before, text = talk("hi", "hello", "how are\nyou", "fine").take_back()
    assert text == "how are\nyou"
    assert before == talk("hi", "hello")
    assert talk("hi").take_back() == (talk(), "hi")


def test_nothing_said_is_nothing_to_change():
    assert talk().take_back() == (talk(), None)


def test_the_name_that_a_group_puts_before_a_message_is_not_part_of_it():
    assert talk("Ada: hi\nthere").take_back(("Ada", "Grace")) == (talk(), "hi\nthere")
    assert talk("Ada: hi").take_back(("Ada",)) == (talk(), "Ada: hi")


def test_who_waits_is_told_of_every_change_until_it_is_their_turn():
    before = iter([3, 3, 2, 2, 1, 0])
    assert list(waiting(lambda: next(before))) == [3, 2, 1]


def test_a_third_visitor_sees_how_many_are_before_them(tmp_path, tiny_engine):
    models = LoadedModels()
    models._engines["starter", ""] = tiny_engine
    stage, visitor = Stage(None, None, None, None, models), Visitor(tmp_path)
    busy = [ExitStack() for _ in range(3)]
    for stack in busy:
        stack.enter_context(models.line.join())
    replies = _reply(stage, visitor, "base", talk("hi"), (True, 0.9, 0.95, 8))
    assert "typing" in next(replies)[0]
    assert "2 replies before yours" in next(replies)[0]
    busy[0].close()
    assert "1 reply before yours" in next(replies)[0]
    busy[1].close()
    *_, last = replies
    assert "before yours" not in last[0]
    assert read_talk(visitor, "base").messages[-1]["role"] == "assistant"
    busy[2].close()
    with models.line.join() as before:
        assert before() == 0
