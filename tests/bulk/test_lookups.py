from __future__ import annotations

import gc
import itertools
from collections import Counter
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from contextlib import aclosing

import anyio
import pytest
from anyio.lowlevel import checkpoint

from voucherify_async import (
    ClientClosedError,
    FailedLookup,
    FoundVoucher,
    InvalidArgumentError,
    NotFoundError,
    RateLimitError,
    RetryPolicy,
)
from voucherify_async.testing import FakeVoucherify

from .conftest import Skipping

pytestmark = [pytest.mark.anyio, pytest.mark.sampled(ways=1)]


def stock(fake: FakeVoucherify, count: int) -> list[str]:
    """Put vouchers into the server."""
    codes = [f"C-{number}" for number in range(count)]
    fake.add_vouchers({"code": code} for code in codes)
    return codes


def asked(fake: FakeVoucherify) -> Counter[str]:
    """How often each code was asked for."""
    return Counter(request.path.removeprefix("/v1/vouchers/") for request in fake.requests)


async def stream(codes: Iterator[str]) -> AsyncIterator[str]:
    """The same codes, as an async iterable."""
    for code in codes:
        await checkpoint()
        yield code


def as_kind(codes: list[str], kind: str) -> Iterable[str] | AsyncIterable[str]:
    """The codes as a list, as an iterator, or as an async iterable."""
    return codes if kind == "list" else iter(codes) if kind == "iterator" else stream(iter(codes))


@pytest.mark.parametrize("kind", ["list", "iterator", "async"])
async def test_awaited_lookups_keep_the_order_of_the_codes(fake: FakeVoucherify, kind: str) -> None:
    """Awaited, every code has its result in its place, and each distinct one is asked once."""
    codes = [*stock(fake, 30), "C-7", "MISSING", "C-7", ""]
    given = as_kind(codes, kind)
    async with fake:
        results = await fake.client().vouchers.get_many(given, concurrency=4)
    assert [result.code for result in results] == codes
    assert [result.code for result in results if not result.ok] == ["MISSING", ""]
    assert all(result.unwrap().code == result.code for result in results if result.ok)
    with pytest.raises(NotFoundError):
        results[31].unwrap()
    assert isinstance(results[-1].error, InvalidArgumentError)
    assert set(asked(fake).values()) == {1}


@pytest.mark.parametrize("kind", ["list", "iterator", "async"])
async def test_iterated_lookups_come_once_for_each_code_given(
    fake: FakeVoucherify, kind: str
) -> None:
    """Iterated, a code that was given three times comes three times and is asked for once."""
    codes = stock(fake, 40) * 3
    given = as_kind(codes, kind)
    async with fake:
        lookups = fake.client().vouchers.get_many(given)
        results = [result.code async for result in lookups]
    assert Counter(results) == Counter(codes)
    assert set(asked(fake).values()) == {1}


async def test_endless_codes_are_read_as_they_are_needed(fake: FakeVoucherify) -> None:
    """Endless codes are read no further than results are taken, and no further after a break."""
    stock(fake, 1000)
    taken: list[int] = []

    def endless() -> Iterator[str]:
        for number in itertools.count():
            taken.append(number)
            yield f"C-{number}"

    async with fake:
        count = 0
        async for _ in fake.client().vouchers.get_many(endless(), concurrency=5):
            count += 1
            if count == 50:
                break
        gc.collect()
        read = len(taken)
        for _ in range(50):
            await checkpoint()
    assert read <= 50 + 3 * 5
    assert len(taken) == read


async def test_one_code_without_end_does_not_stop_the_world(fake: FakeVoucherify) -> None:
    """The same code over and over is answered from memory, and other tasks keep running."""
    stock(fake, 1)
    async with fake:
        with anyio.fail_after(20):
            lookups = fake.client().vouchers.get_many(itertools.repeat("C-0"))
            async with aclosing(lookups):
                count = 0
                async for result in lookups:
                    count += result.ok
                    if count == 500:
                        break
    assert asked(fake) == {"C-0": 1}


async def test_no_more_lookups_than_the_concurrency_are_open(fake: FakeVoucherify) -> None:
    """At most `concurrency` lookups are under way, and closing ends them all."""
    codes = stock(fake, 20)
    stalls = fake.faults.stall(at="before")
    stalls.times = None
    async with fake, anyio.create_task_group() as tasks:
        lookups = fake.client().vouchers.get_many(codes, concurrency=3)

        async def take() -> None:
            async for _ in lookups:
                raise AssertionError("nothing is answered")

        tasks.start_soon(take)
        with anyio.fail_after(10):
            while len(fake.requests) < 3:
                await checkpoint()
            for _ in range(50):
                await checkpoint()
        assert len(fake.requests) == 3
        await lookups.aclose()
    assert len(fake.requests) == 3


