"""What a source of chats is: how its files are told from others', and how they are read."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from pipeline.messages import Chat
from pipeline.progress import SILENT, Progress
from pipeline.sources.archives import Text

__all__ = ["Bytes", "Evidence", "Parse", "Source"]

Bytes: TypeAlias = bytes | bytearray


@dataclass(frozen=True)
class Evidence:
    """That a file is of a source: how sure (0 to 1), and on what, in words for the user."""

    sure: float
    on: str


class Parse(Protocol):
    """The messages of one text in UTF-8. Raises ChatError, in one sentence for the user.

    chat: which, where the text holds several. date_order (dmy, mdy, ymd): overrules what the text says, where it can be
    in doubt. The chat's title is "" where the text does not tell it.
    """

    def __call__(
        self, data: Bytes, *, chat: str | None = None, date_order: str | None = None, progress: Progress = SILENT
    ) -> Chat: ...


@dataclass(frozen=True)
class Source:
    """An app that people chat in, as far as its exports go; `pipeline.sources.registry` lists them all.

    recognises(start, name): whether a file is its own, from how its text begins (64 KB at least, where there is as
    much) and the file's name; None: it is not. chats(text): the names of the chats in a text that holds several by
    name, none where it is one chat.
    """

    name: str  # of Layout.source
    app: str  # as people call it
    endings: tuple[str, ...]  # of the texts that it reads, in lower case
    export: str  # what to bring, as in "Bring ..."
    recognises: Callable[[str, str], Evidence | None]
    chats: Callable[[Text], list[str]]
    parse: Parse
