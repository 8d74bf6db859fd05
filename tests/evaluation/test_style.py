"""Style distance: nothing between the same, something between strangers, and each part sees what it is for."""

from collections import Counter

import pytest

from pipeline.evaluation.style import jensen_shannon, style_distance

PLAIN = ["yeah ok then", "i went home", "what about you", "nah not today", "see you later"] * 10


def test_a_set_is_no_distance_from_itself():
    assert style_distance(PLAIN, PLAIN).overall == 0


def test_the_distance_goes_both_ways_and_stays_between_0_and_1():
    other = [text.upper() + "!!! 😀" for text in PLAIN]
    there, back = style_distance(PLAIN, other), style_distance(other, PLAIN)
    assert there.overall == pytest.approx(back.overall)
    assert 0 < there.overall <= 1


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        (lambda text: text.upper(), "capitals"),
        (lambda text: text + ".", "punctuation"),
        (lambda text: text + " 😀", "emoji"),
        (lambda text: f"{text}\n{text}", "bubbles"),
        (lambda text: f"{text} {text} {text} {text}", "length"),
        (lambda _: "indeed whatever one says", "vocabulary"),
    ],
)
def test_each_part_sees_its_own_change(change, seen):
    assert getattr(style_distance(PLAIN, [change(text) for text in PLAIN]), seen) > 0.2


def test_jensen_shannon_of_nothing_in_common_is_one():
    assert jensen_shannon(Counter("aa"), Counter("b")) == pytest.approx(1)
    assert jensen_shannon(Counter(), Counter("b")) == 1
    assert jensen_shannon(Counter(), Counter()) == 0
