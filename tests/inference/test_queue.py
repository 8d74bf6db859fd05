"""The queue: in order, as many at once as there are places, and nobody waits for one who left."""

from contextlib import ExitStack

from pipeline.inference.queue import WaitingQueue


def test_those_who_come_first_go_first_and_leaving_lets_others_move_up():
    queue = WaitingQueue(places=2)
    stacks = [ExitStack() for _ in range(5)]
    before = [stack.enter_context(queue.join()) for stack in stacks]
    assert [ask() for ask in before] == [0, 0, 1, 2, 3]
    stacks[3].close()  # gave up waiting
    assert [before[i]() for i in (0, 1, 2, 4)] == [0, 0, 1, 2]
    stacks[0].close()
    assert [before[i]() for i in (1, 2, 4)] == [0, 0, 1]


def test_a_place_is_freed_by_a_failure():
    queue = WaitingQueue(places=1)
    try:
        with queue.join():
            raise ValueError
    except ValueError:
        pass
    with queue.join() as before:
        assert before() == 0
