"""The app's own lines under a person's or the group's name without its mark, and people's lines that look like such."""

import pytest

from pipeline.sources import parse
from pipeline.sources.whatsapp.kinds import phrases

MARK = "\u200e"
ENCRYPTED = (
    "Messages and calls are end-to-end encrypted. No one outside of this chat, not even WhatsApp, can read or listen "
    "to them."
)
TALK = ["Ann: hi", "Bob: hello there"]
# Languages with the lines that a group begins with.
LANGUAGES = [language for language, keys in phrases().items() if "system.encrypted" in keys and "system.added" in keys]


def read(*lines: str, ios: bool = True) -> list[tuple]:
    """(sender, kind, detail) of the lines, a minute each."""
    form = "[20.03.24, 21:{:02}:42] {}" if ios else "20/03/2024, 21:{:02} - {}"
    messages, _ = parse("\n".join(form.format(place, line) for place, line in enumerate(lines)))
    return messages.select("sender", "kind", "detail").rows()


@pytest.mark.parametrize("ios", [True, False])
@pytest.mark.parametrize("media", [[], [f"Bob: {MARK}image omitted"]])
def test_a_group_without_marks(ios, media):
    lines = [
        f"Climbing: {ENCRYPTED}",
        "Climbing: Ann created group “Climbing”",
        "Climbing: Ann added you",
        "Climbing: You're now an admin",
        "Ann: Ann changed the subject to “Rocks: now”",
        "Bob: Bob left",
    ]
    rows = read(*lines, *TALK, *media, ios=ios)
    assert rows[:6] == [
        (None, "system", detail) for detail in ("encrypted", "group_created", "added", "admin", "renamed", "left")
    ]
    assert [row[0] for row in rows[6:8]] == ["Ann", "Bob"]


@pytest.mark.parametrize("who", ["Ann", "Climbing"])
def test_the_notice_at_the_beginning_is_the_apps_even_where_its_other_lines_have_marks(who):
    rows = read(f"{who}: {ENCRYPTED}", *TALK, f"Climbing: {MARK}Ann added Bob")
    assert rows[0] == (None, "system", "encrypted")
    later = read(*TALK, f"Climbing: {MARK}Ann added Bob", f"Ann: {ENCRYPTED}")
    assert later[3] == ("Ann", "text", None)


@pytest.mark.parametrize("language", LANGUAGES)
def test_in_every_language_of_the_table(language):
    keys = phrases()[language]
    lines = [
        "Climbing: " + phrase.replace("{}", "Ann", 1).replace("{}", "Bob")
        for key in ("system.encrypted", "system.group_created", "system.added")
        for phrase in keys.get(key, [])
    ]
    wrong = [line for line, row in zip(lines, read(*lines, *TALK), strict=False) if row[:2] != (None, "system")]
    assert wrong == []


@pytest.mark.parametrize("language", [name for name in LANGUAGES if "{} added" not in phrases()[name]])
def test_people_who_say_that_somebody_came_are_people_where_the_apps_lines_have_marks(language):
    """What a service line says is a person's own text in a file whose service lines are marked."""
    phrase = phrases()[language]["system.added"][0].replace("{}", "Ann", 1).replace("{}", "Bob")
    rows = read(*TALK, f"Climbing: {MARK}{phrase}", f"Ann: {phrase}")
    assert rows[2:] == [(None, "system", "added"), ("Ann", "text", None)]


@pytest.mark.parametrize(
    "sentence",
    [
        "Bob added salt to the soup, then left",
        "Bob left the keys at home",
        "Bob removed the old stairs",
        "Bob changed to the other train",
    ],
)
def test_ones_own_sentence_with_the_mark_is_ones_own(sentence):
    rows = read(*TALK, f"Bob: {MARK}{sentence}", f"Climbing: {MARK}Ann added Bob")
    assert rows[2:] == [("Bob", "text", None), (None, "system", "added")]


@pytest.mark.parametrize(
    "line",
    [
        "Bob added Ann", "Bob added ~ Dan and Ann", "Bob added +49 170 1234567", "Bob added you", "Bob left",
        "Bob changed this group's icon", "Bob changed the group description", "Bob turned on admin approval",
    ],
)  # fmt: skip
def test_what_one_did_to_the_group_is_the_apps_line(line):
    assert read(*TALK, f"Bob: {MARK}{line}")[2][:2] == (None, "system")


@pytest.mark.parametrize("mark", ["", MARK])
@pytest.mark.parametrize("again", [1, 3])
@pytest.mark.parametrize(
    "link", ["https://foursquare.com/v/4b5", "https://maps.app.goo.gl/abc", "http://venue.example/luna"]
)
def test_a_shared_place_keeps_its_sender(mark, again, link):
    place = f"Café Luna (Main Street 5, Berlin): {link}"
    rows = read(*[f"Ann: {mark}{place}"] * again, *TALK)
    assert rows == [("Ann", "location", None)] * again + [("Ann", "text", None), ("Bob", "text", None)]


def test_a_name_with_a_colon_that_sends_links_keeps_its_name():
    rows = read("Work: Cy: https://example.org/a", "Work: Cy: morning", "Work: Cy: https://example.org/b", *TALK)
    assert [row[0] for row in rows[:3]] == ["Work: Cy"] * 3
