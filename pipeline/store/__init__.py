"""What the app keeps of its visitors, a folder each, and how much anybody may ask for."""

from pipeline.store import workspace
from pipeline.store.files import Entry, Folder, is_locked, locked, replace_text
from pipeline.store.folders import ChatFolder, HomeFolder, VisitorFolder, workspace_of
from pipeline.store.limits import HOME, SHARED, Limit, Limits, hosts, is_share_link, is_shared, limits, on_space
from pipeline.store.residue import clear_residue
from pipeline.store.workspace import (
    Keep,
    create,
    find,
    home,
    identity,
    is_expired,
    need_disk,
    new_key,
    owns_upload,
    purge,
    size,
    sweep,
    sweep_uploads,
    take_upload,
    touch,
)

__all__ = [
    "HOME",
    "SHARED",
    "ChatFolder",
    "Entry",
    "Folder",
    "HomeFolder",
    "Keep",
    "Limit",
    "Limits",
    "VisitorFolder",
    "clear_residue",
    "create",
    "find",
    "home",
    "hosts",
    "identity",
    "is_expired",
    "is_locked",
    "is_share_link",
    "is_shared",
    "limits",
    "locked",
    "need_disk",
    "new_key",
    "on_space",
    "owns_upload",
    "purge",
    "replace_text",
    "size",
    "sweep",
    "sweep_uploads",
    "take_upload",
    "touch",
    "workspace",
    "workspace_of",
]
