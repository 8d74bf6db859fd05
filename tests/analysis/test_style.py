"""The style fingerprint: of people in a chat, and of a list of turns with the same code."""

from datetime import timedelta

import emoji
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.analysis import FEATURES, fingerprint, prepare, style, words
from pipeline.analysis.measures import EMOJI
from tests.analysis.chats import TWO, chat, known

HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def two():
    return prepare(TWO, HOUR)


def test_a_fingerprint_counted_by_hand(two):
    ann, ben = style.fingerprints(two.messages, two.turns).to_dicts()
    # Ann: "Good morning Ben! How are you?" "great 😂😂" "haha" "OK THANKS" "are you there..." and a deleted message
    assert (ann["texts"], ann["turns"]) == (5, 5)
    assert ann["words_per_message"] == pytest.approx(13 / 5)
    assert ann["chars_median"] == 9
    assert ann["bubbles_per_turn"] == pytest.approx(6 / 5)
    assert ann["several_bubbles"] == pytest.approx(1 / 5)
    assert ann["words_per_turn"] == pytest.approx(13 / 4)  # the deleted message is no turn of words
    assert (ann["emoji_per_100"], ann["with_emoji"]) == (40, 0.2)
    assert (ann["laugh"], ann["question"], ann["exclaim"], ann["ellipsis"], ann["stop"]) == (0.2, 0.2, 0.2, 0.2, 0)
    assert ann["lower"] == pytest.approx(3 / 5)
    assert ann["shout"] == pytest.approx(1 / 5)
    assert (ann["edited"], ann["deleted"], ann["media"]) == (pytest.approx(1 / 6), pytest.approx(1 / 6), 0)
    # Ben: "fine. and you?" "see https://example.org/a" and a photo
    assert (ben["texts"], ben["link"], ben["question"], ben["media"]) == (2, 0.5, 0.5, pytest.approx(1 / 3))


def test_a_list_of_turns_is_measured_by_the_same_code():
    table = chat("01 10:00 Ann: hi\n01 10:01 Ben: haha yes!\n01 10:02 Ben: why? 😂\n01 10:03 Ann: so\n01 10:04 Ben: OK")
    prepared = prepare(table, HOUR)
    of_ben = style.fingerprints(prepared.messages, prepared.turns).row(
        by_predicate=pl.col("person") == "Ben", named=True
    )
    of_list = fingerprint([["haha yes!", "why? 😂"], ["OK"]])
    assert {name: of_ben[name] for name in FEATURES} == of_list


def test_no_turns_have_no_features():
    assert fingerprint([]) == dict.fromkeys(FEATURES)
    assert fingerprint([[]])["words_per_message"] is None


@given(st.lists(st.lists(st.text(max_size=40), max_size=4), max_size=6))
def test_any_text_can_be_measured(turns):
    found = fingerprint(turns)
    assert set(found) == set(FEATURES)
    assert all(value is None or value >= 0 for value in found.values())


def test_lengths_and_bubbles_by_hand(two):
    lengths = known(style.length_histogram(two.messages), "person", "label", "messages")
    assert lengths == [
        ("Ann", "1", 2),
        ("Ann", "2", 1),
        ("Ann", "3", 1),
        ("Ann", "6–8", 1),
        ("Ben", "3", 1),
        ("Ben", "4–5", 1),
    ]
    assert known(style.bubble_histogram(two.turns), "person", "label", "turns") == [
        ("Ann", "1", 4),
        ("Ann", "2", 1),
        ("Ben", "1", 3),
    ]


def test_emoji_are_counted_as_seen():
    """Joined people, skin tones, flags and keycaps are one each; letters such as ™ are none."""
    table = chat("01 10:00 Ann: 👨‍👩‍👧👍🏽 🇩🇪🇫🇷 1️⃣ ❤️❤ ™ 3")
    prepared = prepare(table, HOUR)
    assert known(words.top_emoji(prepared.emoji), "emoji", "uses") == [
        ("❤", 2), ("1⃣", 1), ("🇩🇪", 1), ("🇫🇷", 1), ("👍🏽", 1), ("👨\u200d👩\u200d👧", 1),
    ]  # fmt: skip
    assert prepared.messages["emoji"].to_list() == [7]


