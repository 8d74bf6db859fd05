"""What the app keeps of its visitors: a folder each."""

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
