"""A visitor's chat made ready to be counted, kept beside it: measuring takes a while, and every filter asks for it."""

import contextlib
import shutil
import tempfile
from pathlib import Path

from pipeline import analysis
from pipeline.analysis import Prepared
from pipeline.store import ChatFolder
from pipeline.visitors.chat import load_chat
from pipeline.visitors.visitor import Visitor

__all__ = ["measured_chat"]


def measured_chat(visitor: Visitor) -> Prepared | None:
    """The chat as it was measured, measured now if it was not; None without a chat."""
    folder = ChatFolder(visitor.files.chat)
    try:
        read_at = folder.messages.stat().st_mtime_ns
    except OSError:
        return None
    kept = folder.measured(read_at)
    known = analysis.load(kept)
    if known is not None:
        return known
    chat = load_chat(visitor)
    if chat is None:
        return None
    for stale in folder.all_measured():
        shutil.rmtree(stale, ignore_errors=True)
    prepared = analysis.prepare(chat.messages)
    with tempfile.TemporaryDirectory(dir=folder.path, prefix="measuring-") as half:
        analysis.save(prepared, Path(half))
        with contextlib.suppress(OSError):  # another page of the same visitor was faster
            Path(half).rename(kept)
            Path(half).mkdir()
    return prepared
