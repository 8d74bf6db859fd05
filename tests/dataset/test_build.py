"""From messages to rows: who is learned from, what a reply answers, where the held-out part begins."""

from datetime import datetime, timedelta

import pytest

from pipeline.dataset import FEWEST_REPLIES, OPENER, DatasetConfig, build_dataset
from pipeline.errors import ChatError
from pipeline.prompt import split_bubbles
from pipeline.redact import RedactionConfig
from tests.dataset.chats import START, chat, talk

ANN = DatasetConfig(person="Ann")


def learned(rows):
    """The replies learned in these rows, in order."""
    return [
        message["content"]
        for row in rows
        for message in row.messages[row.learn_from :]
        if message["role"] == "assistant"
    ]


def exchanges(rows):
    """(what is said, learned reply) pairs."""
    return [
        (row.messages[index - 1]["content"], message["content"])
        for row in rows
        for index, message in enumerate(row.messages)
        if message["role"] == "assistant" and index >= row.learn_from
    ]


def every_row(dataset):
    return dataset.train + dataset.validation


def test_each_reply_is_learned_once_with_what_it_answers():
    dataset = build_dataset(chat(*talk(60)), ANN)
    assert exchanges(every_row(dataset)) == [(f"question {i}", f"reply {i}") for i in range(60)]


