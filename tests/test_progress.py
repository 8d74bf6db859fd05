"""One bar from end to end: parts lie behind one another, the share never falls, and a cancelled task ends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import ChatError
from pipeline.progress import CancelledError, Progress


def seen_by(task):
    shown = []
    task(Progress(lambda share, what: shown.append((round(share, 6), what))))
    return shown


def test_the_share_is_of_how_much_there_is():
    assert seen_by(lambda progress: progress(3, 12, "Reading")) == [(0.25, "Reading")]
    assert seen_by(lambda progress: progress(0, 0)) == [(1.0, "")]


def test_parts_follow_one_another_and_nest():
    def task(progress):
        first, second = progress.part(0.5), progress.part(0.5)
        first(1, 2, "one")
        inner = second.part(0.5)
        inner(1)
        second.part(0.5)(1, 2)

    assert seen_by(task) == [(0.25, "one"), (0.75, "one"), (0.875, "one")]


def test_a_part_with_a_name_is_shown_under_it():
    def task(progress):
        progress.part(0.5, "Outer")(1, 2, "inner")
        progress.part(0.5)(1, 2, "inner")

    assert seen_by(task) == [(0.25, "Outer"), (0.75, "inner")]


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(0, 1)), max_size=30))
def test_the_share_never_falls_and_never_leaves_the_bar(told):
    def task(progress):
        parts = [progress.part(0.4), progress.part(0.4), progress.part(0.4), progress]
        for part, share in told:
            parts[part](share)

    shares = [share for share, _ in seen_by(task)]
    assert shares == sorted(shares)
    assert all(0 <= share <= 1 for share in shares)


def test_a_cancelled_task_ends_where_it_tells():
    cancelled = []
    progress = Progress(cancelled_by=lambda: bool(cancelled))
    part = progress.part(0.5)
    part(0.5)
    cancelled.append(True)
    assert part.cancelled
    with pytest.raises(CancelledError):
        part(0.6)
    assert issubclass(CancelledError, ChatError)
