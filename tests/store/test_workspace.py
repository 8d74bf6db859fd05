"""A visitor's folder: private, found by its key alone, purged with everything in it."""

import os
import time
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.store import workspace
from pipeline.store.workspace import Keep

HOUR = 3600.0


def write(path: Path, text: str = "canary") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def age(folder: Path, *, seen: float, active: float | None = None) -> None:
    """Make the last visit so many seconds old."""
    now = time.time()
    os.utime(folder / "seen", (now - seen, now - seen))
    os.utime(folder / "active", (now - (active or seen), now - (active or seen)))


def holds(root: Path, canary: bytes) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file() and canary in path.read_bytes()]


def test_a_workspace_is_for_its_owner_alone(tmp_path):
    folder = workspace.create(tmp_path)
    for path in (folder, folder.parent, tmp_path):
        assert path.stat().st_mode & 0o777 == 0o700


def test_two_workspaces_differ_and_no_name_gives_a_key_away(tmp_path):
    keys = [workspace.new_key() for _ in range(50)]
    names = {workspace.create(tmp_path, key).name for key in keys}
    assert len(names) == 50
    assert not any(key in name or name in key for key in keys for name in names)
    assert all(len(name) >= 40 for name in names)


def test_a_key_finds_its_workspace_again(tmp_path):
    key = workspace.new_key()
    folder = workspace.create(tmp_path, key)
    write(folder / "chat/messages.txt")
    assert workspace.create(tmp_path, key) == folder == workspace.find(key, tmp_path)
    assert (folder / "chat/messages.txt").exists()


def test_a_folder_open_to_others_is_closed(tmp_path):
    root = tmp_path / "home"
    root.mkdir(mode=0o755)
    workspace.create(root)
    assert root.stat().st_mode & 0o077 == 0


def test_a_link_put_in_place_of_the_home_is_refused(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "home").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PermissionError):
        workspace.create(tmp_path / "home")


def test_purging_leaves_nothing_of_the_visitor_and_all_of_the_others(tmp_path):
    mine, other = workspace.create(tmp_path), workspace.create(tmp_path)
    write(mine / "chat/deep/er/messages.txt")
    write(other / "chat/messages.txt", "other's")
    upload = write(tmp_path / "uploads/0a1b/export.txt")
    theirs = write(tmp_path / "uploads/2c3d/export.txt", "other's")
    workspace.add_upload(mine, upload)
    workspace.add_upload(other, theirs)
    workspace.purge(mine)
    assert holds(tmp_path, b"canary") == []
    assert not mine.exists()
    assert len(holds(tmp_path, b"other's")) == 2


def test_an_upload_belongs_to_whoever_sent_it(tmp_path):
    mine, other = workspace.create(tmp_path), workspace.create(tmp_path)
    upload = tmp_path / "uploads/0a1b/export.txt"
    workspace.add_upload(mine, upload)
    assert workspace.owns_upload(mine, upload)
    assert not workspace.owns_upload(other, upload)


def test_a_listed_upload_outside_the_uploads_is_left_alone(tmp_path):
    root = tmp_path / "home"
    folder = workspace.create(root)
    outside = write(tmp_path / "precious.txt")
    workspace.add_upload(folder, outside)
    workspace.add_upload(folder, root / "uploads/../../precious.txt")
    workspace.purge(folder)
    assert outside.exists()


def test_only_a_workspace_can_be_purged(tmp_path):
    with pytest.raises(ValueError, match="workspace"):
        workspace.purge(tmp_path)


@pytest.mark.parametrize(
    ("seen", "active", "has_run", "expired"),
    [
        (60, 60, False, False),
        (16 * 60, 16 * 60, False, True),  # the page was closed
        (16 * 60, 16 * 60, True, False),  # ... but a twin lies there
        (3 * HOUR, 3 * HOUR, True, True),
        (5, 11 * HOUR, False, False),  # open, and not used
        (5, 13 * HOUR, False, True),
    ],
)
def test_a_workspace_outlives_its_page_by_a_grace(tmp_path, seen, active, has_run, expired):
    folder = workspace.create(tmp_path)
    if has_run:
        write(folder / "runs/one/state.json", "{}")
    age(folder, seen=seen, active=active)
    assert workspace.is_expired(folder, Keep()) is expired


def test_a_sweep_purges_the_expired_but_not_what_trains(tmp_path):
    fresh, stale, training = (workspace.create(tmp_path) for _ in range(3))
    for folder in (stale, training):
        age(folder, seen=HOUR)
    write(training / "pid")
    purged = workspace.sweep(tmp_path, Keep(), is_busy=lambda folder: (folder / "pid").exists())
    assert purged == [stale]
    assert fresh.exists()
    assert training.exists()
    assert not stale.exists()


def test_a_sweep_finishes_what_a_crash_left_half_purged(tmp_path):
    workspace.create(tmp_path)
    write(tmp_path / "visitors" / f"{workspace.GONE}abc" / "chat/messages.txt")
    workspace.sweep(tmp_path)
    assert holds(tmp_path, b"canary") == []


def test_a_visit_renews_the_grace(tmp_path):
    folder = workspace.create(tmp_path)
    age(folder, seen=HOUR)
    workspace.touch(folder)
    assert not workspace.is_expired(folder, Keep(closed=timedelta(minutes=1)))


def test_a_page_that_is_only_open_does_not_count_as_used(tmp_path):
    folder = workspace.create(tmp_path)
    age(folder, seen=20 * HOUR)
    workspace.touch(folder, active=False)
    assert workspace.is_expired(folder, Keep())


def test_a_visit_does_not_bring_a_purged_folder_back(tmp_path):
    folder = workspace.create(tmp_path)
    workspace.purge(folder)
    with pytest.raises(OSError, match="No such file"):
        workspace.touch(folder)
    assert not folder.exists()
