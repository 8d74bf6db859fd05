"""Folders whose files are named in one place each, files that are never half written, and locks."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import overload

from pipeline.errors import ChatError

__all__ = ["Entry", "Folder", "is_locked", "locked", "replace_text"]


@dataclass(frozen=True)
class Folder:
    """A folder with a layout of its own; what may lie in it are its class's `Entry`s, and nobody else spells those."""

    path: Path


class Entry:
    """What a `Folder` calls one of its files or folders; of a folder it is the path."""

    def __init__(self, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, folder: None, owner: type[Folder]) -> Entry: ...

    @overload
    def __get__(self, folder: Folder, owner: type[Folder]) -> Path: ...

    def __get__(self, folder: Folder | None, owner: type[Folder]) -> Entry | Path:
        return self if folder is None else folder.path / self.name


def replace_text(path: Path, text: str) -> None:
    """Write a file so that a reader sees the old text or the new, never half of one."""
    descriptor, scratch = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.replace(scratch, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(scratch)
        raise


@contextlib.contextmanager
def locked(path: Path, refusal: str = "") -> Iterator[None]:
    """Hold a lock file (made where it is not), against this process's other threads too.

    While another holds it: waits, or raises ChatError where there is a `refusal`.
    """
    from filelock import FileLock, Timeout

    try:
        with FileLock(path, mode=0o600, blocking=not refusal):
            yield
    except Timeout:
        raise ChatError(refusal) from None


def is_locked(path: Path) -> bool:
    """Whether a process holds this lock file. To look is to share it for a moment: whoever takes it tries twice."""
    import fcntl

    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
