"""Several clients, as of several processes, use up one quota: on a clock that is moved."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from voucherify_async import (
    ApiKeyAuth,
    AsyncVoucherify,
    Auth,
    BearerAuth,
    ConfigurationError,
    Hooks,
    OAuthClientCredentials,
    QuotaRequest,
    RateLimitError,
    RetryPolicy,
)
from voucherify_async._calls.shared_quota import SharedQuota
from voucherify_async._protocol.quota_decisions import LEASE
from voucherify_async.testing import FakeVoucherify

from ..reliability.conftest import MovingClock, Stopping, hanging, policy
from .conftest import MemoryStore, until

pytestmark = pytest.mark.anyio

CODE = "SECRET-CODE-1"
WINDOW = 60.0
PATIENT = RetryPolicy(max_wait=float("inf"), random=lambda: 1.0)


@pytest.fixture
def fake(clock: MovingClock) -> FakeVoucherify:
    """A server on that clock, with 60 calls a window."""
    fake = FakeVoucherify(now=clock.now, app_id=None, app_token=None)
    fake.add_voucher(code=CODE)
    fake.set_quota(60, WINDOW, bulk_limit=3)
    return fake


async def take_time(_: Any, execute: Callable[[], Any]) -> Any:
    """Answer after a while, so that requests overlap."""
    for _ in range(4):
        await anyio.lowlevel.checkpoint()
    return execute()


def client_of(
    fake: FakeVoucherify, clock: MovingClock, store: MemoryStore, **options: Any
) -> AsyncVoucherify:
    """What one process has."""
    return fake.client(**{"clock": clock, "quota_store": store, "retry": PATIENT, **options})


def quota_of(client: AsyncVoucherify) -> SharedQuota:
    """The client's quota of plain calls."""
    quota = client._caller.quotas.plain
    assert isinstance(quota, SharedQuota)
    return quota


@pytest.mark.parametrize("limit", [60, 7, 1])
async def test_processes_share_a_quota(
    fake: FakeVoucherify, clock: MovingClock, store: MemoryStore, limit: int
) -> None:
    """400 lookups of four processes: 400 answers, not one request too many, no window wasted."""
    fake.set_quota(limit, WINDOW)
    fake.faults.add("take time", take_time, times=None)
    lookups = 7 * limit - 20 if limit > 20 else 7 * limit
    fake_calls = 0

    async def process(number: int) -> None:
        nonlocal fake_calls
        async with client_of(fake, clock, store) as client, anyio.create_task_group() as calls:
            for _ in range(number, lookups, 4):
                calls.start_soon(client.vouchers.get, CODE)
                fake_calls += 1

    async with fake, anyio.create_task_group() as group:
        for number in range(4):
            group.start_soon(process, number)
    assert fake_calls == lookups
    # Where nothing is known each process finds out with one call.
    assert len(fake.requests) - lookups <= max(0, 4 - limit)
    assert clock.seconds <= 7 * WINDOW
    assert store.state()["holders"] == {}


async def test_plenty_is_handed_out_in_batches(
    fake: FakeVoucherify, clock: MovingClock, store: MemoryStore
) -> None:
    """One after the other, 300 calls cost a tenth as many questions to the store at the most."""
    fake.set_quota(10_000, WINDOW)
    async with fake, client_of(fake, clock, store) as client:
        for _ in range(300):
            await client.vouchers.get(CODE)
        assert len(store.asked) <= 30
        # What is not begun in time goes back.
        clock.move(LEASE / 2)
        await until(lambda: store.state()["holders"] == {})


async def test_a_process_that_dies_keeps_nobody_out(
    fake: FakeVoucherify, clock: MovingClock, store: MemoryStore
) -> None:
    """What a process held that is gone lapses within seconds, long before the window turns."""
    fake.set_quota(4, WINDOW)
    async with fake, client_of(fake, clock, store) as client:
        await client.vouchers.get(CODE)
        (key,) = store.kept
        await store.ask(key, QuotaRequest(holder="dead", held=2, wanted=0))
        await client.vouchers.get(CODE)
        assert clock.seconds < LEASE
        await client.vouchers.get(CODE)
        assert LEASE <= clock.seconds < 2 * LEASE
    assert len(fake.requests) == 3


async def test_a_call_that_hangs_is_held_as_long_as_it_lasts(
    fake: FakeVoucherify, clock: MovingClock, store: MemoryStore
) -> None:
    """The process says again and again that it is under way, and when it is not any more."""
    async with fake, client_of(fake, clock, store) as client:
        await client.vouchers.get(CODE)
        async with hanging(fake, 1, partial(client.vouchers.get, CODE)):
            clock.move(5 * LEASE)
            await until(lambda: [held for held, _ in store.state()["holders"].values()] == [1])
        await until(lambda: store.state()["holders"] == {})
        assert store.state()["remaining"] == 58
        asked = len(store.asked)
        await clock.sleep(10 * LEASE)
    assert len(store.asked) == asked


