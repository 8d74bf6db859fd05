"""What is not learned from: with its count, reason and samples, and without moving a reply."""

import pytest

from pipeline.dataset import DatasetConfig, build_dataset
from pipeline.prompt import split_bubbles
from tests.dataset.chats import chat, talk

ANN = DatasetConfig(person="Ann")
LONG = "a sentence that is long enough not to be a turn of phrase of hers, surely"


def first_row(*lines):
    """The learned replies and everything of the first session of `lines`, and what was dropped."""
    dataset = build_dataset(chat(*lines, *[(600, *talk(1)[0][1:]), talk(1)[1], *talk(40)]), ANN)
    rows = [row for row in dataset.train if row.session == 0]
    learned = [m["content"] for row in rows for m in row.messages[row.learn_from :] if m["role"] == "assistant"]
    contents = [[m["content"] for m in row.messages[1:]] for row in rows]
    return learned, contents, {dropped.name: dropped for dropped in dataset.dropped}


def test_media_stays_as_a_mark_in_the_context_and_is_never_learned():
    learned, contents, dropped = first_row(
        (0, "Bob", "image omitted", "media"),
        (1, "Bob", "look"),
        (1, "Ann", "nice"),
        (1, "Bob", "where"),
        (1, "Ann", "image omitted", "media"),
        (1, "Bob", "ah there"),
        (1, "Ann", "yes"),
    )
    assert learned == ["nice", "yes"]
    assert contents[-1][-6:] == ["[media]\nlook", "nice", "where", "[media]", "ah there", "yes"]
    assert dropped["media"].count == 1
    assert dropped["media"].samples == ("image omitted",)
    assert "never learned" in dropped["media"].reason


def test_a_picture_inside_a_reply_leaves_the_words():
    learned, _, _ = first_row((0, "Bob", "hi"), (1, "Ann", "see"), (1, "Ann", "x", "media"), (1, "Ann", "that"))
    assert [split_bubbles(reply) for reply in learned] == [["see", "that"]]


def test_an_album_is_one_mark():
    _, contents, _ = first_row(*[(1, "Bob", "x", "media")] * 12, (1, "Bob", "our trip"), (1, "Ann", "wow"))
    assert contents[0] == ["[media]\nour trip", "wow"]


def test_a_reply_to_a_deleted_message_answers_nothing_else():
    learned, contents, dropped = first_row(
        (0, "Bob", "coming at eight?"),
        (1, "Ann", "sure"),
        (1, "Bob", "This message was deleted", "deleted"),
        (1, "Ann", "ha, great"),
        (1, "Bob", "bye"),
        (1, "Ann", "see you"),
    )
    assert learned == ["sure", "see you"]
    assert contents[-1][-4:] == ["[deleted]", "ha, great", "bye", "see you"]
    assert dropped["unseen"].count == 1


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("https://example.com/a?b=c", "link"),
        ("www.example.com http://x.org", "link"),
        ("Forwarded many times: drink water", "forwarded"),
        ("wall " * 300, "forwarded"),
        ("line\n" * 30, "forwarded"),
        ("  \n ", "empty"),
    ],
)
def test_what_is_not_the_persons_own_words_is_context_only(text, name):
    learned, contents, dropped = first_row((0, "Bob", "hm"), (1, "Ann", text), (1, "Bob", "oh"), (1, "Ann", "yes"))
    assert learned == ["yes"]
    assert contents[-1] == ["hm", f"[{name}]", "oh", "yes"]
    assert dropped[name].count == 1


def test_the_others_walls_and_links_with_words_stay():
    _, contents, _ = first_row((0, "Bob", "Forwarded: " + LONG), (1, "Bob", "see https://x.org"), (1, "Ann", "yes"))
    assert contents[0][0] == f"Forwarded: {LONG}\nsee https://x.org"


def test_long_texts_are_learned_once_and_short_ones_every_time():
    said = [(1, "Bob", "and?"), (1, "Ann", LONG), (1, "Bob", "and?"), (1, "Ann", "ok")]
    learned, _, dropped = first_row(*said, *said)
    assert learned == [LONG, "ok", "ok"]
    assert dropped["repeated"].count == 1


def test_calls_and_system_lines_are_not_words():
    learned, contents, _ = first_row(
        (0, None, "Messages are encrypted", "system"),
        (0, "Bob", "Missed voice call", "call"),
        (1, "Ann", "sorry"),
        (1, None, "Bob changed the icon", "system"),
        (1, "Ann", "call you later"),
    )
    assert contents[0] == ["[call]", "sorry\ncall you later"]
    assert learned == ["sorry\ncall you later"]
