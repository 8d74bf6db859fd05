"""Relevance: what a context helps, and whether the true reply fits best."""

from itertools import pairwise

import numpy as np
import pytest

from pipeline.evaluation.relevance import BLOCK, blocks_of, judge


def flat(losses):
    return losses.reshape(-1).tolist(), [10] * losses.size


def test_a_twin_that_reads_the_context_is_seen():
    losses = 20 - 5 * np.eye(BLOCK)
    found = judge(*flat(losses))
    assert found.gain == pytest.approx(0.5)
    assert (found.first, found.mean_rank) == (1, 1)


def test_a_parrot_of_the_style_gains_nothing():
    losses = np.tile(np.linspace(5, 40, BLOCK), (BLOCK, 1))  # some replies are likely, under any context
    found = judge(*flat(losses))
    assert found.gain == pytest.approx(0)
    assert (found.first, found.mean_rank) == (0, 4.5)
    noisy = losses + np.random.default_rng(0).normal(0, 1, losses.shape)
    assert abs(judge(*flat(noisy)).gain) < 0.1


def test_a_shuffled_context_is_noticed():
    losses = 20 - 5 * np.roll(np.eye(BLOCK), 1, axis=1)
    found = judge(*flat(losses))
    assert found.gain < 0
    assert found.first == 0


def test_likely_replies_do_not_win_everywhere():
    losses = np.tile(np.linspace(5, 40, BLOCK), (BLOCK, 1)) - 2 * np.eye(BLOCK)
    assert judge(*flat(losses)).first == 1


@pytest.mark.parametrize("count", [0, 7, 8, 20, 103, 1000])
def test_blocks_are_of_different_moments_far_apart(count):
    blocks = blocks_of(count, 40)
    assert len(blocks) == min(40, count) // BLOCK
    for block in blocks:
        assert len(set(block)) == BLOCK
        assert max(block) < count
        assert min(b - a for a, b in pairwise(block)) == count // BLOCK
    assert len({tuple(block) for block in blocks}) == len(blocks)
