"""Files from outside: what is read, and what is refused in one sentence before it costs time or memory."""

import io
import resource
import stat
import struct
import time
import zipfile
from pathlib import Path

import pytest

from pipeline.errors import ChatError
from pipeline.sources import chats_in, read
from pipeline.sources.archives import MAX_LINE, find_texts, load

CHAT = "20/03/2024, 21:16 - Ann: hi 👋\n20/03/2024, 21:17 - Bob: hello\n"
OTHER = "21/03/2024, 21:16 - Cy: hi\n21/03/2024, 21:17 - Di: hello\n"


def archive(path: Path, members: dict[str, bytes | str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(ChatError) as caught:
        read(path)
    sentence = str(caught.value)
    assert sentence[0].isupper()
    assert sentence.endswith(".")
    return sentence


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "chat.txt"
    path.write_bytes(CHAT.encode(encoding))
    assert read(path).messages["text"].to_list() == ["hi 👋", "hello"]


def test_windows_text_and_one_damaged_byte(tmp_path: Path) -> None:
    path = tmp_path / "chat.txt"
    path.write_bytes("20/03/2024, 21:16 - Zoë: déjà vu\n".encode("cp1252"))
    assert read(path).messages.row(0)[1:3] == ("Zoë", "déjà vu")
    path.write_bytes(CHAT.encode() * 50 + b"20/03/2024, 21:18 - Bob: \xff\n")
    assert read(path).messages["text"].to_list()[-1] == "\ufffd"


@pytest.mark.parametrize(
    "members",
    [
        {"_chat.txt": CHAT, "00000012-PHOTO.jpg": b"\xff\xd8"},
        {"WhatsApp Chat with Ann.txt": CHAT, "IMG-20240320-WA0001.jpg": b"\xff\xd8"},
        {"WhatsApp Chat - Ann/_chat.txt": CHAT, "__MACOSX/WhatsApp Chat - Ann/._chat.txt": b"\x00\x05"},
        {"chat.TXT": CHAT, "notes.txt": "milk, eggs"},
    ],
)
def test_archives_of_both_phones(tmp_path: Path, members: dict[str, bytes | str]) -> None:
    chat = read(archive(tmp_path / "export.zip", members))
    assert chat.messages["sender"].to_list() == ["Ann", "Bob"]


def test_titles(tmp_path: Path) -> None:
    path = tmp_path / "_chat.txt"
    path.write_text(CHAT)
    assert read(path).title == "Ann & Bob"
    assert read(archive(tmp_path / "WhatsApp Chat - Climbing.zip", {"_chat.txt": CHAT})).title == "Climbing"
    assert read(archive(tmp_path / "a.zip", {"WhatsApp-Chat mit Zoë.txt": CHAT})).title == "Zoë"
    assert read(archive(tmp_path / "b.zip", {"Chat de WhatsApp con Ana.txt": CHAT})).title == "Ana"


def test_several_chats_are_chosen_from(tmp_path: Path) -> None:
    path = archive(tmp_path / "all.zip", {"Ann/_chat.txt": CHAT, "Cy/_chat.txt": OTHER})
    assert chats_in(path) == ["Ann/_chat", "Cy/_chat"]
    assert "2 chats" in refusal(path)
    assert read(path, chat="Cy/_chat").messages["sender"].to_list() == ["Cy", "Di"]
    with pytest.raises(ChatError):
        read(path, chat="Di")


def test_parts_of_one_chat_are_joined_without_duplicates(tmp_path: Path) -> None:
    more = CHAT + "20/03/2024, 21:18 - Ann: more\n"
    path = archive(tmp_path / "parts.zip", {"chat.txt": CHAT, "chat (1).txt": more})
    assert read(path).messages["text"].to_list() == ["hi 👋", "hello", "more"]
    first, second = tmp_path / "old.txt", tmp_path / "new.txt"
    first.write_text(CHAT)
    second.write_text(more)
    assert read([first, second]).messages["text"].to_list() == ["hi 👋", "hello", "more"]


@pytest.mark.parametrize("name", ["../../x.txt", "/etc/x.txt", "..\\x.txt", "C:\\x.txt", "a/../../_chat.txt"])
def test_names_that_lead_out_are_refused(tmp_path: Path, name: str) -> None:
    path = archive(tmp_path / "export.zip", {"_chat.txt": CHAT, "x": "x"})
    data = path.read_bytes()
    with zipfile.ZipFile(path, "w") as file:
        info = zipfile.ZipInfo("x" * len(name))
        file.writestr(info, CHAT)
    data = path.read_bytes().replace(("x" * len(name)).encode(), name.encode())
    path.write_bytes(data)
    assert "outside itself" in refusal(path)


def test_a_link_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a.txt", CHAT)
        info = zipfile.ZipInfo("_chat.txt")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        file.writestr(info, "/etc/passwd")
    assert "link" in refusal(path)


def test_encrypted_nested_and_broken_archives_are_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "export.zip", {"_chat.txt": CHAT})
    data = bytearray(path.read_bytes())
    central = data.index(b"PK\x01\x02")
    data[6] |= 1
    data[central + 8] |= 1
    path.write_bytes(data)
    assert "encrypted" in refusal(path)
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as file:
        file.writestr("_chat.txt", CHAT)
    assert "another archive" in refusal(archive(path, {"inner.zip": inner.getvalue()}))
    assert "no chat" in refusal(archive(path, {"photo.jpg": b"\xff"}))
    whole = archive(path, {"_chat.txt": CHAT * 500}).read_bytes()
    for cut in (len(whole) // 2, len(whole) - 4):
        path.write_bytes(whole[:cut])
        refusal(path)
    path.write_bytes(whole[:60] + bytes(40) + whole[100:])
    refusal(path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"hello",
        bytes(range(256)) * 40,
        b"Rar!\x1a\x07",
        b"%PDF-1.7",
        b"\x89PNG",
        b"PK\x03\x04",
        b"{}",
        b"{",
    ],
)
def test_what_is_no_chat_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "chat.txt"
    path.write_bytes(content)
    refusal(path)


def test_a_missing_file_and_no_file(tmp_path: Path) -> None:
    refusal(tmp_path / "nothing.txt")
    refusal(tmp_path)
    with pytest.raises(ChatError):
        read([])


def spent(path: Path) -> tuple[float, int]:
    """Seconds and MB that a refusal costs."""
    before, begin = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    refusal(path)
    return time.process_time() - begin, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10


def test_a_bomb_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file, file.open("_chat.txt", "w") as member:
        for _ in range(100):
            member.write(bytes(1 << 20))
    seconds, megabytes = spent(path)
    assert (seconds < 2, megabytes < 500) == (True, True)
    data = bytearray(path.read_bytes())
    central = data.index(b"PK\x01\x02")
    for lie in (4_294_967_294, 1 << 20):  # says 4 GB, says 1 MB
        data[central + 24 : central + 28] = struct.pack("<I", lie)
        path.write_bytes(data)
        seconds, megabytes = spent(path)
        assert (seconds < 2, megabytes < 500) == (True, True)


def test_an_endless_line_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "line.txt"
    with path.open("wb") as file:
        file.write(CHAT.encode())
        file.truncate(1 << 30)
    seconds, megabytes = spent(path)
    assert (seconds < 2, megabytes < 500) == (True, True)
    zipped = archive(tmp_path / "line.zip", {"_chat.txt": (CHAT + "x" * (MAX_LINE + 1)).encode() + bytes(1000)})
    refusal(zipped)


def test_text_is_utf8_without_a_mark(tmp_path: Path) -> None:
    path = tmp_path / "chat.txt"
    path.write_bytes(b"\xef\xbb\xbf" + CHAT.encode())
    (text,) = find_texts(path, (".txt",))
    assert (text.name, text.member, text.size) == ("chat.txt", None, len(CHAT.encode()) + 3)
    assert bytes(load(text)) == CHAT.encode()


def test_an_archive_with_a_nameless_member_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "export.zip", {"x": CHAT, "_chat.txt": CHAT})
    data = bytearray(path.read_bytes())
    central = data.index(b"PK\x01\x02")
    data[central + 28 : central + 30] = struct.pack("<H", 0)  # its name has no letters
    path.write_bytes(data)
    refusal(path)
