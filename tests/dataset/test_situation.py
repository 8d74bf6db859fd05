"""The words around a conversation."""

from datetime import datetime, timedelta

import pytest

from pipeline.dataset import PROMPTS, DatasetConfig, build_dataset, chat_opening, situation, system_prompt, user_content
from pipeline.prompt import split_bubbles
from tests.dataset.chats import chat, talk

MONDAY = datetime(2024, 3, 4, 22, 31)


@pytest.mark.parametrize(
    ("silence", "language", "words"),
    [
        (None, "en", "Monday 22:00."),
        (timedelta(hours=9), "en", "Monday 22:00, +9 hours."),
        (timedelta(days=3), "de", "Montag 22:00, +3 Tage."),
        (timedelta(days=8), "pt", "segunda-feira 22:00, +1 semana."),
    ],
)
def test_the_situation_is_short_and_in_the_chats_language(silence, language, words):
    assert situation(MONDAY, silence, language) == words


@pytest.mark.parametrize("language", PROMPTS)
def test_every_languages_prompt_is_a_config_and_names_both(language):
    config = DatasetConfig(person="Ann", system_prompt=PROMPTS[language], language=language)
    text = system_prompt(config, ["Bob"], MONDAY, timedelta(hours=2))
    assert "Ann" in text
    assert "Bob" in text
    assert "22:00" in text


GERMAN = "ich komme heute etwas später weil der Zug schon wieder ausfällt, fangt ruhig ohne mich an"
SPANISH = "hoy llego un poco tarde porque el tren no ha salido, empezad sin mí que luego os alcanzo"


@pytest.mark.parametrize(("text", "language"), [(GERMAN, "de"), (SPANISH, "es"), ("ok", "en")])
def test_the_prompt_is_in_the_language_that_the_person_writes(text, language):
    lines = [(1, sender, words) for i in range(40) for sender, words in (("Bob", GERMAN), ("Ann", f"{text} {i}"))]
    dataset = build_dataset(chat(*lines), DatasetConfig(person="Ann"))
    assert dataset.config.language == language
    assert dataset.config.system_prompt == PROMPTS[language]
    own = build_dataset(chat(*lines), DatasetConfig(person="Ann", system_prompt="I am {person}", language="fr"))
    assert (own.config.system_prompt, own.config.language) == ("I am {person}", "fr")


def test_a_big_group_is_not_listed_in_full():
    names = [f"name{i}" for i in range(30)]
    text = system_prompt(DatasetConfig(person="Ann"), names, MONDAY, None)
    assert "name5, …" in text
    assert "name6" not in text


def test_chat_assumes_the_chats_typical_silence():
    dataset = build_dataset(chat(*talk(60)), DatasetConfig(person="Ann"))
    (message,) = chat_opening(dataset.config, dataset.summary, MONDAY)
    assert message["content"] == "You are Ann, texting with Bob. Monday 22:00, +10 hours."
    assert chat_opening(dataset.config.model_copy(update={"system_prompt": ""}), dataset.summary, MONDAY) == []


def test_names_stand_where_the_speaker_changes_and_only_in_groups():
    said = [("Bob", ["a", "b"]), ("Cem", ["c"])]
    assert split_bubbles(user_content(said, ["Bob", "Cem"])) == ["Bob: a", "b", "Cem: c"]
    assert split_bubbles(user_content([("Bob", ["a", "b"])], ["Bob"])) == ["a", "b"]
