"""The learning curve: shares from the end of the chat, and what its points say."""

import shutil
from dataclasses import replace
from datetime import datetime

import pytest

from pipeline.dataset import Row, read_dataset, write_dataset
from pipeline.errors import ChatError
from pipeline.evaluation.learning_curve import (
    SHARES,
    LearningCurvePoint,
    latest,
    learning_curve,
    read_learning_curve,
    replies_in,
    verdict,
)
from pipeline.progress import Progress
from pipeline.prompt import Message
from pipeline.runs.state import write_state

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
    return LearningCurvePoint(
        share=0.5,
        replies=replies,
        bits_per_character=bits,
        base_bits_per_character=1.4,
        ended=1,
        classifier_accuracy=None,
    )


@pytest.mark.parametrize(
    ("bits", "says"),
    [((1.4, 1.3, 1.2), "More messages"), ((1.3, 1.2, 1.199), "Enough"), ((1.3, 1.2, 1.25), "Fewer"), ((1.3,), "One")],
)
def test_the_verdict_follows_the_points(bits, says):
    assert verdict([point(100 * 2**i, b) for i, b in enumerate(bits)]).startswith(says)


@pytest.fixture
def run(tmp_path, tiny_run):
    folder = shutil.copytree(tiny_run, tmp_path / "run")
    write_state(folder, status="done")
    return folder


@pytest.mark.slow
def test_a_curve_goes_on_from_runs_that_are_done_and_ends_with_the_twin_itself(run, tiny_run):
    for share in SHARES:
        part = shutil.copytree(tiny_run, run / "curve" / "runs" / f"{share:.3f}")
        write_state(part, status="done")
    shares = []
    points = learning_curve(run, samples=4, progress=Progress(lambda share, _: shares.append(share)))
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)
    assert points == read_learning_curve(run)
    assert [point.share for point in points] == [*SHARES, 1.0]
    assert [point.replies for point in points] == sorted(point.replies for point in points)
    assert verdict(points)


def test_too_little_to_share_out_is_a_sentence(run):
    dataset = read_dataset(run / "dataset")
    write_dataset(replace(dataset, train=dataset.train[:2]), run / "dataset")
    with pytest.raises(ChatError, match="too small"):
        learning_curve(run)


def test_no_curve_is_no_points(tmp_path):
    assert read_learning_curve(tmp_path) == []
