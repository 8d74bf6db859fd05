"""Sampling is drawn to the person's lengths: of replies, and of the bubbles in them."""

from math import exp, log

import pytest

from pipeline.evaluation.tuning import Shape, next_biases, shape_of

PERSON = Shape(characters=117, bubbles=2.1)


def test_what_has_the_right_shape_is_left_as_it_is():
    assert next_biases((0.7, 0.2), PERSON, PERSON) == pytest.approx((0.7, 0.2))


def test_long_bubbles_raise_both_biases():
    end, bubble = next_biases((0.5, 0.5), Shape(characters=200, bubbles=2.1), PERSON)
    assert end > 0.5
    assert bubble > 0.5


@pytest.mark.parametrize(("bubbles", "ends_sooner"), [(1.5, False), (3.0, True)])
def test_the_number_of_bubbles_decides_between_the_biases(bubbles, ends_sooner):
    characters = PERSON.characters / PERSON.bubbles * bubbles  # bubbles themselves are as long as the person's
    end, bubble = next_biases((0.5, 0.5), Shape(characters, bubbles), PERSON)
    assert (end > bubble) == ends_sooner


@pytest.mark.parametrize(("shorter", "more", "fewer"), [(0.41, 0.77, 1.06), (0.6, 0.5, 1.5), (0.35, 1.0, 0.8)])
def test_a_few_rounds_find_the_shape_of_models_that_answer_otherwise(shorter, more, fewer):
    def write(end: float, bubble: float) -> Shape:
        level, difference = (end + bubble) / 2, end - bubble
        bubbles = 1 + 1.4 * exp(more * level - fewer * difference)
        return Shape(90 * exp(-shorter * level) * bubbles, bubbles)

    biases = (0.8, 0.4)
    for _ in range(4):
        biases = next_biases(biases, write(*biases), PERSON)
    found = write(*biases)
    assert abs(log(found.characters / PERSON.characters)) < 0.07
    assert abs(found.bubbles - PERSON.bubbles) < 0.15


def test_one_bubble_always_and_no_words_at_all_are_bearable():
    end, bubble = next_biases((0.0, 0.0), shape_of(["", ""]), shape_of(["ok", "no"]))
    assert abs(end) < 10
    assert abs(bubble) < 10
