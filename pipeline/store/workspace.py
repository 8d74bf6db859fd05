"""A visitor's own folder: made, found again by a secret key, expired, purged.

    home()/
      uploads/              what browsers send, before it is read (wiped at every start)
      visitors/<name>/      one visitor; <name> is a hash of their key, so that a path never gives the key away
        seen, active        empty files; their times say when a page was last open, and last used
        uploads.txt         the uploaded files that are this visitor's
        chat/ dataset/ runs/ ...

Nothing is kept in memory: a restarted app finds every folder by the key that the visitor's browser holds.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pipeline.store.folders import HomeFolder, VisitorFolder

__all__ = [
    "Keep",
    "add_upload",
    "create",
    "find",
    "home",
    "is_expired",
    "new_key",
    "owns_upload",
    "purge",
    "sweep",
    "touch",
]

GONE = ".gone-"


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

    Raises PermissionError if the folder belongs to another user.
    """
    chosen = path or (Path(os.environ["CHAT_TWIN_HOME"]) if os.environ.get("CHAT_TWIN_HOME") else None)
    places = [chosen] if chosen else [Path.home() / ".local/share/chat-twin", _temporary_home()]
    for place in places:
        try:
            return _private(place)
        except OSError:
            if place == places[-1]:
                raise
    raise AssertionError("unreachable")


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
    if not (folder / "active").exists():
        touch(folder)
    return folder


def touch(folder: Path, *, active: bool = True) -> None:
    """Say that the visitor's page is open (and, with `active`, that something was done on it) now."""
    for name in ("seen", "active") if active else ("seen",):
        (folder / name).touch(mode=0o600)


def add_upload(folder: Path, path: Path) -> None:
    """Note that an uploaded file is this visitor's: nobody else may pass it in, and purge() deletes it."""
    with open(folder / "uploads.txt", "a", encoding="utf-8", opener=lambda p, f: os.open(p, f, 0o600)) as file:
        file.write(f"{path}\n")


def owns_upload(folder: Path, path: Path) -> bool:
    """Whether this visitor uploaded the file at `path`."""
    return str(path) in _uploads(folder)


def is_expired(folder: Path, keep: Keep, now: float | None = None) -> bool:
    """Whether nobody has been there for as long as `keep` allows (`now` in seconds since the epoch)."""
    now = time.time() if now is None else now
    has_run = any(VisitorFolder(folder).runs.glob("*"))
    closed = (keep.with_run if has_run else keep.closed).total_seconds()
    return now - _when(folder / "seen") > closed or now - _when(folder / "active") > max(
        closed, keep.idle.total_seconds()
    )


def purge(folder: Path) -> None:
    """Delete a workspace and the visitor's uploads; from the first moment on nobody finds it under its name.

    A worker that still writes inside is outlived: the folder is deleted again until it is gone (a second at most).
    Raises ValueError if `folder` is not a workspace.
    """
    if folder.parent.name != HomeFolder.visitors.name or folder.is_symlink():
        raise ValueError("Only a workspace can be purged.")
    uploads = folder.parent.parent / "uploads"
    for name in _uploads(folder):
        path = Path(name)
        if path.is_relative_to(uploads) and ".." not in path.parts:
            shutil.rmtree(path.parent, ignore_errors=True) if path.parent != uploads else path.unlink(missing_ok=True)
    if not folder.exists():
        return
    gone = folder.with_name(GONE + secrets.token_hex(16))
    folder.rename(gone)
    _remove(gone)


def sweep(
    root: Path | None = None, keep: Keep | None = None, is_busy: Callable[[Path], bool] = lambda _: False
) -> list[Path]:
    """Purge every expired workspace in which nothing trains (`is_busy`), and what a crash left half purged.

    Returns where the purged ones were.
    """
    visitors = _private(HomeFolder(home(root)).visitors)
    purged = []
    for folder in sorted(visitors.iterdir()):
        if folder.name.startswith(GONE):
            _remove(folder)
        elif is_expired(folder, keep or Keep()) and not is_busy(folder):
            purge(folder)
            purged.append(folder)
    return purged


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


def _uploads(folder: Path) -> set[str]:
    try:
        return set((folder / "uploads.txt").read_text(encoding="utf-8").splitlines())
    except OSError:
        return set()


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