def test_every_emoji_of_the_standard_is_found_whole():
    letters = set("©®™‼⁉〰〽㊗㊙") | {chr(0x1F3FB + tone) for tone in range(5)}
    signs = [sign for sign in emoji.EMOJI_DATA if sign not in letters]
    table = pl.DataFrame({"text": [f"a{sign} b" for sign in signs]})
    found = table.select(pl.col("text").str.extract_all(EMOJI))["text"].to_list()
    assert [sign for sign, parts in zip(signs, found, strict=True) if parts != [sign]] == []


LAUGHS = {
    "hahaha stop": ["haha"], "HAHAHAH": ["haha"], "bahahaha": ["haha"], "haha lol": ["haha", "lol"],
    "jajaja que risa": ["jaja"], "kkkkk": ["kkk"], "55555": ["555"], "wkwkwk": ["wkwk"], "rsrsrs": ["rsrs"],
    "ахахах": ["хаха"], "ههههه": ["ههه"], "哈哈哈真的": ["哈哈"], "面白い笑": ["笑"], "それなwww": ["www"],
    "재밌다ㅋㅋㅋ": ["ㅋㅋ"], "xD": ["xd"], "mdrr": ["mdr"], "LMAOOO": ["lmao"],
    "the lollipop": [], "call 0155512": [], "www.example.org": [], "sharp": [], "ok ha": [],
}  # fmt: skip


LAUGHS = {
    "hahaha stop": ["haha"], "HAHAHAH": ["haha"], "bahahaha": ["haha"], "haha lol": ["haha", "lol"],
    "jajaja que risa": ["jaja"], "kkkkk": ["kkk"], "55555": ["555"], "wkwkwk": ["wkwk"], "rsrsrs": ["rsrs"],
    "ахахах": ["хаха"], "ههههه": ["ههه"], "哈哈哈真的": ["哈哈"], "面白い笑": ["笑"], "それなwww": ["www"],
    "재밌다ㅋㅋㅋ": ["ㅋㅋ"], "xD": ["xd"], "mdrr": ["mdr"], "LMAOOO": ["lmao"],
    "the lollipop": [], "call 0155512": [], "www.example.org": [], "sharp": [], "ok ha": [],
}  # fmt: skip


@pytest.mark.parametrize(("text", "forms"), LAUGHS.items())
def test_laughter_in_its_forms(text, forms):
    prepared = prepare(chat(f"01 10:00 Ann: {text}"), HOUR)
    assert sorted(prepared.laughs["form"].to_list()) == sorted(forms)
    assert prepared.messages["laugh"].to_list() == [bool(forms)]


GREETINGS = {
    "Hey! you there": "hey", "heyyy": "hey", "good morning all": "good morning", "Hola chicos": "hola",
    "Guten Morgen": "guten morgen", "नमस्ते सबको": "नमस्ते", "صباح الخير يا جماعة": "صباح الخير",
    "おはようございます": "おはようございます", "你好": "你好",
    "history is fun": None, "I said hi": None, "yolo": None,
}  # fmt: skip


GREETINGS = {
    "Hey! you there": "hey", "heyyy": "hey", "good morning all": "good morning", "Hola chicos": "hola",
    "Guten Morgen": "guten morgen", "नमस्ते सबको": "नमस्ते", "صباح الخير يا جماعة": "صباح الخير",
    "おはようございます": "おはようございます", "你好": "你好",
    "history is fun": None, "I said hi": None, "yolo": None,
}  # fmt: skip


@pytest.mark.parametrize(("text", "form"), GREETINGS.items())
def test_greetings_begin_a_message(text, form):
    table = words.greetings(prepare(chat(f"01 10:00 Ann: {text}"), HOUR).messages)
    assert table["form"].to_list() == ([form] if form else [])
