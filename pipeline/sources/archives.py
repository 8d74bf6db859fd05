"""Files from outside: a text, or a .zip with some, to UTF-8 within limits. Archives are streamed, never unpacked to
disk.

Everything about such a file may be a lie: its name, its size, its kind. Each limit below is checked before the
memory is spent, and each refusal is one sentence for the user.
"""

import codecs
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from pipeline.errors import ChatError

__all__ = ["MAX_LINE", "MAX_TEXT", "PEEK", "Text", "find_texts", "load", "peek"]

MAX_TEXT = 2 << 30  # bytes of one text; five million messages are 0.5 GB
MAX_LINE = 8 << 20  # bytes without a newline; WhatsApp's longest message has 65,536 characters
MAX_MEMBERS = 200_000  # a chat with all its media
MAX_RATIO = 200  # unpacked to packed, of what is large; text packs 5 to 50 times
PEEK = 1 << 16  # bytes that show what a text is
_LARGE = 64 << 20
_CHUNK = 1 << 20

_OTHER_KINDS = {
    b"Rar!": "a RAR archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"\x1f\x8b": "a gzip archive",
    b"%PDF": "a PDF",
    b"\xff\xd8\xff": "a picture",
    b"\x89PNG": "a picture",
    b"SQLite format 3": "a database",
}


@dataclass(frozen=True)
class Text:
    """One text that may hold a chat: a file, or a member of an archive. `size` is in bytes, as declared."""

    path: Path
    member: str | None
    size: int

    @property
    def name(self) -> str:
        """The file's own name, without folders."""
        return PurePosixPath(self.member).name if self.member else self.path.name


def find_texts(path: Path, endings: tuple[str, ...]) -> list[Text]:
    """The texts in a file: itself, or a .zip's members with these endings. Raises ChatError for what is refused."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(16)
    except OSError as error:
        raise ChatError("This file cannot be opened: check that it exists and choose it again.") from error
    if size == 0:
        raise ChatError("This file is empty: export the chat again.")
    if start.startswith(b"PK"):
        return _members(path, endings)
    for magic, kind in _OTHER_KINDS.items():
        if start.startswith(magic):
            raise ChatError(f"This file is {kind} and no chat: {_bring(endings)}.")
    if ".crypt" in path.name.lower():
        raise ChatError("This is WhatsApp's encrypted backup: use “Export chat” in the chat's own menu instead.")
    if size > MAX_TEXT:
        raise ChatError(f"This file is larger than {MAX_TEXT >> 30} GB: export the chat without media.")
    return [Text(path, None, size)]


def load(text: Text) -> bytes | bytearray:
    """The whole text in UTF-8 without a BOM. Raises ChatError for no text, an endless line, a broken file."""
    if text.size > MAX_TEXT:
        raise ChatError(f"The chat in this archive is larger than {MAX_TEXT >> 30} GB: export it in parts.")
    with _open(text) as file:
        data = _read_lines(file, text)
    return _to_utf8(data)


def peek(text: Text, size: int = PEEK) -> str:
    """The beginning of a text, to see what it is."""
    with _open(text) as file:
        data = file.read(size)
    return bytes(_to_utf8(data, partial=True)).decode("utf-8", "ignore")


def _bring(endings: tuple[str, ...]) -> str:
    return f"choose a chat's export ({', '.join(endings)} or .zip)"


def _members(path: Path, endings: tuple[str, ...]) -> list[Text]:
    with _archive(path) as archive:
        infos = [info for info in archive.infolist() if not info.is_dir()]
    _check_members(infos, path.stat().st_size)
    texts = [info for info in infos if _is_text(info.filename, endings)]
    if not texts:
        if any(info.filename.lower().endswith(".zip") for info in infos):
            raise ChatError("This archive holds another archive: unpack it once and choose the inner one.")
        raise ChatError(f"There is no chat in this archive: it should hold a {' or '.join(endings)}.")
    if any(info.flag_bits & 1 for info in texts):
        raise ChatError("This archive is encrypted: unpack it with its password and choose the chat inside.")
    return [Text(path, info.filename, info.file_size) for info in texts]


def _check_members(infos: list[zipfile.ZipInfo], size: int) -> None:
    if len(infos) > MAX_MEMBERS:
        raise ChatError(f"This archive holds more than {MAX_MEMBERS:,} files: export the chat without media.")
    for info in infos:
        parts = info.filename.replace("\\", "/").split("/")
        if ".." in parts or info.filename.startswith(("/", "\\")) or ":" in parts[0][1:2]:
            raise ChatError("This archive names files outside itself: no app makes such, and it is not opened.")
        if stat.S_ISLNK(info.external_attr >> 16):
            raise ChatError("This archive holds a link to another file: no app makes such, and it is not opened.")
        if _is_bomb(info.file_size, info.compress_size):
            raise ChatError("A file in this archive unpacks to far more than its size: it is not opened.")
    total, packed = sum(info.file_size for info in infos), sum(info.compress_size for info in infos)
    if _is_bomb(total, packed) or packed > size:
        raise ChatError("This archive unpacks to far more than its size: it is not opened.")


def _is_bomb(unpacked: int, packed: int) -> bool:
    return unpacked > _LARGE and unpacked > MAX_RATIO * max(packed, 1)


def _is_text(member: str, endings: tuple[str, ...]) -> bool:
    """Not what macOS and hidden folders add."""
    parts = member.replace("\\", "/").split("/")
    return parts[-1].lower().endswith(endings) and not any(part.startswith(("__MACOSX", ".")) for part in parts)


@contextmanager
def _archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """An open archive; whatever is wrong with it becomes a ChatError."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        OSError,
        ValueError,
        KeyError,
        NotImplementedError,
        RuntimeError,
    ) as error:
        raise ChatError("This archive is broken or incomplete: export the chat again.") from error


