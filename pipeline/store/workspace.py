"""A visitor's own folder: made, found again by a secret key, expired, purged.

    home()/
      uploads/              what browsers send, while it is on its way (wiped at every start)
        <name>/<random>/    what has arrived and is this visitor's
      visitors/<name>/      one visitor; <name> is a hash of their key, so that a path never gives the key away
        identity            a random word that says which one this is, should it be deleted and made again
        seen, active        empty files; their times say when a page was last open, and last used
        chat/ dataset/ runs/ ...

Nothing is kept in memory: a restarted app finds every folder by the key that the visitor's browser holds.
"""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pipeline.errors import ChatError
from pipeline.store.folders import HomeFolder, VisitorFolder
from pipeline.store.limits import limits

__all__ = [
    "Keep",
    "create",
    "find",
    "home",
    "identity",
    "is_expired",
    "need_disk",
    "new_key",
    "owns_upload",
    "purge",
    "size",
    "sweep",
    "sweep_uploads",
    "take_upload",
    "touch",
]

log = logging.getLogger("chat_twin")
GONE = ".gone-"
ON_ITS_WAY = 120.0  # seconds; a file that nobody wrote to for longer is no upload that is still coming
SKEW = 60.0  # seconds that a clock may be off; a time further ahead is taken for now


@dataclass(frozen=True)
class Keep:
    """How long a workspace outlives its visitor: since the page closed, and since anything was done on an open page.

    `with_run` replaces `closed` where a training run lies in the folder, so that leaving the page does not cost a twin.
    """

    closed: timedelta = timedelta(minutes=15)
    with_run: timedelta = timedelta(hours=2)
    idle: timedelta = timedelta(hours=12)


def home(path: Path | None = None) -> Path:
    """The folder over all (0700): `path`, else CHAT_TWIN_HOME, else the user's data folder, else a temporary

    Raises PermissionError if the folder belongs to another user, ChatError if nothing can be written in it.
    """
    chosen = path or (Path(os.environ["CHAT_TWIN_HOME"]) if os.environ.get("CHAT_TWIN_HOME") else None)
    places = [chosen] if chosen else [Path.home() / ".local/share/chat-twin", _temporary_home()]
    for place in places:
        try:
            folder = _private(place)
        except OSError:
            if place == places[-1]:
                raise
            continue
        if os.access(folder, os.W_OK):
            return folder
    raise ChatError(f"Nothing can be written in {places[-1]}: set CHAT_TWIN_HOME to a folder that is yours.")


def new_key() -> str:
    """A secret of 256 bits that opens one workspace; the visitor's browser keeps it, the server does not."""
    return secrets.token_urlsafe(32)


def find(key: str, root: Path | None = None) -> Path:
    """Where the workspace of `key` lies, whether or not it exists."""
    return HomeFolder(home(root)).visitors / hashlib.sha256(key.encode()).hexdigest()[:40]


def create(root: Path | None = None, key: str | None = None) -> Path:
    """Make (or find again) the workspace of `key`, a new key if none is given; the folder is 0700."""
    folder = find(key or new_key(), root)
    _private(folder.parent)
    _private(folder)
    if not VisitorFolder(folder).active.exists():
        touch(folder)
    with suppress(FileExistsError), open(VisitorFolder(folder).identity, "x", encoding="ascii", opener=_for_us) as file:
        file.write(secrets.token_hex(8))
    return folder


def touch(folder: Path, *, active: bool = True) -> None:
    """Say that the visitor's page is open (and, with `active`, that something was done on it) now."""
    place = VisitorFolder(folder)
    for path in (place.seen, place.active) if active else (place.seen,):
        path.touch(mode=0o600)


def identity(folder: Path) -> str | None:
    """What tells this workspace from one that is made later under the same key; None where there is none."""
    try:
        return VisitorFolder(folder).identity.read_text("ascii") or None
    except OSError:
        return None


def take_upload(folder: Path, path: Path, known: str | None) -> Path | None:
    """Put a file that has arrived among this visitor's: where it lies now. Nobody else may pass it in.

    Two visitors may send the same file under one path at once, so that stays for sweep_uploads(). known: the
    workspace's identity when the upload began. If it was deleted since, nothing is kept: None.
    """
    place = _uploads(folder) / secrets.token_hex(8) / path.name
    try:
        place.parent.mkdir(mode=0o700, parents=True)
        try:
            os.link(path, place)
        except OSError:  # a file system without hard links
            path.rename(place)
    except OSError:
        return None
    if known is None or identity(folder) != known:
        shutil.rmtree(_uploads(folder) if identity(folder) is None else place.parent, ignore_errors=True)
        return None
    return place


