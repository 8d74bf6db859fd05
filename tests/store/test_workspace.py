"""A visitor's folder: private, found by its key alone, purged with everything in it."""

import hashlib
import os
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.errors import ChatError
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


def take(folder: Path, text: str = "canary", name: str = "export.txt") -> Path | None:
    """An upload of this visitor's, from where Gradio puts it to where it is theirs."""
    arrived = write(folder.parents[1] / "uploads" / hashlib.sha256(text.encode()).hexdigest() / name, text)
    return workspace.take_upload(folder, arrived, workspace.identity(folder))


def test_purging_leaves_nothing_of_the_visitor_and_all_of_the_others(tmp_path):
    mine, other = workspace.create(tmp_path), workspace.create(tmp_path)
    write(mine / "chat/deep/er/messages.txt")
    write(other / "chat/messages.txt", "other's")
    take(mine)
    take(other, "other's")
    workspace.sweep_uploads(tmp_path, age=0)
    workspace.purge(mine)
    assert holds(tmp_path, b"canary") == []
    assert not mine.exists()
    assert len(holds(tmp_path, b"other's")) == 2


def test_an_upload_belongs_to_whoever_sent_it(tmp_path):
    mine, other = workspace.create(tmp_path), workspace.create(tmp_path)
    place = take(mine)
    assert workspace.owns_upload(mine, place)
    assert not workspace.owns_upload(other, place)


def test_the_same_file_from_two_visitors_is_two_files(tmp_path):
    mine, other = workspace.create(tmp_path), workspace.create(tmp_path)
    places = [take(folder) for folder in (mine, other)]
    workspace.sweep_uploads(tmp_path, age=0)
    places[0].unlink()
    assert places[1].read_text() == "canary"


@pytest.mark.parametrize("written", ["{}/./{}", "{}//{}", "{}/x/../{}", "{}/../uploads/{}"])
def test_a_path_may_be_written_in_many_ways_and_is_still_somebody_elses(tmp_path, monkeypatch, written):
    mine, other = workspace.create(tmp_path), workspace.create(tmp_path)
    place = take(mine)
    (tmp_path / "uploads/x").mkdir()
    path = Path(written.format(tmp_path / "uploads", place.relative_to(tmp_path / "uploads")))
    monkeypatch.chdir(place.parent)
    for way in (path, Path(place.name)):
        assert workspace.owns_upload(mine, way)
        assert not workspace.owns_upload(other, way)


def test_an_upload_that_ends_after_its_visitor_deleted_all_is_not_kept(tmp_path):
    folder = workspace.create(tmp_path)
    known = workspace.identity(folder)
    arrived = write(tmp_path / "uploads/0a1b/export.txt")
    workspace.purge(folder)
    assert workspace.take_upload(folder, arrived, known) is None
    key = workspace.new_key()
    again = workspace.create(tmp_path, key)
    workspace.purge(again)
    workspace.create(tmp_path, key)  # their page is still open, and makes the folder anew
    assert workspace.take_upload(again, write(tmp_path / "uploads/0a1b/export.txt"), known) is None
    workspace.sweep_uploads(tmp_path, age=0)
    assert holds(tmp_path, b"canary") == []


def test_what_no_visitor_owns_is_swept_but_not_what_is_still_coming(tmp_path):
    folder = workspace.create(tmp_path)
    write(tmp_path / "uploads/tmpcoming", "coming")
    aborted = write(tmp_path / "uploads/tmpaborted")
    of_nobody = write(tmp_path / "uploads/0a1b/export.txt")
    for path in (aborted, of_nobody, of_nobody.parent):
        os.utime(path, (time.time() - 600, time.time() - 600))
    kept = take(folder, "mine")
    os.utime(kept, (time.time() - 600, time.time() - 600))
    workspace.sweep(tmp_path)
    assert holds(tmp_path, b"canary") == []
    assert len(holds(tmp_path, b"coming")) == 1
    assert kept.exists()


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


def test_a_time_in_the_future_does_not_keep_a_workspace_for_good(tmp_path):
    folder = workspace.create(tmp_path)
    age(folder, seen=-400 * 24 * HOUR)
    workspace.sweep(tmp_path)
    assert folder.exists()
    age(folder, seen=time.time() - (folder / "seen").stat().st_mtime + HOUR)
    assert workspace.sweep(tmp_path) == [folder]


def test_one_strange_folder_does_not_keep_the_others_from_being_swept(tmp_path):
    strange, stale = sorted(workspace.create(tmp_path) for _ in range(2))
    for folder in (strange, stale):
        age(folder, seen=HOUR)
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "visitors/0000").symlink_to(outside)
    (tmp_path / "visitors/0001").write_text("no folder")

    def is_busy(folder):
        if folder == strange:
            raise RuntimeError("a file of it cannot be read")
        return False

    assert workspace.sweep(tmp_path, is_busy=is_busy) == [stale]
    assert outside.exists()


def test_a_sweep_beside_a_purge_raises_nothing(tmp_path):
    raised = []

    def run(work, *arguments):
        try:
            work(*arguments)
        except Exception as error:
            raised.append(error)

    for _ in range(60):
        folders = [workspace.create(tmp_path) for _ in range(3)]
        for folder in folders:
            age(folder, seen=HOUR)
            write(folder / "chat/messages.txt")
        work = [(workspace.sweep, tmp_path), *((workspace.purge, folder) for folder in folders)]
        threads = [threading.Thread(target=run, args=one) for one in work]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert raised == []
    assert holds(tmp_path, b"canary") == []


def test_a_home_that_cannot_be_written_in_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # as on a file system that is read-only, even for root
    with pytest.raises(ChatError, match="CHAT_TWIN_HOME"):
        workspace.home(tmp_path)