def test_rows_go_system_user_assistant_and_end_with_the_person():
    for row in every_row(build_dataset(chat(*talk(60)), ANN)):
        roles = [message["role"] for message in row.messages]
        assert roles == ["system", *["user", "assistant"] * (len(roles) // 2)]
        assert row.messages[row.learn_from]["role"] == "assistant"


def test_the_last_part_is_held_out_by_time():
    dataset = build_dataset(chat(*talk(100)), ANN)
    assert dataset.summary.validation_replies == len(learned(dataset.validation)) == 20  # whole sessions of ten
    assert max(row.sent_at for row in dataset.train) < dataset.summary.validation_from
    assert dataset.summary.validation_from == min(row.sent_at for row in dataset.validation)


def test_one_long_session_is_cut_inside_and_the_later_part_keeps_its_context():
    dataset = build_dataset(chat(*talk(100, every=1000)), ANN)
    assert learned(dataset.train) == [f"reply {i}" for i in range(85)]
    assert learned(dataset.validation) == [f"reply {i}" for i in range(85, 100)]
    first = dataset.validation[0]
    assert first.learn_from > 2
    assert first.messages[first.learn_from]["content"] == "reply 85"


def test_nothing_is_held_out_when_nothing_is_asked_for():
    dataset = build_dataset(chat(*talk(40)), ANN.model_copy(update={"validation_share": 0.0}))
    assert (len(learned(dataset.train)), dataset.validation, dataset.summary.validation_from) == (40, [], None)


def test_who_speaks_first_is_answered_by_nobody_and_nothing_leaks():
    lines = [(0, "Ann", "hi you"), (1, "Bob", "hey"), (1, "Ann", "news"), *talk(40)]
    first = build_dataset(chat(*lines), ANN).train[0]
    assert [message["content"] for message in first.messages[1:5]] == [OPENER, "hi you", "hey", "news"]
    assert "hi you" not in first.messages[0]["content"]


def test_bursts_of_both_sides_are_turns():
    lines = [(0, "Bob", "a"), (1, "Bob", "b\nc"), (1, "Ann", "d"), (1, "Ann", "e"), *talk(40)]
    user, reply = exchanges(build_dataset(chat(*lines), ANN).train)[0]
    assert split_bubbles(user) == ["a", "b\nc"]
    assert split_bubbles(reply) == ["d", "e"]


def test_in_a_group_the_others_carry_their_names():
    lines = [(0, "Bob", "a"), (1, "Bob", "b"), (1, "Cem", "c"), (1, "Bob", "d"), (1, "Ann", "e")]
    dataset = build_dataset(chat(*lines, *talk(40, names=("Bob", "Cem"))), ANN)
    user, reply = exchanges(dataset.train)[0]
    assert split_bubbles(user) == ["Bob: a", "b", "Cem: c", "Bob: d"]
    assert reply == "e"
    assert dataset.summary.others == ("Bob", "Cem")


def test_a_person_who_was_renamed_is_one_person():
    lines = [(1, "Ann B." if sender == "Ann" and i > 60 else sender, text)
             for i, (_, sender, text) in enumerate(talk(60))]  # fmt: skip
    apart = build_dataset(chat(*lines), ANN)
    assert any("Ann B." in hint for hint in apart.summary.hints)
    together = build_dataset(chat(*lines), DatasetConfig(person="Ann", also_named=("Ann B.",)))
    assert len(learned(every_row(together))) == 60
    assert together.summary.others == ("Bob",)
    assert together.summary.hints == ()


def test_too_few_replies_since_a_rename_say_so():
    lines = [(1, "Ann B." if sender == "Ann" and i < 100 else sender, text)
             for i, (_, sender, text) in enumerate(talk(60))]  # fmt: skip
    with pytest.raises(ChatError, match=r"Ann has 10 replies .*: Ann B\. never writes in the same weeks .*other names"):
        build_dataset(chat(*lines), ANN)


def test_the_system_prompt_tells_when_and_after_what_silence():
    dataset = build_dataset(chat(*talk(60)), ANN)
    systems = {row.session: row.messages[0]["content"] for row in dataset.train}
    assert systems[0] == "You are Ann, texting with Bob. Monday 18:00."
    assert systems[1] == "You are Ann, texting with Bob. Tuesday 04:00, +10 hours."
    without = build_dataset(chat(*talk(60)), ANN.model_copy(update={"situation": False}))
    assert {row.messages[0]["content"] for row in without.train} == {"You are Ann, texting with Bob."}


def test_without_a_system_prompt_rows_begin_with_the_user():
    row = build_dataset(chat(*talk(60)), ANN.model_copy(update={"system_prompt": ""})).train[0]
    assert row.messages[0]["role"] == "user"
    assert row.learn_from == 1


@pytest.mark.parametrize(
    ("lines", "person", "sentence"),
    [
        ([(1, "Ann", "alone")] * 60, "Ann", "Only Ann writes"),
        (talk(60), "Eve", "Eve does not write in this chat: choose one of Ann, Bob"),
        (talk(7), "Ann", f"Ann has 7 replies to learn from in this chat, and a twin needs at least {FEWEST_REPLIES}"),
        ([*talk(1), *[(1, "Bob", "hello?")] * 9], "Ann", "Ann has 1 reply to learn from"),
        ([], "Ann", "choose one of nobody"),
    ],
)
def test_what_cannot_be_learned_from_is_said_in_a_sentence(lines, person, sentence):
    with pytest.raises(ChatError, match=sentence):
        build_dataset(chat(*lines), DatasetConfig(person=person))


def test_other_names_that_nobody_has_are_refused():
    with pytest.raises(ChatError, match="Anne does not write"):
        build_dataset(chat(*talk(60)), DatasetConfig(person="Ann", also_named=("Anne",)))


def test_a_prompt_that_fills_the_row_is_refused():
    with pytest.raises(ChatError, match="shorten it"):
        build_dataset(chat(*talk(60)), DatasetConfig(person="Ann", system_prompt="word " * 200, max_tokens=256))


@pytest.mark.parametrize("prompt", ["{who}", "{", "{0}"])
def test_a_prompt_with_unknown_fields_is_no_config(prompt):
    with pytest.raises(ValueError, match="braces"):
        DatasetConfig(person="Ann", system_prompt=prompt)


def test_the_cap_keeps_context_and_the_held_out_part_whole():
    messages = chat(*talk(200, words="with words of its own"))
    dataset = build_dataset(messages, DatasetConfig(person="Ann", max_replies=50))
    assert len(learned(dataset.train)) == dataset.summary.train_replies == 50
    assert dataset.summary.dropped == {"not_chosen": 120}
    assert dataset.summary.validation_replies == 30
    assert all(user.split()[1] == reply.split()[1] for user, reply in exchanges(dataset.train))


def test_with_redaction_nothing_that_is_kept_names_anyone():
    lines = [(0, "Bob", "call Ann on +49 170 1234567"), (1, "Ann", "Bob, mail ann@example.org"), *talk(60)]
    config = DatasetConfig(
        person="Ann",
        system_prompt="You are {person}. Ann lives with Bob. {situation}",
        redaction=RedactionConfig(aliases={"Ann": "Robin", "Bob": "Kim"}, words=("question 3",)),
    )
    dataset = build_dataset(chat(*lines), config)
    assert exchanges(dataset.train)[0] == ("call Robin on [phone 1]", "Kim, mail [email 1]")
    kept = dataset.config.model_dump_json() + dataset.summary.model_dump_json() + str(dataset.train)
    for secret in ("Ann", "Bob", "question 3 ", "1234567", "example.org"):
        assert secret not in kept
    assert dataset.config.person == "Robin"
    assert dataset.summary.masked == {"email": 1, "name": 2, "phone": 1, "word": 1}
    assert len(learned(every_row(dataset))) == 61


def test_the_summary_says_when_and_how_much():
    summary = build_dataset(chat(*talk(60)), ANN).summary
    assert summary.first_at == START + timedelta(minutes=1)
    assert summary.last_at > START + timedelta(days=2)
    assert (summary.messages, summary.sessions, summary.replies) == (120, 6, 60)
    assert 600 <= summary.typical_silence_minutes < 620
    assert summary.tokenizer is None
    assert isinstance(summary.validation_from, datetime)