def owns_upload(folder: Path, path: Path) -> bool:
    """Whether this visitor uploaded the file at `path`, however it is written."""
    try:
        place = path.resolve(strict=True)
        return place.is_file() and place.is_relative_to(_uploads(folder).resolve())
    except (OSError, ValueError):
        return False


def need_disk(folder: Path, extra: int = 0) -> None:
    """Raise ChatError where `extra` more bytes would leave too little of the disk that the folder lies on."""
    if shutil.disk_usage(folder).free - extra < limits().free_bytes.most:
        raise ChatError(str(limits().free_bytes))


def size(folder: Path) -> int:
    """Bytes of all files in a folder."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(place, name)).st_size
            except OSError:
                continue  # gone meanwhile
    return total


def is_expired(folder: Path, keep: Keep, now: float | None = None) -> bool:
    """Whether nobody has been there for as long as `keep` allows (`now` in seconds since the epoch)."""
    now = time.time() if now is None else now
    has_run = any(VisitorFolder(folder).runs.glob("*"))
    closed = (keep.with_run if has_run else keep.closed).total_seconds()
    return now - _when(VisitorFolder(folder).seen) > closed or now - _when(VisitorFolder(folder).active) > max(
        closed, keep.idle.total_seconds()
    )


def purge(folder: Path) -> None:
    """Delete a workspace and the visitor's uploads; from the first moment on nobody finds it under its name.

    A worker that still writes inside is outlived: the folder is deleted again until it is gone (a second at most).
    Raises ValueError if `folder` is not a workspace.
    """
    if folder.parent.name != HomeFolder.visitors.name or folder.is_symlink():
        raise ValueError("Only a workspace can be purged.")
    gone = folder.with_name(GONE + secrets.token_hex(16))
    try:
        folder.rename(gone)
    except FileNotFoundError:  # there is none, or somebody else purges it
        pass
    else:
        _remove(gone)
    shutil.rmtree(_uploads(folder), ignore_errors=True)


def sweep(
    root: Path | None = None, keep: Keep | None = None, is_busy: Callable[[Path], bool] = lambda _: False
) -> list[Path]:
    """Purge every expired workspace in which nothing trains (`is_busy`), and what a crash left half purged.

    Whatever is wrong with one folder, the others are swept. Returns where the purged ones were.
    """
    visitors = _private(HomeFolder(home(root)).visitors)
    purged = []
    for folder in sorted(visitors.iterdir()):
        try:
            if _is_swept(folder, keep or Keep(), is_busy):
                purged.append(folder)
        except Exception as error:
            log.error("A workspace could not be swept: %s", type(error).__name__)
    sweep_uploads(root)
    return purged


def _is_swept(folder: Path, keep: Keep, is_busy: Callable[[Path], bool]) -> bool:
    """Sweep one entry of the visitors' folder; whether a workspace was purged."""
    if folder.is_symlink() or not folder.is_dir():
        return False
    if folder.name.startswith(GONE):
        _remove(folder)
        return False
    for path in (VisitorFolder(folder).seen, VisitorFolder(folder).active):
        if _when(path) > time.time() + SKEW:
            os.utime(path)
    if not is_expired(folder, keep) or is_busy(folder):
        return False
    purge(folder)
    return True


def sweep_uploads(root: Path | None = None, age: float = ON_ITS_WAY) -> None:
    """Delete what lies among the uploads and is no visitor's: aborted, of a deleted workspace, of nobody.

    age: seconds since somebody wrote to it, so that what is still on its way stays.
    """
    owners = {folder.name for folder in (HomeFolder(home(root)).visitors).glob("*")}
    now = time.time()
    for place in HomeFolder(home(root)).uploads.glob("*"):
        if place.name not in owners and not -SKEW < now - _newest(place) < age:
            place.unlink(missing_ok=True) if not place.is_dir() else shutil.rmtree(place, ignore_errors=True)


def _for_us(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _temporary_home() -> Path:
    user = os.getuid() if hasattr(os, "getuid") else "user"
    return Path(tempfile.gettempdir()) / f"chat-twin-{user}"


def _private(folder: Path) -> Path:
    """Make the folder, for this user alone; refuse one that somebody else has put there."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.is_symlink() or (hasattr(os, "getuid") and folder.stat().st_uid != os.getuid()):
        raise PermissionError(f"{folder} belongs to another user.")
    if folder.stat().st_mode & 0o077:
        folder.chmod(0o700)
    return folder


def _uploads(folder: Path) -> Path:
    """Where the uploads of this visitor lie."""
    return HomeFolder(folder.parent.parent).uploads / folder.name


def _newest(path: Path) -> float:
    """When this file, or any file in this folder, was last written to."""
    return max([_when(path), *map(_when, path.rglob("*"))]) if path.is_dir() else _when(path)


def _when(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _remove(folder: Path) -> None:
    for _ in range(20):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.05)
