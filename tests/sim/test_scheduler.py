"""The scheduler: one task at a time, in an order that its seed gives; killed tasks do nothing more."""

from __future__ import annotations

import random

import pytest

from tests.sim.scheduler import Process, Scheduler, Stuck, enter
from tests.sim.threads import Lock, Pool, wait


def scheduler(seed: int, loyalty: float = 0.0) -> Scheduler:
    one = Scheduler(random.Random(seed))
    one.loyalty = loyalty
    enter(one)
    return one


def order_of(seed: int) -> list[str]:
    one, said = scheduler(seed), list[str]()
    process = Process("p")

    def work(name: str) -> None:
        for _ in range(4):
            said.append(name)
            one.gate()

    tasks = [one.spawn(lambda name=name: work(name), process) for name in "abc"]
    one.run(lambda: all(each.done for each in tasks))
    return said


def test_a_seed_gives_one_order_and_seeds_give_many() -> None:
    assert order_of(1) == order_of(1)
    assert len({tuple(order_of(seed)) for seed in range(20)}) > 10


def test_only_waiting_moves_the_clock() -> None:
    one = scheduler(1)
    process = Process("p")
    late = one.spawn(lambda: one.sleep(20.0), process)
    soon = one.spawn(lambda: one.sleep(5.0), process)
    one.run(lambda: soon.done)
    assert one.now == 5.0
    one.run(lambda: late.done)
    assert one.now == 20.0


def test_a_killed_process_does_nothing_more() -> None:
    one, said = scheduler(1), list[str]()
    process = Process("p")

    def work() -> None:
        try:
            one.sleep(1.0)
            said.append("after the kill")
        finally:
            one.gate()
            said.append("cleaned up")

    task = one.spawn(work, process)
    one.spawn(process.kill, Process("other"))
    one.run(lambda: not one.tasks)
    assert (task.done, said) == (True, [])


def test_tasks_that_wait_for_one_another_are_reported() -> None:
    one = scheduler(1)
    first, second = Lock(), Lock()

    def work(one_lock: Lock, other: Lock) -> None:
        with one_lock:
            one.sleep(1.0)
            with other:
                pass

    one.spawn(lambda: work(first, second), Process("p"))
    one.spawn(lambda: work(second, first), Process("q"))
    with pytest.raises(Stuck):
        one.run(lambda: not one.tasks)


def test_a_pool_gives_its_results_in_order_and_raises_what_its_work_raises() -> None:
    one = scheduler(3)

    def work() -> list[int]:
        with Pool(2) as pool:
            return list(pool.map(lambda number: number * 2, [1, 2, 3]))

    def broken() -> None:
        with Pool(2) as pool:
            task = pool.submit(lambda: 1 // 0)
            wait([task], 1.0)
            task.result()

    good, bad = one.spawn(work, Process("p")), one.spawn(broken, Process("q"))
    one.run(lambda: not one.tasks)
    assert good.value == [2, 4, 6]
    assert isinstance(bad.error, ZeroDivisionError)