async def test_what_another_process_used_up_is_known_at_once(
    fake: FakeVoucherify, clock: MovingClock, store: MemoryStore
) -> None:
    """A single call fails fast with the time to wait, without a request of its own."""
    fake.set_quota(2, WINDOW)
    async with fake, client_of(fake, clock, store) as one:
        for _ in range(2):
            await one.vouchers.get(CODE)
        clock.move(20)
        await until(lambda: store.state()["remaining"] == 0)
        async with client_of(fake, clock, store, retry=policy()) as other:
            with pytest.raises(RateLimitError, match="Nothing was sent") as caught:
                await other.vouchers.get(CODE)
            assert caught.value.retry_after == pytest.approx(40, abs=1)
            clock.move(35)
            await other.vouchers.get(CODE)
    assert len(fake.requests) == 3


async def test_a_call_waits_for_those_of_others_no_longer_than_a_lease(
    fake: FakeVoucherify, clock: MovingClock, store: MemoryStore
) -> None:
    """All that is left is held by calls that hang: an impatient call is told to come again."""
    fake.set_quota(5, WINDOW)
    async with fake, client_of(fake, clock, store, retry=policy(max_wait=1)) as client:
        await client.vouchers.get(CODE)
        async with hanging(fake, 4, partial(client.vouchers.get, CODE)):
            with pytest.raises(RateLimitError):
                await client.vouchers.get(CODE)
            assert LEASE <= clock.seconds <= 2 * LEASE


async def test_bulk_calls_count_apart(
    fake: FakeVoucherify, clock: MovingClock, store: MemoryStore
) -> None:
    """Two processes share the quota of bulk calls, which holds no plain call back."""

    async def process(client: AsyncVoucherify) -> None:
        for _ in range(3):
            await client.vouchers.update_in_bulk([{"code": CODE, "metadata": {"a": 1}}])

    async with (
        fake,
        client_of(fake, clock, store) as one,
        client_of(fake, clock, store) as other,
        anyio.create_task_group() as group,
    ):
        group.start_soon(process, one)
        group.start_soon(process, other)
        await one.vouchers.get(CODE)
        assert clock.seconds < 1
    assert len(fake.requests) == 7
    assert WINDOW - 1 <= clock.seconds <= WINDOW + LEASE
    assert {key.rpartition(":")[2] for key in store.kept} == {"plain", "bulk"}


async def test_cancelled_waiters_give_their_places_up(
    fake: FakeVoucherify, clock: MovingClock, store: MemoryStore
) -> None:
    """Cancelled at any step, within a question to the store too, a call holds nothing."""
    fake.set_quota(2, WINDOW)
    async with fake, client_of(fake, clock, store) as client:
        await client.vouchers.get(CODE)
        for steps in range(60):
            with anyio.CancelScope() as scope:
                async with anyio.create_task_group() as group:
                    group.start_soon(client.vouchers.get, CODE)
                    for _ in range(steps):
                        await anyio.lowlevel.checkpoint()
                    scope.cancel()
            quota = quota_of(client)
            assert (quota._under_way, quota._waiting) == (0, 0)
        clock.move(WINDOW)
        used, began = len(fake.requests), clock.seconds
        for _ in range(2):
            await client.vouchers.get(CODE)
        assert (len(fake.requests) - used, clock.seconds - began) == (2, 0)


async def test_who_came_first_goes_first(
    fake: FakeVoucherify, clock: MovingClock, store: MemoryStore
) -> None:
    """Within a process calls go in their order, and one that is cancelled holds nobody back."""
    fake.set_quota(2, WINDOW)
    stopping = Stopping(clock)
    async with fake, client_of(fake, stopping, store, max_concurrency=1) as client:
        scopes = [anyio.CancelScope() for _ in range(8)]

        async def call(number: int) -> None:
            with scopes[number]:
                await client.request("GET", f"/v1/vouchers/{CODE}?turn={number}")

        async with anyio.create_task_group() as group:
            for number in range(8):
                group.start_soon(call, number)
                for _ in range(60):
                    await anyio.lowlevel.checkpoint()
            stopping.goes_on = True
            # Who waits for the turn, and one behind.
            scopes[2].cancel()
            scopes[4].cancel()
    turns = [int(dict(r.query)["turn"]) for r in fake.requests]
    assert turns == [0, 1, 3, 5, 6, 7]


async def test_a_hook_hears_of_the_quota_and_not_of_the_store(
    fake: FakeVoucherify, clock: MovingClock, store: MemoryStore
) -> None:
    """`on_wait` is told before a wait for the quota, outside the queue: it may call itself."""
    fake.set_quota(3, WINDOW)
    waits: list[float | None] = []

    async def on_wait(event: Any) -> None:
        waits.append(event.wait)
        if len(waits) == 1:
            await client.vouchers.get(CODE)

    hooks = Hooks(on_wait=on_wait)
    async with fake, client_of(fake, clock, store, hooks=hooks) as client:
        for _ in range(3):
            await client.vouchers.get(CODE)
        assert waits == []
        await client.vouchers.get(CODE)
    assert len(fake.requests) == 5
    assert waits == [pytest.approx(WINDOW, abs=1)] * 2


