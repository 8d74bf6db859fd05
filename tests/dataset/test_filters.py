"""What is not learned from: with its count, reason and samples, and without moving a reply."""

import re
from itertools import groupby

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.dataset import FILTERS, DatasetConfig, build_dataset
from pipeline.prompt import split_bubbles
from tests.dataset.chats import chat, talk

ANN = DatasetConfig(person="Ann")
MARK = "\u200e"
LONG = "a sentence that is long enough not to be a turn of phrase of hers, surely"


def first_row(*lines, config=ANN):
    """The learned replies and everything of the first session of `lines`, and what was dropped."""
    dataset = build_dataset(chat(*lines, *[(600, *talk(1)[0][1:]), talk(1)[1], *talk(40)]), config)
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
        ("[url 3] https://x.org", "link"),
        ("Forwarded many times: drink water", "forwarded"),
        ("wall " * 300, "pasted"),
        ("line\n" * 30, "pasted"),
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


FILTERED = [
    ("link", "https://example.com/a?b=c"),
    ("forwarded", "Forwarded many times: drink water"),
    ("pasted", "wall " * 300),
]


@pytest.mark.parametrize(("name", "text"), FILTERED)
def test_a_filter_that_is_off_learns_what_it_would_leave_out_and_says_so(name, text):
    off = ANN.model_copy(update={"filters": tuple(other for other in FILTERS if other != name)})
    lines = [(0, "Bob", "hm"), (1, "Ann", text), (1, "Bob", "oh"), (1, "Ann", "yes")]
    learned, _, dropped = first_row(*lines, config=off)
    assert learned == [text, "yes"]
    assert name not in dropped
    dataset = build_dataset(chat(*lines, *talk(40)), off)
    assert [(spared.name, spared.count, spared.samples) for spared in dataset.spared] == [(name, 1, (text,))]


def test_a_repeat_that_is_not_filtered_is_learned_again():
    said = [(1, "Bob", "and?"), (1, "Ann", LONG)]
    learned, _, _ = first_row(*said, *said, config=ANN.model_copy(update={"filters": ()}))
    assert learned == [LONG, LONG]


@pytest.mark.parametrize("kind", ["media", "call"])
def test_replies_to_a_picture_or_call_alone_can_be_left_out_and_then_answer_nothing_else(kind):
    lines = [
        (0, "Bob", "at eight?"), (1, "Ann", "sure"), (1, "Bob", "x", kind), (1, "Ann", "so nice"), (1, "Bob", "bye"),
        (1, "Ann", "see you"),
    ]  # fmt: skip
    learned, contents, dropped = first_row(*lines)
    assert learned == ["sure", "so nice", "see you"]
    name = f"only_{kind}"
    assert [(s.name, s.samples) for s in build_dataset(chat(*lines, *talk(40)), ANN).spared] == [(name, ("so nice",))]
    learned, contents, dropped = first_row(*lines, config=ANN.model_copy(update={"filters": FILTERS}))
    assert learned == ["sure", "see you"]
    assert contents[-1][-4:] == [f"[{kind}]", "so nice", "bye", "see you"]
    assert (dropped[name].count, dropped[name].samples) == (1, ("so nice",))


pieces = st.sampled_from([
    ("text", "so"), ("text", "https://x.org"), ("text", f"Fwd: {LONG}"), ("text", LONG), ("text", "w" * 1200),
    ("media", "image omitted"), ("media", f"look {MARK}image omitted"), ("call", "Missed call"), ("deleted", "gone"),
])  # fmt: skip
said = st.lists(st.tuples(st.sampled_from(["Ann", "Bob"]), pieces), max_size=12)


@settings(max_examples=40)
@given(said, st.sets(st.sampled_from(FILTERS)))
def test_whatever_is_filtered_each_reply_answers_what_was_said_before_it(lines, filters):
    """Every message is numbered: those of a reply come right after those of what it answers."""
    numbered = [
        (1, who, f"{text} #{i}" if kind == "text" else f"#{i} {text}", kind)
        for i, (who, (kind, text)) in enumerate(lines)
    ]
    config = DatasetConfig(person="Ann", filters=tuple(filters), validation_share=0)
    rows = build_dataset(chat(*talk(32), *numbered), config).train
    turns = [list(run) for _, run in groupby(enumerate(lines), key=lambda line: line[1][0])]
    before = {i: [place for place, _ in turns[at - 1]] if at else None for at, run in enumerate(turns) for i, _ in run}
    for row in rows:
        for index in range(row.learn_from, len(row.messages), 2):
            mine = [int(number) for number in re.findall(r"#(\d+)", row.messages[index]["content"])]
            theirs = [int(number) for number in re.findall(r"#(\d+)", row.messages[index - 1]["content"])]
            for number in mine:
                assert before[number] is None or set(theirs) <= set(before[number])
                assert not theirs or max(theirs) < number


CAPTIONS = [
    (f"look {MARK}<attached: 00000012-PHOTO-2024-03-20.jpg>", "look"),
    (f"two\nlines {MARK}image omitted", "two\nlines"),
    ("<Media omitted>\nwith a caption", "with a caption"),
    ("IMG-20240320-WA0001.jpg (file attached)\na caption (really)", "a caption (really)"),
]


@pytest.mark.parametrize(("text", "caption"), CAPTIONS)
def test_a_caption_is_text_beside_the_mark_of_its_picture(text, caption):
    learned, contents, dropped = first_row(
        (0, "Bob", text, "media"), (1, "Ann", "wow"), (1, "Bob", "and yours?"), (1, "Ann", text, "media")
    )
    assert [split_bubbles(reply) for reply in learned] == [["wow"], [caption]]
    assert split_bubbles(contents[0][0]) == ["[media]", caption]
    assert "media" not in dropped


@pytest.mark.parametrize(
    "text",
    [
        "image omitted", "<Media omitted>", f"<attached: {MARK}PTT-20180129-WA0025.opus>", "null",
        "IMG-20240320-WA0001.jpg (file attached)", f"Plan.pdf • {MARK}2 pages {MARK}<attached: 3-Plan.pdf>",
        f"Plan.pdf • {MARK}2 pages {MARK}document omitted", "görüntü dahil edilmedi",
    ],
)  # fmt: skip
def test_what_the_app_writes_for_a_picture_is_no_caption(text):
    learned, contents, _ = first_row((0, "Bob", text, "media"), (1, "Ann", text, "media"), (1, "Ann", "so"))
    assert contents[0] == ["[media]", "so"]
    assert learned == ["so"]


def test_telegrams_pictures_have_nothing_but_their_caption():
    learned, _, _ = first_row((0, "Bob", "", "media"), (1, "Ann", "my cat", "media"))
    assert learned == ["my cat"]
