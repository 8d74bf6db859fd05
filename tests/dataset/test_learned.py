"""Under every template: the learned tokens are the person's replies with their ends, each once, and nothing else."""

from itertools import groupby

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.dataset import DatasetConfig, build_dataset, chat_opening
from pipeline.dataset.windows import windows
from pipeline.prompt import Message, encode, encode_prompt, join_bubbles, read_template
from pipeline.turns import build_turns, find_silence
from tests.dataset.chats import chat, talk


def learned_texts(row, template, tokenizer):
    """What the learned stretches of a row decode to."""
    encoded = encode(template, tokenizer, row.messages, row.learn_from)
    stretches = groupby(zip(encoded.ids, encoded.learned, strict=True), key=lambda pair: pair[1])
    return [tokenizer.decode([token for token, _ in stretch]) for learned, stretch in stretches if learned]


@pytest.mark.parametrize("max_tokens", [1024, 256])
def test_the_samples_learned_tokens_are_his_replies_each_once(sample, tokenizer, max_tokens):
    template = read_template(tokenizer)
    dataset = build_dataset(sample, DatasetConfig(person="Noah", max_tokens=max_tokens), tokenizer)
    rows = dataset.train + dataset.validation
    turns = build_turns(sample, find_silence(sample)).filter(sender="Noah")
    replies = [join_bubbles(bubbles) for bubbles in turns["bubbles"]]
    texts = [text for row in rows for text in learned_texts(row, template, tokenizer)]
    too_long = dataset.summary.dropped.get("too_long", 0)
    assert len(texts) == len(replies) - too_long
    clean = str.strip if template.trims else str
    expected = {template.before_reply + clean(reply) + template.end_of_turn for reply in replies}
    if too_long:
        assert set(texts) <= expected
    else:
        assert texts == [template.before_reply + clean(reply) + template.end_of_turn for reply in replies]


def test_rows_are_as_long_as_they_say_and_fit(sample, tokenizer):
    template = read_template(tokenizer)
    for max_tokens in (1024, 160):
        dataset = build_dataset(sample, DatasetConfig(person="Noah", max_tokens=max_tokens), tokenizer)
        for row in dataset.train + dataset.validation:
            length = len(encode(template, tokenizer, row.messages, row.learn_from).ids)
            assert length == row.tokens <= max_tokens


def test_chat_begins_with_the_ids_that_training_began_with(sample, tokenizer):
    template = read_template(tokenizer)
    dataset = build_dataset(sample, DatasetConfig(person="Noah"), tokenizer)
    for row in dataset.train[:5]:
        first, said = row.messages[0], row.messages[: row.learn_from]
        turns = build_turns(sample, find_silence(sample)).filter(session=row.session)
        silence = turns["gap"][0]
        if silence is not None:
            assert chat_opening(dataset.config, dataset.summary, turns["started_at"][0], silence) == [first]
        prompt = encode_prompt(template, tokenizer, said)
        assert encode(template, tokenizer, row.messages, row.learn_from).ids[: len(prompt)] == prompt


def test_what_was_said_at_length_is_cut_at_its_beginning_never_at_its_end(starter):
    wall = " ".join(f"word{i}" for i in range(3000))
    lines = [*talk(20), (1, "Bob", wall), (1, "Ann", "tell me"), *talk(30)]
    dataset = build_dataset(chat(*lines), DatasetConfig(person="Ann", max_tokens=256), starter)
    rows = [row for row in dataset.train if row.messages[row.learn_from]["content"] == "tell me"]
    assert len(rows) == 1
    user = rows[0].messages[rows[0].learn_from - 1]["content"]
    assert wall.endswith(user)
    assert len(user) > 300
    assert rows[0].tokens <= 256


def test_a_reply_that_fits_no_row_is_left_out_and_counted(starter):
    lines = [(1, "Bob", "and?"), (1, "Ann", "so " * 300), (1, "Bob", "oh"), (1, "Ann", "yes"), *talk(40)]
    dataset = build_dataset(chat(*lines), DatasetConfig(person="Ann", max_tokens=192), starter)
    assert dataset.summary.dropped == {"too_long": 1}
    assert [dropped.name for dropped in dataset.dropped] == ["too_long"]


def test_estimated_lengths_are_not_far_below_the_real_ones(sample, starter):
    config = DatasetConfig(person="Noah")
    estimated, counted = build_dataset(sample, config), build_dataset(sample, config, starter)
    assert 0.9 < estimated.summary.train_tokens / counted.summary.train_tokens < 1.6


pairs = st.lists(st.tuples(st.integers(1, 60), st.integers(1, 60), st.booleans()), max_size=40)


@given(pairs, st.integers(20, 200), st.integers(0, 100))
def test_windows_learn_each_reply_once_in_order_and_fit(exchanges, room, overlap):
    costs = [(user, reply) for user, reply, _ in exchanges]
    learnable = [learn for *_, learn in exchanges]
    made = list(windows(costs, learnable, room, min(overlap, room // 2)))
    learned = [index for _, learn, end in made for index in range(learn, end)]
    assert learned == [index for index, learn in enumerate(learnable) if learn]
    for start, learn, end in made:
        assert start <= learn < end
        used = sum(user + reply for user, reply in costs[start:end])
        assert used <= room or (start == learn and end == learn + 1)


words = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=30)
bubbles = st.lists(words.filter(str.strip), min_size=1, max_size=3)


@settings(max_examples=30)
@given(st.lists(st.tuples(bubbles, bubbles), max_size=5))
def test_any_words_come_back_from_the_rows(said):
    lines = talk(30)
    for user, reply in said:
        lines += [(1, "Bob", text) for text in user] + [(1, "Ann", text) for text in reply]
    dataset = build_dataset(chat(*lines), DatasetConfig(person="Ann", validation_share=0))
    pairs = [
        (row.messages[index - 1]["content"], row.messages[index]["content"])
        for row in dataset.train
        for index in range(row.learn_from, len(row.messages), 2)
    ]
    assert pairs[30:] == [(join_bubbles(user), join_bubbles(reply)) for user, reply in said]


def test_a_row_is_what_the_prompt_expects():
    row = build_dataset(chat(*talk(60)), DatasetConfig(person="Ann")).train[0]
    assert row.messages[0] == Message(role="system", content="You are Ann, texting with Bob. Monday 18:00.")
