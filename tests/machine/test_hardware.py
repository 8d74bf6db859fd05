"""What this machine is said to be."""

from dataclasses import replace

from pipeline.machine import T4, T4_GIB, probe_machine, this_machine


def test_this_machine_is_described():
    machine = this_machine()
    assert machine.cores >= 1
    assert 0 < machine.free <= machine.memory
    assert machine.device in ("cuda", "mps", "cpu")
    if machine.device == "cpu":
        assert this_machine("t4").device == "cpu"  # there is nothing to cap


def test_a_t4_is_what_colab_leaves_of_it():
    assert T4.memory == T4.free == T4_GIB
    assert not T4.fast_bf16


def test_another_process_sees_the_same_machine():
    assert probe_machine().is_like(this_machine())


def test_machines_are_alike_but_for_what_is_free():
    assert T4.is_like(replace(T4, free=3.0, cores=8, memory=14.7))
    for change in ({"name": "another"}, {"memory": 8.0}, {"gpus": 2}, {"device": "cpu"}, {"acts_as_t4": True}):
        assert not T4.is_like(replace(T4, **change))
