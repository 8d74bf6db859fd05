"""Several exports of one chat become one, each message once; two names of one person become one."""

from pathlib import Path

import pytest

from pipeline.errors import ChatError
from pipeline.messages import likely_pairs, merge, merge_senders, people
from pipeline.sources import parse, read

L = "\u200e"
HEAD = "20/03/2024, 21:1"


def android(*lines: str) -> str:
    return "".join(f"{HEAD}{i} - {line}\n" for i, line in enumerate(lines))


def merged(*texts: str) -> list[tuple[object, ...]]:
    return merge([parse(text)[0] for text in texts]).select("sender", "text", "kind").rows()


def test_an_older_and_a_newer_export() -> None:
    old, new = android("Ann: a", "Bob: b", "Ann: c"), android("Ann: a", "Bob: b", "Ann: c", "Bob: d")
    expected = [("Ann", "a", "text"), ("Bob", "b", "text"), ("Ann", "c", "text"), ("Bob", "d", "text")]
    assert merged(old, new) == merged(new, old) == merged(new, new) == expected


def test_the_same_message_twice_stays_twice() -> None:
    twice = f"{HEAD}0 - Ann: ok\n{HEAD}0 - Ann: ok\n{HEAD}1 - Bob: x\n"
    assert [row[1] for row in merged(twice, twice)] == ["ok", "ok", "x"]


def test_a_file_that_one_export_left_out_keeps_its_name() -> None:
    without, with_media = android("Ann: <Media omitted>"), android("Ann: IMG-20240320-WA0001.jpg (file attached)")
    for pair in ((without, with_media), (with_media, without)):
        table = merge([parse(text)[0] for text in pair])
        assert table.select("text", "attachment").rows() == [
            ("IMG-20240320-WA0001.jpg (file attached)", "IMG-20240320-WA0001.jpg")
        ]


def test_what_one_export_has_deleted_or_edited_is_one_message() -> None:
    before = android("Ann: secret", "Bob: helo")
    after = android("Ann: This message was deleted", "Bob: hello <This message was edited>")
    expected = [("Ann", "secret", "text"), ("Bob", "hello", "text")]
    assert merged(before, after) == merged(after, before) == expected


def test_two_phones_with_other_names_and_no_seconds() -> None:
    first = "".join(
        f"[20.03.24, 21:1{i}:0{i}] {name}: text {i}\r\n"
        for i, name in enumerate(["Ann", "Me", "Ann", "Me", "Ann", "Me"])
    )
    second = android(*(f"{name}: text {i}" for i, name in enumerate(["Ann B.", "Me", "Ann B.", "Me", "Ann B.", "Me"])))
    table = merge([parse(first)[0], parse(second)[0]])
    assert (len(table), people(table)) == (6, ["Ann", "Me"])


def test_files_of_two_chats_are_not_mixed(tmp_path: Path) -> None:
    one, two = tmp_path / "one.txt", tmp_path / "two.txt"
    one.write_text(android("Me: hello there", "Ann: good morning"))
    two.write_text(android("Me: how are you", "Bob: fine thanks"))
    with pytest.raises(ChatError):
        read([one, two])


def test_a_renamed_contact() -> None:
    table = merge_senders(parse(android("Ann: a", "Ann Smith: b", "Bob: c"))[0], ["Ann"], "Ann Smith")
    assert table["sender"].to_list() == ["Ann Smith", "Ann Smith", "Bob"]


@pytest.mark.parametrize(
    ("names", "pairs"),
    [
        (["Ann", "Ann Smith", "Bob"], [("Ann Smith", "Ann")]),
        (["Ann Smith", "Bob", "Ann"], [("Ann", "Ann Smith")]),
        (["~ Tom", "Tom", "🦄"], [("Tom", "~ Tom")]),
        (["ANN", "ann 🌻"], [("ann 🌻", "ANN")]),
        (["Ann", "Anna", "Bob", "+49 170 1234567", "+49 170 7654321", "🦄", "🌻"], []),
    ],
)
def test_names_that_may_be_one_person(names: list[str], pairs: list[tuple[str, str]]) -> None:
    said = [f"{name}: hi" for i, name in enumerate(names) for _ in range(len(names) - i)]
    lines = "".join(f"{HEAD}0 - {line}\n" for line in said)
    assert likely_pairs(parse(lines)[0]) == pairs


def test_a_number_that_changed_may_be_one_person() -> None:
    lines = android("+49 170 1: a", "+49 170 1 changed to +49 170 2", "+49 170 2: b", "+49 170 3: c")
    assert likely_pairs(parse(lines)[0]) == [("+49 170 2", "+49 170 1")]
