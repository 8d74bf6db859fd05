"""Files to one Chat: whose each is, which chat of several, several exports of one chat made into one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import polars as pl

from pipeline.errors import ChatError
from pipeline.messages import Chat, Layout, merge, part_of, people, same_chat, title_of
from pipeline.progress import SILENT, CancelledError, Progress
from pipeline.sources.archives import PEEK, Text, find_texts, load, peek
from pipeline.sources.registry import endings, likely_sources, recognise, what_to_bring
from pipeline.sources.source import Bytes, Source

__all__ = ["chats_in", "parse", "read"]

Files = str | Path | Sequence[str | Path]


@dataclass(frozen=True)
class _Part:
    """A text with a chat, or one chat (`inner`) of the many in it; source: None where no source is sure."""

    text: Text
    source: Source | None
    inner: str | None


def chats_in(paths: Files) -> list[str]:
    """The chats in these files, by the names that read(chat=...) takes: one for most, several for some archives."""
    return list(_by_chat(_texts(paths)))


def read(paths: Files, *, date_order: str | None = None, chat: str | None = None, progress: Progress = SILENT) -> Chat:
    """One chat from one or several exports (.txt, .zip, .json) of it, made into one without duplicates.

    `chat` chooses among several in one archive (see chats_in); `date_order` (dmy, mdy, ymd) overrules what a file says.
    Raises ChatError, in one sentence for the user.
    """
    texts = _texts(paths)
    chats = _by_chat(texts)
    if chat is not None and chat not in chats:
        raise ChatError("The chosen chat is not in this file: choose another.")
    if chat is None and len(chats) > len({text.path for text in texts}):
        raise ChatError(f"There are {len(chats)} chats in this archive: choose one of them.")
    parts = chats[chat] if chat is not None else [part for parts in chats.values() for part in parts]
    return _join([_read_part(part, date_order, progress.part(1 / len(parts))) for part in parts])


def parse(text: str, date_order: str | None = None) -> tuple[pl.DataFrame, Layout]:
    """The messages of one export as a table (SCHEMA), and how it was read.

    `date_order` (dmy, mdy, ymd) overrules what the file says. A text is as written, with inner newlines and, where the
    source puts them there, words of its own about a file ("<attached: f>"; see pipeline.messages.captions). Lines of
    the app itself have no sender. Raises ChatError if there is no chat in the text.
    """
    start, data = text[:PEEK], text.encode("utf-8", "replace")
    if b"\n" not in data:
        data = data.replace(b"\r", b"\n")
    del text  # four bytes a character where there are emoji: let go of it if the caller has
    found = recognise(start, "")
    chat = _parse(data, found and found[0], "", None, date_order, SILENT)
    return chat.messages, chat.layout


def _texts(paths: Files) -> list[Text]:
    files = [paths] if isinstance(paths, str | Path) else list(paths)
    if not files:
        raise ChatError("No file was chosen: choose a chat export.")
    return [text for path in files for text in find_texts(Path(path), endings())]


def _by_chat(texts: list[Text]) -> dict[str, list[_Part]]:
    """The texts that hold a chat, parts of one chat together, by a name to choose by.

    A single file is taken as it is, so that reading it says what is wrong with it.
    """
    chats: dict[str, list[_Part]] = {}
    for text in texts:
        found = recognise(peek(text), text.name)
        source = found and found[0]
        if source is None and len(texts) > 1:
            continue
        inners: Sequence[str | None] = (source and source.chats(text)) or [None]
        for inner in inners:
            part = _Part(text, source, inner)
            chats.setdefault(_free_name(chats, inner or _name_of(text), part), []).append(part)
    if not chats:
        raise ChatError(f"There is no chat in this archive: it should hold {what_to_bring()}.")
    return chats


def _name_of(text: Text) -> str:
    """What to choose a text's only chat by: its file's name, with its folder in an archive."""
    folder = Path(text.member).parent.as_posix() if text.member else ""
    name = part_of(text.name)
    return name if folder in ("", ".") else f"{folder}/{name}"


def _free_name(chats: dict[str, list[_Part]], name: str, part: _Part) -> str:
    """The name, with the app's where another source has a chat of it, or its folder's where another folder has."""
    taken = chats.get(name)
    if not taken or not part.source:
        return name
    if taken[0].source is not part.source:
        return _free_name(chats, f"{name} ({part.source.app})", part)
    here, there = _folder(part.text), _folder(taken[0].text)
    return name if here == there or part.inner is None else f"{name} ({here.name})"


def _folder(text: Text) -> PurePosixPath:
    return PurePosixPath(text.member or "").parent


def _read_part(part: _Part, date_order: str | None, progress: Progress) -> Chat:
    text = part.text
    chat = _parse(load(text), part.source, text.name, part.inner, date_order, progress)
    if chat.title:
        return chat
    archive = text.path.name if text.member else ""
    return replace(chat, title=title_of(text.name, archive, names=people(chat.messages)))


def _parse(
    data: Bytes, source: Source | None, name: str, inner: str | None, date_order: str | None, progress: Progress
) -> Chat:
    """A text as its source reads it; where none is sure that it is its own, as the first that finds a chat does."""
    if source is not None:
        return source.parse(data, chat=inner, date_order=date_order, progress=progress)
    for likely in likely_sources(name):
        try:
            return likely.parse(data, chat=inner, date_order=date_order, progress=progress)
        except CancelledError:
            raise
        except ChatError:
            continue
    raise ChatError(f"There is no chat in this file: use {what_to_bring()}.")


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