async def test_cancelled_lookups_leave_nothing_behind(fake: FakeVoucherify) -> None:
    """Cancelling whoever awaits the lookups ends them, and the client goes on working."""
    codes = stock(fake, 200)
    async with fake:
        client = fake.client()
        stalls = fake.faults.stall(at="before")
        stalls.times = None
        with anyio.move_on_after(0.05) as scope:
            await client.vouchers.get_many(stream(iter(codes)))
        assert scope.cancelled_caught
        sent = len(fake.requests)
        fake.faults.clear()
        assert (await client.vouchers.get("C-1")).code == "C-1"
        assert len(fake.requests) == sent + 1


async def test_a_fault_costs_its_own_code_alone(fake: FakeVoucherify) -> None:
    """Where one lookup fails for good, the others have their vouchers."""
    codes = stock(fake, 25)
    fake.faults.garbage(path="C-3$")
    fake.faults.status(500, path="C-4$", times=None)
    fake.faults.disconnect(path="C-5$", times=None)
    async with fake:
        results = await fake.client(retry=None).vouchers.get_many(codes)
    assert [result.code for result in results if not result.ok] == ["C-3", "C-4", "C-5"]


@pytest.mark.parametrize("awaited", [True, False])
async def test_codes_that_fail_to_come_are_told(fake: FakeVoucherify, awaited: bool) -> None:
    """What the codes' own iterator raises is raised, after the results that were under way."""
    stock(fake, 3)

    async def broken() -> AsyncIterator[str]:
        for number in range(3):
            yield f"C-{number}"
        raise OSError("the disk is gone")

    seen: list[str] = []
    async with fake:
        lookups = fake.client().vouchers.get_many(broken())

        async def iterate() -> None:
            async for result in lookups:
                seen.append(result.code)

        with pytest.raises(OSError, match="disk"):
            await (lookups if awaited else iterate())
    assert sorted(seen) == ([] if awaited else ["C-0", "C-1", "C-2"])


async def test_closed_client_ends_endless_lookups(fake: FakeVoucherify) -> None:
    """A client that was closed ends the iteration, also where codes come without end."""
    async with fake:
        client = fake.client()
        await client.aclose()
        lookups = client.vouchers.get_many(str(number) for number in itertools.count())
        with pytest.raises(ClientClosedError):
            await anext(aiter(lookups))


async def test_lookups_wait_for_the_quota(fake: FakeVoucherify, clock: Skipping) -> None:
    """Lookups wait for the window to turn however long it takes; a policy of the call is obeyed."""
    codes = stock(fake, 60)
    async with fake:
        fake.faults.rate_limited(wait=3000, after=5)
        client = fake.client(clock=clock, retry=RetryPolicy(max_wait=1))
        results = await client.vouchers.get_many(codes)
        assert all(result.ok for result in results)
        assert clock.skipped >= 3000
        fake.faults.rate_limited(wait=3000)
        lookups = client.vouchers.get_many(["C-1"], retry=RetryPolicy(max_wait=1))
        assert isinstance((await lookups)[0].error, RateLimitError)


@pytest.mark.parametrize(("codes", "concurrency"), [("C-1", 1), (b"C-1", 1), (5, 1), (["C"], 0)])
async def test_wrong_arguments_are_refused_at_once(
    fake: FakeVoucherify, codes: list[str], concurrency: int
) -> None:
    """One text in place of many codes, or no concurrency, is refused before anything is sent."""
    async with fake:
        with pytest.raises(InvalidArgumentError):
            fake.client().vouchers.get_many(codes, concurrency=concurrency)


async def test_results_tell_what_they_are(fake: FakeVoucherify) -> None:
    """A result is one of two classes; the voucher of a failed lookup raises why it failed."""
    stock(fake, 1)
    async with fake:
        found, failed = await fake.client().vouchers.get_many(["C-0", "NONE"])
    assert isinstance(found, FoundVoucher)
    assert (bool(found), found.ok, found.error, found.unwrap()) == (True, True, None, found.voucher)
    assert isinstance(failed, FailedLookup)
    assert (bool(failed), failed.ok, type(failed.error)) == (False, False, NotFoundError)
    with pytest.raises(NotFoundError):
        failed.unwrap()
    with pytest.raises(NotFoundError):
        _ = failed.voucher
