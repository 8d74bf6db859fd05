"""A reply's bubbles in the person's rhythm: whole, in order, each in its time; by a clock of the test's own."""

import itertools

import pytest

from pipeline.chat import Pace, PartialReply
from pipeline.chat.rhythm import IN_ALL, LONGEST
from pipeline.dataset import Rhythm

EVEN = Rhythm(pause=1, per_character=0.1, spread=0)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


def seen(pace, clock):
    """(seconds from here, text) of all that is still to come, as whoever sleeps would show it."""
    start, found = clock.now, []
    for text, pause in pace.rest():
        clock.now += pause
        found.append((round(clock.now - start, 2), text))
    return found


def soft(seconds: float) -> float:
    return round(LONGEST * seconds / (LONGEST + seconds), 2)


def test_a_bubble_is_seen_when_it_is_whole_and_its_time_has_come(clock):
    pace = Pace(EVEN, clock=clock)
    assert pace.grow(PartialReply("hel")) == ""
    assert pace.grow(PartialReply("hello\nyo")) == ""
    clock.now += 0.5
    assert pace.grow(PartialReply("hello\nyou")) == "hello"
    assert pace.grow(PartialReply("hello\nyou", "end_of_turn")) == "hello"
    assert seen(pace, clock) == [(pytest.approx(soft(0.5) + soft(1.3) - 0.5, abs=0.02), "hello\nyou")]


def test_the_time_that_the_model_took_counts(clock):
    pace = Pace(EVEN, clock=clock)
    clock.now += 60
    assert pace.grow(PartialReply("a\nb", "end_of_turn")) == "a"
    assert seen(pace, clock) == [(soft(1.1), "a\nb")]


def test_nobody_waits_for_ever(clock):
    slow = Rhythm(pause=50, per_character=0.5, spread=1)
    pace = Pace(slow, clock=clock)
    assert pace.grow(PartialReply("\n".join(["x" * 300] * 30), "end_of_turn")) == ""
    times = [0.0, *(at for at, _ in seen(pace, clock))]
    waits = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert max(waits) < LONGEST
    assert times[-1] == pytest.approx(IN_ALL, abs=0.1)
    assert len(waits) == 30


def test_somebody_quicker_is_quicker(clock):
    def whole(rhythm):
        pace = Pace(rhythm, clock=clock)
        pace.grow(PartialReply("ok\nwhat about tomorrow then\nsure", "end_of_turn"))
        return seen(pace, clock)[-1][0]

    assert whole(Rhythm(pause=1, per_character=0.05, spread=0)) < 0.7 * whole(
        Rhythm(pause=4, per_character=0.2, spread=0)
    )


def test_a_reply_that_was_cut_shorter_at_its_end_shows_no_more_than_it_is(clock):
    pace = Pace(EVEN, clock=clock)
    pace.grow(PartialReply("a\nb\nc"))
    pace.grow(PartialReply("a", "stop_sequence"))
    assert [text for _, text in seen(pace, clock)] == ["a"]
    assert [text for _, text in seen(Pace(EVEN, clock=clock), clock)] == []