@contextmanager
def _open(text: Text) -> Iterator[IO[bytes]]:
    if text.member is None:
        with text.path.open("rb") as file:
            yield file
        return
    with _archive(text.path) as archive, archive.open(text.member) as member:
        yield member


def _read_lines(file: IO[bytes], text: Text) -> bytearray:
    """All bytes, as far as their declared size; refuses a line longer than MAX_LINE as soon as it is one."""
    data, line_start = bytearray(), 0
    breaks_lines = not text.name.lower().endswith(".json")
    while chunk := file.read(min(_CHUNK, text.size - len(data))):
        newline = chunk.rfind(b"\n")
        line_start = len(data) + newline if newline >= 0 else line_start
        data += chunk
        if breaks_lines and len(data) - line_start > MAX_LINE:
            raise ChatError("A line of this file is longer than any message: it is not a chat export.")
    return data


def _to_utf8(data: bytes | bytearray, *, partial: bool = False) -> bytes | bytearray:
    """UTF-8 without a BOM, from UTF-8, UTF-16 or, where it is neither, Windows-1252."""
    wide = _wide_encoding(data[:4096])
    if wide:
        return bytes(data).decode(wide, "replace").lstrip("\ufeff").encode("utf-8", "replace")
    if b"\x00" in data[: 1 << 16]:
        raise ChatError("This file is not a text: choose the export of a chat.")
    if data.startswith(codecs.BOM_UTF8):
        data = data[3:]
    broken = _broken_at(data)
    if broken is None or (partial and broken >= len(data) - 4):
        return data
    text = bytes(data).decode("utf-8", "replace")
    if text.count("\ufffd") * 1000 > len(text):  # not one damaged place but another encoding
        text = bytes(data).decode("cp1252", "replace")
    return text.encode()


def _wide_encoding(start: bytes | bytearray) -> str | None:
    """UTF-16 by its mark, or by the zeros in every other byte of what is mostly ASCII."""
    if start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16"
    pairs = len(start) // 2
    if pairs > 8 and start[1::2].count(0) > pairs * 0.4 and start[::2].count(0) < pairs * 0.05:
        return "utf-16-le"
    if pairs > 8 and start[::2].count(0) > pairs * 0.4 and start[1::2].count(0) < pairs * 0.05:
        return "utf-16-be"
    return None


def _broken_at(data: bytes | bytearray) -> int | None:
    """Where the bytes stop being UTF-8, None if they are; by chunks, since decoded text takes four times as much."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    for begin in range(0, len(data), _CHUNK):
        try:
            decoder.decode(data[begin : begin + _CHUNK], final=begin + _CHUNK >= len(data))
        except UnicodeDecodeError as error:
            return max(begin + error.start, 0)
    return None
