"""Times in words, and the loss curve for runs at every stage."""

import xml.etree.ElementTree as ElementTree

import pytest

from pipeline.charts.loss_curve import loss_curve
from web.words import count, duration, time_left


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (1, "5 seconds"),
        (42, "40 seconds"),
        (61, "1 minute"),
        (170, "3 minutes"),
        (4800, "80 minutes"),
        (7200, "2 hours"),
        (7800, "2 hours 10 minutes"),
    ],
)
def test_durations_are_said_as_people_do(seconds, words):
    assert duration(seconds) == words


def test_what_is_not_known_is_said():
    assert "measuring" in time_left(None)
    assert time_left(170) == "about 3 minutes left"


def test_one_is_singular():
    assert count(1, "reply", "replies") == "1 reply"
    assert count(2866, "message") == "2,866 messages"


@pytest.mark.parametrize("steps", [0, 1, 2, 5000])
def test_a_curve_is_drawn_inside_its_frame_at_every_stage(steps):
    train = [(step, 4 - step / max(steps, 1)) for step in range(1, steps + 1)]
    svg = ElementTree.fromstring(loss_curve(train, [(step, 3.5) for step in range(1, steps, 1000)], steps, 3.8))
    points = [pair.split(",") for line in svg.iter("polyline") for pair in line.attrib["points"].split()]
    assert all(0 <= float(x) <= 560 and 0 <= float(y) <= 300 for x, y in points)
    assert len(points) < 2000
