"""The learning curve: shares from the end of the chat, and what its points say."""

from datetime import datetime

import pytest

from pipeline.dataset import Row
from pipeline.evaluation.curve import CurvePoint, latest, read_curve, replies_in, verdict
from pipeline.prompt import Message

ROWS = [
    Row(
        [Message(role="user", content="a"), Message(role="assistant", content="b")] * replies,
        number,
        datetime(2024, 1, 1 + number),
        1,
        10,
    )
    for number, replies in enumerate([4, 2, 1, 1])
]


def test_a_share_is_of_replies_and_of_the_latest_ones():
    assert [replies_in(row) for row in ROWS] == [4, 2, 1, 1]
    assert latest(ROWS, 1) == ROWS
    assert latest(ROWS, 0.5) == ROWS[1:]
    assert latest(ROWS, 0.25) == ROWS[2:]


def point(replies, bits):
    return CurvePoint(
        share=0.5, replies=replies, bits_per_character=bits, base_bits_per_character=1.4, ended=1, told=None
    )


@pytest.mark.parametrize(
    ("bits", "says"),
    [((1.4, 1.3, 1.2), "More messages"), ((1.3, 1.2, 1.199), "Enough"), ((1.3, 1.2, 1.25), "Fewer"), ((1.3,), "One")],
)
def test_the_verdict_follows_the_points(bits, says):
    assert verdict([point(100 * 2**i, b) for i, b in enumerate(bits)]).startswith(says)


def test_no_curve_is_no_points(tmp_path):
    assert read_curve(tmp_path) == []
