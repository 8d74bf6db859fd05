"""Which rows go through the model together: a step's rows, and the batches that it takes them in.

Attention never crosses from one row to the next, so how rows are packed changes what a step costs, not what it learns.
"""

import functools
import heapq
import random
from collections.abc import Sequence
from math import ceil

__all__ = ["count_steps", "pack_padded", "pack_steps"]


def pack_steps(
    lengths: Sequence[int], *, epochs: float, tokens_per_step: int, tokens_per_batch: int, processes: int, seed: int
) -> tuple[list[list[int]], int]:
    """(batches, batches a step): which rows (by index) go through the model together, for all epochs in order.

    What a step learns from depends on the rows, `tokens_per_step` and the seed alone: so a run can go on with more or
    fewer processes, or a smaller batch. Every epoch takes each row once. A step's rows are dealt out to batches of like
    size, of `tokens_per_batch` tokens and a twentieth at most (a longer row goes alone); their number is a multiple of
    `processes`. A batch is empty where a step has fewer rows than that.
    """
    steps: list[list[int]] = []
    for epoch, taken in enumerate(_epochs(_steps_an_epoch(tuple(lengths), tokens_per_step), epochs)):
        steps += _fill_epoch(lengths, tokens_per_step, random.Random(f"{seed}/{epoch}"))[:taken]
    limit = tokens_per_batch * 1.05
    needed = max((_count_batches(step, lengths, limit) for step in steps), default=1)
    per_step = -(-needed // processes) * processes
    return [batch for step in steps for batch in _fill(step, lengths, per_step)], per_step


def pack_padded(
    lengths: Sequence[int], *, epochs: float, rows_per_step: int, rows_per_batch: int, processes: int, seed: int
) -> tuple[list[list[int]], int]:
    """The same for padded rows: steps of rows of like length (what `group_by_length` does), shuffled.

    A process takes its share of a step in batches of at most `rows_per_batch` rows. Only whole epochs are taken.
    """
    turns = ceil(ceil(rows_per_step / processes) / rows_per_batch)
    batches: list[list[int]] = []
    for epoch in range(max(1, round(epochs))):
        rng = random.Random(f"{seed}/{epoch}")
        order = sorted(range(len(lengths)), key=lambda index: (-lengths[index], rng.random()))
        steps = [order[at : at + rows_per_step] for at in range(0, len(order), rows_per_step)]
        rng.shuffle(steps)
        for step in steps:
            shares = [step[rank::processes] for rank in range(processes)]
            batches += [share[turn::turns] for turn in range(turns) for share in shares]
    return batches, turns * processes


def count_steps(lengths: Sequence[int], *, epochs: float, tokens_per_step: int) -> int:
    """How many steps `pack_steps` makes."""
    return sum(_epochs(_steps_an_epoch(tuple(lengths), tokens_per_step), epochs))


def _epochs(steps: int, epochs: float) -> list[int]:
    """How many of an epoch's steps are taken, for each epoch: all, but of a last part of one."""
    whole, part = int(epochs), epochs % 1
    return [max(1, steps)] * whole + ([max(1, round(steps * part))] if part else [])


@functools.lru_cache(maxsize=64)
def _steps_an_epoch(lengths: tuple[int, ...], tokens_per_step: int) -> int:
    """As few steps of like size as hold at most so many tokens each; a longer row is a step of its own."""
    order = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    count = min(max(1, round(sum(lengths) / tokens_per_step)), len(lengths))
    while count < len(lengths) and not _fits(_fill(order, lengths, count), lengths, tokens_per_step):
        count += max(1, count // 64)  # by ones, the steps of a very long chat would take minutes to find
    return count


def _fill_epoch(lengths: Sequence[int], tokens_per_step: int, rng: random.Random) -> list[list[int]]:
    """The steps of an epoch: rows of one length fall into another step each time."""
    order = list(range(len(lengths)))
    rng.shuffle(order)
    order.sort(key=lambda index: -lengths[index])  # stable: rows of one length stay shuffled
    steps = _fill(order, lengths, _steps_an_epoch(tuple(lengths), tokens_per_step))
    rng.shuffle(steps)
    return steps


def _count_batches(step: Sequence[int], lengths: Sequence[int], limit: float) -> int:
    count = max(1, min(len(step), int(sum(lengths[row] for row in step) // limit)))
    while not _fits(_fill(step, lengths, count), lengths, limit):
        count += 1
    return count


def _fits(batches: Sequence[Sequence[int]], lengths: Sequence[int], limit: float) -> bool:
    return all(len(batch) <= 1 or sum(lengths[row] for row in batch) <= limit for batch in batches)


def _fill(order: Sequence[int], lengths: Sequence[int], count: int) -> list[list[int]]:
    """Each row, longest first, into the batch that holds least."""
    heap = [(0, batch) for batch in range(count)]
    batches: list[list[int]] = [[] for _ in range(count)]
    for index in order:
        tokens, batch = heapq.heappop(heap)
        batches[batch].append(index)
        heapq.heappush(heap, (tokens + lengths[index], batch))
    return batches
