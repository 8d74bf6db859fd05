"""Which rows go through the model together: the same a step, however many processes and whatever the batch."""

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.training.data import plan_steps

LENGTHS = st.lists(st.integers(1, 700), min_size=1, max_size=60)


def steps_of(lengths, *, epochs=1.0, tokens_per_batch=512, processes=1, seed=0):
    """The rows of each step, and its batches."""
    batches, per_step = plan_steps(
        lengths, epochs=epochs, tokens_per_step=512, tokens_per_batch=tokens_per_batch, processes=processes, seed=seed
    )
    assert per_step % processes == 0
    assert len(batches) % per_step == 0
    steps = [batches[at : at + per_step] for at in range(0, len(batches), per_step)]
    return [sorted(row for batch in step for row in batch) for step in steps], batches


@settings(max_examples=60)
@given(LENGTHS, st.sampled_from([1, 2, 3, 8]), st.sampled_from([128, 300, 4096]), st.integers(0, 3))
def test_a_step_takes_the_same_rows_on_any_machine(lengths, processes, tokens_per_batch, seed):
    alone, _ = steps_of(lengths, epochs=1.5, seed=seed)
    other, batches = steps_of(lengths, epochs=1.5, tokens_per_batch=tokens_per_batch, processes=processes, seed=seed)
    assert other == alone
    for batch in batches:
        assert len(batch) <= 1 or sum(lengths[row] for row in batch) <= tokens_per_batch * 1.05


@given(LENGTHS)
def test_an_epoch_takes_each_row_once(lengths):
    steps, batches = steps_of(lengths, processes=2)
    assert sorted(row for step in steps for row in step) == list(range(len(lengths)))
    assert sorted(row for batch in batches for row in batch) == list(range(len(lengths)))


def test_epochs_differ_in_order_and_seeds_too():
    lengths = list(range(20, 80))
    twice, _ = steps_of(lengths, epochs=2.0)
    half = len(twice) // 2
    assert twice[:half] != twice[half:]
    assert steps_of(lengths, seed=1)[0] != twice[:half]
