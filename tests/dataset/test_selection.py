"""Choosing replies under a cap: diverse, near-duplicates thinned, short ones still there."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.dataset.selection import choose_replies

NAMES = ("rain", "train", "soup", "exam", "film")
TOPICS = [[f"{topic}{i}" for i in range(400)] for topic in NAMES]


def chat_of(count, seed=0):
    """Replies of one topic after the other, with many an ok among them."""
    draw = random.Random(seed)
    replies = []
    for i in range(count):
        if draw.random() < 0.5:
            replies.append(draw.choice(["ok", "Ok", "okkk", "ok!", "yes", "haha", "hahaha"]))
        else:
            replies.append(" ".join(draw.choices(TOPICS[i * len(TOPICS) // count], k=draw.randint(1, 25))))
    return replies


def test_chosen_replies_cover_more_than_the_first_or_random_ones():
    replies = chat_of(2000)
    chosen = [replies[i] for i in choose_replies(replies, 300)]

    def words(said):
        return len({word for reply in said for word in reply.split()})

    def copies(said):
        return len(said) - len(set(said))

    assert len(chosen) == 300
    for other in (replies[:300], random.Random(1).sample(replies, 300)):
        assert words(chosen) > words(other)
        assert copies(chosen) < copies(other) / 2


def test_short_answers_are_thinned_and_stay_the_commonest():
    replies = chat_of(2000)
    chosen = [replies[i] for i in choose_replies(replies, 300)]
    assert 10 <= sum(reply.lower().startswith("ok") for reply in chosen) < 100
    assert sum(len(reply.split()) <= 2 for reply in chosen) > 10


def test_every_topic_is_in_it():
    replies = chat_of(1000)
    chosen = " ".join(replies[i] for i in choose_replies(replies, 60))
    assert all(topic in chosen for topic in NAMES)


@given(st.lists(st.text(max_size=12), max_size=60), st.integers(1, 60))
def test_as_many_as_wanted_in_order_each_once(replies, most):
    chosen = choose_replies(replies, most)
    assert len(chosen) == min(most, len(replies))
    assert chosen == sorted(set(chosen))


@pytest.mark.parametrize("most", [5, 50])
def test_the_choice_is_the_same_every_time(most):
    assert choose_replies(chat_of(200), most) == choose_replies(chat_of(200), most)
