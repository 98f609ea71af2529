"""What answers make of the quota: without requests, on a clock that is moved."""

from __future__ import annotations

from email.utils import formatdate

import anyio
import anyio.lowlevel
import pytest

from voucherify_async._calls.quota import LONGEST_WINDOW, Quota
from voucherify_async._protocol.answers import Answer

from .conftest import MovingClock, Stopping


def told(remaining: int | None, window: int | None, *, status: int = 200, **more: str) -> Answer:
    """An answer that states a quota of 10."""
    headers = {"x-rate-limit-limit": "10", **{k.replace("_", "-"): v for k, v in more.items()}}
    if remaining is not None:
        headers["x-rate-limit-remaining"] = str(remaining)
    if window is not None:
        headers["x-rate-limit-retry"] = str(window)
    return Answer(status, headers, b"")


def after(clock: MovingClock, *answers: Answer) -> Quota:
    """A quota that saw these answers."""
    quota = Quota(clock)
    for answer in answers:
        assert quota.try_enter()
        quota.leave(answer)
    return quota


def how_many(quota: Quota) -> int:
    """How many requests may be under way at once, up to 50."""
    return sum(quota.try_enter() for _ in range(50))


def test_answers_that_overtake_each_other(clock: MovingClock) -> None:
    """Within a window the lowest count is the latest; one of a window before says nothing."""
    turn = int(clock.time()) + 60
    assert how_many(after(clock, told(5, turn), told(7, turn))) == 5
    assert how_many(after(clock, told(5, turn), told(1, turn - 60))) == 5
    assert how_many(after(clock, told(1, turn), told(9, turn + 60))) == 9


def test_a_straggler_does_not_close_the_new_window(clock: MovingClock) -> None:
    """After the turn an answer of the window before is of no account."""
    turn = int(clock.time()) + 60
    quota = Quota(clock)
    assert quota.try_enter()
    assert quota.try_enter()
    quota.leave(told(0, turn))
    assert not quota.try_enter()
    clock.move(61)
    assert quota.try_enter()
    # It was made before the turn, and tells by its own clock how far off that was.
    quota.leave(told(0, turn, date=formatdate(turn - 5, usegmt=True)))
    assert how_many(quota) == 9


def test_missing_headers_hold_nothing_back(clock: MovingClock) -> None:
    """Without quota headers, or without the turn, nobody waits for what will not be told."""
    bare = Answer(200, {}, b"")
    assert how_many(after(clock, bare, bare)) == 50
    assert how_many(after(clock, told(None, None, status=429))) == 10
    assert how_many(after(clock, told(0, None))) == 10
    assert how_many(after(clock, told(3, None), told(8, None))) == 8


def test_a_refusal_closes_whatever_was_counted(clock: MovingClock) -> None:
    """A 429 means none is left; its `Retry-After` says until when."""
    turn = int(clock.time()) + 60
    quota = after(clock, told(9, turn), told(None, None, status=429, retry_after="30"))
    assert how_many(quota) == 0
    clock.move(31)
    assert how_many(quota) == 10


def test_an_absurd_turn_does_not_close_the_client_for_ever(clock: MovingClock) -> None:
    """After the longest window there is, one request may ask again, whatever was told."""
    quota = after(clock, told(0, 10**15))
    assert how_many(quota) == 0
    clock.move(LONGEST_WINDOW + 1)
    assert quota.try_enter()
    quota.leave(told(8, int(clock.time()) + 60))
    assert how_many(quota) == 8


@pytest.mark.parametrize("skew", [-7200, 7200])
def test_the_turn_is_read_by_the_servers_clock(clock: MovingClock, skew: int) -> None:
    """A skewed clock here neither opens the gate early nor keeps it shut."""
    server = int(clock.time()) + skew
    quota = after(clock, told(0, server + 60, date=formatdate(server, usegmt=True)))
    clock.move(59)
    assert not quota.try_enter()
    clock.move(2)
    assert quota.try_enter()


@pytest.mark.anyio
async def test_a_newcomer_does_not_overtake_those_who_wait(clock: MovingClock) -> None:
    """The window has turned, and whoever waited for it has not woken up yet: it is their turn."""
    stopping = Stopping(clock)
    quota = Quota(stopping)
    assert quota.try_enter()
    quota.leave(told(0, int(clock.time()) + 60))
    async with anyio.create_task_group() as group:
        group.start_soon(quota.enter, 100.0)
        for _ in range(10):
            await anyio.lowlevel.checkpoint()
        clock.move(61)
        assert not quota.try_enter()
        group.cancel_scope.cancel()
    assert quota.try_enter()
