"""The deadline bounds a whole call, waits included, and tells whether anything was sent."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime

import anyio
import pytest

from voucherify_async import (
    AmbiguousOutcomeError,
    AsyncVoucherify,
    InvalidArgumentError,
    OAuthClientCredentials,
    RateLimitError,
    ServerError,
)
from voucherify_async.errors import TimeoutError as OwnTimeoutError
from voucherify_async.testing import FakeVoucherify

from .conftest import MovingClock, policy

pytestmark = pytest.mark.anyio

CODE = "SECRET-CODE-1"
# Real milliseconds: what is under way is bounded by the loop's clock, which tests cannot move.
BRIEF = policy(deadline=0.03)


async def test_no_wait_goes_beyond_it(
    client: AsyncVoucherify, fake: FakeVoucherify, clock: MovingClock
) -> None:
    """A backoff that would end after the deadline is not begun; the last failure is raised."""
    fake.faults.status(502, times=None)
    with pytest.raises(ServerError):
        await client.vouchers.get(CODE, retry=policy(deadline=1.4, max_attempts=99))
    assert clock.slept == [0.5]
    assert len(fake.requests) == 2


async def test_no_stated_wait_goes_beyond_it(
    client: AsyncVoucherify, fake: FakeVoucherify, clock: MovingClock
) -> None:
    """Nor one that the server states."""
    fake.faults.rate_limited(5)
    with pytest.raises(RateLimitError) as caught:
        await client.vouchers.get(CODE, retry=policy(deadline=4))
    assert caught.value.retry_after == 5
    assert clock.seconds == 0


@pytest.mark.parametrize("seconds", [-1, 0, 4])
async def test_it_may_be_an_instant(
    client: AsyncVoucherify, fake: FakeVoucherify, clock: MovingClock, seconds: int
) -> None:
    """By the client's clock, whenever it was chosen; once it is past, nothing is sent."""
    retry = policy(deadline=datetime.fromtimestamp(clock.time() + 10 + seconds, UTC))
    clock.move(10)
    fake.faults.rate_limited(5)
    with pytest.raises(RateLimitError if seconds > 0 else OwnTimeoutError):
        await client.vouchers.update_balance("CARD", 5, retry=retry)
    assert len(fake.requests) == (seconds > 0)
    assert clock.slept == []


def test_an_instant_has_a_time_zone() -> None:
    """Without one it might be hours off."""
    with pytest.raises(InvalidArgumentError, match="deadline: expected an instant with a time"):
        policy(deadline=datetime(2030, 1, 1))  # noqa: DTZ001


async def test_no_wait_for_the_quota_goes_beyond_it(
    client: AsyncVoucherify, fake: FakeVoucherify, clock: MovingClock
) -> None:
    """Nor that for the window, bulk work included."""
    fake.set_quota(1, 8, bulk_limit=1)
    items = [{"code": CODE, "metadata": {}}]
    await client.vouchers.get(CODE)
    await client.vouchers.update_in_bulk(items)
    with pytest.raises(RateLimitError):
        await client.vouchers.get(CODE, retry=policy(deadline=4))
    with pytest.raises(RateLimitError):
        await client.vouchers.update_in_bulk(items, retry=policy(deadline=4))
    assert clock.seconds == 0
    await client.vouchers.get(CODE, retry=policy(deadline=9.5))


async def test_a_read_under_way_ends_with_it(client: AsyncVoucherify, fake: FakeVoucherify) -> None:
    """A server that hangs holds no read beyond its deadline."""
    fake.faults.stall(times=None)
    with pytest.raises(OwnTimeoutError, match="deadline") as caught:
        await client.vouchers.get(CODE, retry=BRIEF)
    assert isinstance(caught.value, TimeoutError)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    fake.faults.clear()
    await client.vouchers.get(CODE)


@pytest.mark.parametrize("at", ["before", "applied", "headers", "body"])
async def test_a_write_under_way_is_left_open(
    client: AsyncVoucherify, fake: FakeVoucherify, at: str
) -> None:
    """A write that was sent when the deadline came may have happened."""
    fake.faults.stall(at=at, times=None)  # type: ignore[arg-type]
    error: BaseException | None = None
    # On a busy machine the deadline may come before the request is under way.
    for deadline in (0.03, 0.3, 3):
        with pytest.raises((AmbiguousOutcomeError, OwnTimeoutError)) as caught:
            await client.vouchers.update_balance("CARD", 5, retry=policy(deadline=deadline))
        error = caught.value
        if fake.requests:
            break
    assert isinstance(error, AmbiguousOutcomeError)
    assert isinstance(error.__cause__, OwnTimeoutError)
    assert error.__cause__.sent
    fake.faults.clear()


async def test_a_write_that_only_queued_did_not_happen(
    fake: FakeVoucherify, clock: MovingClock
) -> None:
    """Where the deadline came before the call's turn, nothing was sent, and it says so."""
    async with fake, fake.client(clock=clock, max_concurrency=1) as client:
        stall = fake.faults.stall()
        async with anyio.create_task_group() as group:
            group.start_soon(client.vouchers.get, CODE)
            while not stall.waiting:
                await anyio.lowlevel.checkpoint()
            with pytest.raises(OwnTimeoutError) as caught:
                await client.vouchers.update_balance("CARD", 5, retry=BRIEF)
            assert not caught.value.sent
            assert not pickle.loads(pickle.dumps(caught.value)).sent
            stall.release()
        assert [r.method for r in fake.requests] == ["GET"]


async def test_a_write_that_waited_for_its_token_did_not_happen(
    fake: FakeVoucherify, clock: MovingClock
) -> None:
    """A deadline that comes while the token is fetched leaves nothing open."""
    auth = OAuthClientCredentials("id", "secret")
    async with fake, fake.client(auth=auth, clock=clock, app_id=None, app_token=None) as client:
        fake.faults.stall(path="oauth", times=None)
        with pytest.raises(OwnTimeoutError) as caught:
            await client.vouchers.update_balance("CARD", 5, retry=BRIEF)
        assert not caught.value.sent
        fake.faults.clear()
        assert (await client.vouchers.update_balance("CARD", 5)).balance == 1005


async def test_nothing_is_sent_once_it_has_passed(fake: FakeVoucherify, clock: MovingClock) -> None:
    """A call whose turn comes after its deadline is not sent, and is no ambiguity."""

    class Slow(MovingClock):
        def monotonic(self) -> float:
            clock.move(1)
            return clock.monotonic()

    async with fake, fake.client(clock=Slow()) as client:
        for deadline in (0.5, 1.5, 2.5):
            with pytest.raises(OwnTimeoutError) as caught:
                await client.vouchers.update_balance("CARD", 5, retry=policy(deadline=deadline))
            assert not caught.value.sent
    assert not fake.requests