async def test_answers_without_a_quota_hold_nothing_back(
    fake: FakeVoucherify, clock: MovingClock, store: MemoryStore
) -> None:
    """Behind a gateway that strips the headers everything goes, after the first answer."""
    fake.faults.status(200, body={"code": CODE, "object": "voucher"}, times=None)
    async with fake, client_of(fake, clock, store) as client, anyio.create_task_group() as group:
        for _ in range(50):
            group.start_soon(client.vouchers.get, CODE)
    assert len(fake.requests) == 50
    assert clock.seconds <= LEASE
    assert not {"asking", "remaining"} & store.state().keys()


async def test_a_hanging_first_call_does_not_hold_the_others_for_long(
    fake: FakeVoucherify, clock: MovingClock, store: MemoryStore
) -> None:
    """The call that finds out hangs: after a lease the others go."""
    async with (
        fake,
        client_of(fake, clock, store) as client,
        hanging(fake, 1, partial(client.vouchers.get, CODE)),
    ):
        await client.vouchers.get(CODE)
        assert LEASE <= clock.seconds < 2 * LEASE


async def test_a_gateways_refusal_pauses_every_process(
    fake: FakeVoucherify, clock: MovingClock, store: MemoryStore
) -> None:
    """A 429 that counts no calls is a gateway's: nobody sends anything until it has passed."""
    async with fake, client_of(fake, clock, store) as one, client_of(fake, clock, store) as other:
        await one.vouchers.get(CODE)
        fake.faults.status(429, headers={"Retry-After": "7"})
        await one.vouchers.get(CODE)
        assert clock.seconds == pytest.approx(7, abs=0.5)
        fake.faults.status(429, headers={"Retry-After": "7"})
        earlier = store.state()["paused"]
        with pytest.raises(RateLimitError):
            await one.vouchers.get(CODE, retry=None)
        # The store hears of it although the process makes no further call.
        await until(lambda: store.state()["paused"] > earlier)
        await other.vouchers.get(CODE)
        assert clock.seconds == pytest.approx(14, abs=0.5)
    assert len(fake.requests) == 5


async def test_a_project_is_told_by_a_hash(
    fake: FakeVoucherify, clock: MovingClock, store: MemoryStore
) -> None:
    """Clients of one application id share a quota, whatever signs for it; no key tells the id."""
    mine: list[Auth] = [
        ApiKeyAuth("the-application-id", "a token"),
        ApiKeyAuth("the-application-id", "its successor"),
        OAuthClientCredentials("the-application-id", "a token"),
    ]
    fake.add_token("t")
    fake.faults.status(200, body={"access_token": "t", "expires_in": 900}, path="oauth", times=None)
    async with fake, client_of(fake, clock, store, app_id="another") as client:
        for auth in mine:
            await client.with_options(auth=auth).vouchers.get(CODE)
        assert len(store.kept) == 1
        await client.vouchers.get(CODE)
        await client.with_options(timeout=5).vouchers.get(CODE)
        assert len(store.kept) == 2
    assert "application" not in str(store.kept)
    assert all(len(key) <= 40 for key in store.kept)


async def test_a_project_may_have_a_name(
    fake: FakeVoucherify, clock: MovingClock, store: MemoryStore
) -> None:
    """Credentials that do not tell the project need its name; with it all of them share."""
    fake.add_token("a-bearer-token")
    async with fake, client_of(fake, clock, store) as client:
        with pytest.raises(ConfigurationError, match=r"BearerAuth .* project="):
            client.with_options(auth=BearerAuth("a-bearer-token"))
        store.project = "shop"
        for auth in (BearerAuth("a-bearer-token"), ApiKeyAuth("a", "b"), ApiKeyAuth("c", "d")):
            await client.with_options(auth=auth).vouchers.get(CODE)
    assert len(store.kept) == 1
    assert "shop" not in str(store.kept)


async def test_each_process_of_a_fork_holds_for_itself(
    fake: FakeVoucherify,
    clock: MovingClock,
    store: MemoryStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A client that was made before a fork counts as one for each process."""
    async with fake, client_of(fake, clock, store) as client:
        await client.vouchers.get(CODE)
        # Only here: on trio a client that was used before the fork is refused after it.
        child = SimpleNamespace(getpid=lambda: -1)
        monkeypatch.setattr("voucherify_async._calls.shared_quota.os", child)
        clock.move(LEASE / 2)
        await client.vouchers.get(CODE)
    assert len({request.holder for request in store.asked}) == 2


async def test_the_store_is_closed_with_the_client_that_was_given_it(
    fake: FakeVoucherify, clock: MovingClock, store: MemoryStore
) -> None:
    """A client of `with_options` closes nothing."""
    async with fake, client_of(fake, clock, store) as client:
        async with client.with_options(timeout=5) as other:
            await other.vouchers.get(CODE)
        assert store.closed == 0
    assert store.closed == 1


def test_what_is_no_store_is_refused_unseen() -> None:
    """A URL in its place is not shown, as it may hold a password."""
    with pytest.raises(ConfigurationError, match=r"RedisQuotaStore\(...\), got str") as caught:
        AsyncVoucherify("id", "token", quota_store="redis://:s3cr3t@host")  # type: ignore[arg-type]
    assert "s3cr3t" not in str(caught.value)
