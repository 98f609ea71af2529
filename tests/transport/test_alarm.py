"""One alarm that is set anew for each wait, on a clock that the tests move."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from voucherify_async._transport.alarm import Alarm


class Timer:
    """A timer of the loop."""

    def __init__(self, at: float, call: Callable[[], object]) -> None:
        self.at = at
        self.call = call
        self.is_cancelled = False

    def when(self) -> float:
        """When it fires."""
        return self.at

    def cancel(self) -> None:
        """Never fire."""
        self.is_cancelled = True


class Loop:
    """As much of an event loop as an alarm needs."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[Timer] = []
        self.rang: list[float] = []

    def time(self) -> float:
        """Now."""
        return self.now

    def call_at(self, at: float, call: Callable[[], object]) -> Timer:
        """Call something then."""
        self.timers.append(Timer(at, call))
        return self.timers[-1]

    def move(self, to: float) -> None:
        """Let the time pass, and fire what is due."""
        while due := [t for t in self.timers if not t.is_cancelled and t.at <= to]:
            timer = min(due, key=Timer.when)
            self.now = max(self.now, timer.at)
            self.timers.remove(timer)
            timer.call()
        self.now = to


@pytest.fixture
def loop() -> Loop:
    """A loop at the time 0."""
    return Loop()


@pytest.fixture
def alarm(loop: Loop) -> Alarm:
    """An alarm that notes when it rang."""
    return Alarm(loop, lambda: loop.rang.append(loop.now))


def test_it_rings_once_when_the_time_is_over(alarm: Alarm, loop: Loop) -> None:
    """Neither before nor again."""
    alarm.set(5)
    loop.move(4.9)
    assert loop.rang == []
    loop.move(99)
    assert loop.rang == [5]


def test_what_was_set_last_counts(alarm: Alarm, loop: Loop) -> None:
    """A later time and an earlier one, and the moment is exact."""
    alarm.set(5)
    loop.move(3)
    alarm.set(5)
    loop.move(7.9)
    assert loop.rang == []
    alarm.set(1)
    loop.move(99)
    assert loop.rang == [8.9]


def test_none_never_rings_and_none_at_all_rings_at_once(alarm: Alarm, loop: Loop) -> None:
    """None takes back what was set; no seconds are over at once."""
    alarm.set(5)
    alarm.set(None)
    loop.move(6)
    assert loop.rang == []
    alarm.set(-1)
    assert loop.rang == [6]


def test_a_thousand_waits_take_one_timer(alarm: Alarm, loop: Loop) -> None:
    """Waits that end in time leave the loop's timers alone."""
    for number in range(1000):
        loop.move(number / 1000)
        alarm.set(30)
        alarm.set(None)
    assert len(loop.timers) == 1


def test_a_dropped_one_leaves_nothing_behind(alarm: Alarm, loop: Loop) -> None:
    """The loop holds no timer, and nothing rings."""
    alarm.set(5)
    alarm.drop()
    assert all(timer.is_cancelled for timer in loop.timers)
    loop.move(9)
    assert loop.rang == []
