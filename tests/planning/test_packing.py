"""Which rows go through the model together: the same a step, however many processes and whatever the batch."""

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.planning import count_steps, pack_padded, pack_steps

LENGTHS = st.lists(st.integers(1, 700), min_size=1, max_size=60)


def steps_of(lengths, *, epochs=1.0, tokens_per_batch=512, processes=1, seed=0):
    """The rows of each step, and its batches."""
    batches, per_step = pack_steps(
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


def test_a_row_alone_is_a_batch_of_its_own_and_no_batch_is_for_nothing():
    batches, per_step = pack_steps(
        [100, 90, 80, 30], epochs=1, tokens_per_step=1024, tokens_per_batch=1, processes=1, seed=0
    )
    assert (sorted(map(len, batches)), per_step) == ([1, 1, 1, 1], 4)


@given(LENGTHS, st.sampled_from([0.3, 1.0, 1.5, 3.0]), st.integers(128, 700))
def test_steps_are_counted_without_packing_them(lengths, epochs, tokens_per_step):
    batches, per_step = pack_steps(
        lengths, epochs=epochs, tokens_per_step=tokens_per_step, tokens_per_batch=256, processes=2, seed=0
    )
    assert count_steps(lengths, epochs=epochs, tokens_per_step=tokens_per_step) == len(batches) // per_step


@given(LENGTHS, st.integers(1, 7), st.integers(1, 7), st.integers(1, 3))
def test_a_step_of_padded_rows_is_the_same_in_smaller_batches(lengths, rows_per_step, rows_per_batch, processes):
    def steps_in(size, together):
        batches, per_step = pack_padded(
            lengths, epochs=2, rows_per_step=rows_per_step, rows_per_batch=size, processes=together, seed=0
        )
        assert all(len(batch) <= size for batch in batches)
        steps = [batches[at : at + per_step] for at in range(0, len(batches), per_step)]
        return [sorted(row for batch in step for row in batch) for step in steps]

    assert steps_in(rows_per_batch, processes) == steps_in(rows_per_step, 1)
