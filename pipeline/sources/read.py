"""Files to one Chat: which reader, which chat of several, several exports of one chat made into one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from pipeline.errors import ChatError
from pipeline.messages import Chat, Layout, merge, part_of, people, same_chat, title_of
from pipeline.progress import SILENT, Progress
from pipeline.sources.archives import Text, find_texts, load, peek
from pipeline.sources.telegram import parse_telegram, telegram_chats
from pipeline.sources.whatsapp import looks_like_whatsapp, parse_bytes

__all__ = ["chats_in", "parse", "read"]

Files = str | Path | Sequence[str | Path]


@dataclass(frozen=True)
class _Source:
    """One text with a chat, or one chat (`inner`) of the many in a Telegram account's export."""

    text: Text
    inner: str | None


def chats_in(paths: Files) -> list[str]:
    """The chats in these files, by the names that read(chat=...) takes: one for most, several for some archives."""
    return list(_by_chat(_texts(paths)))


def read(paths: Files, *, date_order: str | None = None, chat: str | None = None, progress: Progress = SILENT) -> Chat:
    """One chat from one or several exports (.txt, .zip, .json) of it, made into one without duplicates.

    `chat` chooses among several in one archive (see chats_in); `date_order` (dmy, mdy, ymd) overrules what a file says;
    Raises ChatError, in one sentence for the user.
    """
    texts = _texts(paths)
    chats = _by_chat(texts)
    if chat is not None and chat not in chats:
        raise ChatError("The chosen chat is not in this file: choose another.")
    if chat is None and len(chats) > len({text.path for text in texts}):
        raise ChatError(f"There are {len(chats)} chats in this archive: choose one of them.")
    sources = chats[chat] if chat is not None else [source for part in chats.values() for source in part]
    parts = [_read_source(source, date_order, progress.part(1 / len(sources))) for source in sources]
    return _join(parts)


def parse(text: str, date_order: str | None = None) -> tuple[pl.DataFrame, Layout]:
    """The messages of one export as a table (SCHEMA), and how it was read.

    `date_order` (dmy, mdy, ymd) overrules what the file says. A text is as written, with inner newlines and
    "<attached: f>", but for the app's own direction mark in front and its "<This message was edited>" behind, which
    becomes `edited`. Lines of the app itself have no sender, even where iOS writes one. Raises ChatError if there is no
    chat in the text.
    """
    data = text.encode("utf-8", "replace")
    if b"\n" not in data:
        data = data.replace(b"\r", b"\n")
    del text  # four bytes a character where there are emoji: let go of it if the caller has
    return parse_bytes(data, date_order)


def _texts(paths: Files) -> list[Text]:
    files = [paths] if isinstance(paths, str | Path) else list(paths)
    if not files:
        raise ChatError("No file was chosen: choose a chat export.")
    return [text for path in files for text in find_texts(Path(path))]


def _by_chat(texts: list[Text]) -> dict[str, list[_Source]]:
    """The texts that hold a chat, parts of one chat together, by a name to choose by.

    A single file is taken as it is, so that reading it says what is wrong with it.
    """
    chats: dict[str, list[_Source]] = {}
    for text in texts:
        start = peek(text)
        if '"chats"' in start and start.lstrip().startswith("{"):  # all chats of a Telegram account
            for name in telegram_chats(load(text)):
                chats.setdefault(name, []).append(_Source(text, name))
        elif len(texts) == 1 or looks_like_whatsapp(start.encode()) or start.lstrip().startswith("{"):
            folder = Path(text.member).parent.as_posix() if text.member else ""
            name = part_of(text.name)
            chats.setdefault(name if folder in ("", ".") else f"{folder}/{name}", []).append(_Source(text, None))
    if not chats:
        raise ChatError("There is no chat in this archive: it should hold the .txt that WhatsApp makes.")
    return chats


def _read_source(source: _Source, date_order: str | None, progress: Progress) -> Chat:
    text = source.text
    data = load(text)
    if data[:64].lstrip().startswith(b"{"):
        return parse_telegram(data, source.inner)
    messages, layout = parse_bytes(data, date_order, progress)
    archive = text.path.name if text.member else ""
    return Chat(messages, layout, title_of(text.name, archive, names=people(messages)))


def _join(parts: list[Chat]) -> Chat:
    """Several exports of one chat as one; it is certain if all are."""
    if len(parts) == 1:
        return parts[0]
    if not all(same_chat(parts[0].messages, part.messages) for part in parts[1:]):
        raise ChatError("These files are of different chats: choose exports of one chat.")
    layouts = [part.layout for part in parts]
    evidence = tuple(dict.fromkeys(sentence for layout in layouts for sentence in layout.evidence))
    layout = replace(
        layouts[0],
        certain=all(layout.certain for layout in layouts),
        evidence=evidence,
        stray_lines=sum(layout.stray_lines for layout in layouts),
    )
    return Chat(merge([part.messages for part in parts]), layout, parts[0].title)
