"""What the app keeps of its visitors: a folder each."""

from pipeline.store.files import Entry, Folder, is_locked, locked, replace_text
from pipeline.store.folders import ChatFolder, HomeFolder, VisitorFolder, workspace_of
from pipeline.store.workspace import (
    Keep,
    add_upload,
    create,
    find,
    home,
    is_expired,
    new_key,
    owns_upload,
    purge,
    sweep,
    touch,
)

__all__ = [
    "ChatFolder",
    "Entry",
    "Folder",
    "HomeFolder",
    "Keep",
    "VisitorFolder",
    "add_upload",
    "create",
    "find",
    "home",
    "is_expired",
    "is_locked",
    "locked",
    "new_key",
    "owns_upload",
    "purge",
    "replace_text",
    "sweep",
    "touch",
    "workspace_of",
]
