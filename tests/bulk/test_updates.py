from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from voucherify_async import (
    BulkInterruptedError,
    CombinedJob,
    InvalidArgumentError,
    VoucherMetadataUpdate,
    WaitTimeoutError,
)
from voucherify_async.testing import FakeVoucherify

from .conftest import Skipping

pytestmark = [pytest.mark.anyio, pytest.mark.sampled(ways=1)]


async def updates(count: int, size: int) -> AsyncIterator[VoucherMetadataUpdate]:
    """Updates one by one."""
    for number in range(count):
        yield VoucherMetadataUpdate(code=f"U-{number}", metadata={"note": "x" * size})


def posts(fake: FakeVoucherify) -> list[int]:
    """How many bytes each request had."""
    return [len(request.body) for request in fake.requests if request.method == "POST"]


async def test_updates_of_any_size_are_split(fake: FakeVoucherify, clock: Skipping) -> None:
    """More than 10 MB of updates go out in as few requests as possible, under one handle."""
    fake.add_vouchers({"code": f"U-{number}"} for number in range(100))
    async with fake:
        job = await fake.client(clock=clock).vouchers.update_in_bulk(updates(101, 250_000))
        assert isinstance(job, CombinedJob)
        action = await job.wait()
    sizes = posts(fake)
    assert len(sizes) == 3
    assert all(9_700_000 < size <= 10_000_000 for size in sizes[:2])
    assert action.result is not None
    assert (action.result.done_count, action.result.failed_count) == (100, 1)
    assert [error.code for error in action.result.errors or ()] == ["U-100"]
    assert len(fake.vouchers["U-99"]["metadata"]["note"]) == 250_000


async def test_one_metadata_for_codes_of_any_number(fake: FakeVoucherify, clock: Skipping) -> None:
    """More than 10 MB of codes go out in several requests, each with the metadata."""
    long = "c" * 1_000
    fake.add_vouchers({"code": f"{long}-{number}"} for number in range(5))
    codes = (f"{long}-{number}" for number in range(10_500))
    async with fake:
        client = fake.client(clock=clock)
        job = await client.vouchers.update_metadata_in_bulk(codes, {"season": "summer"})
        action = await job.wait()
        assert len(posts(fake)) == 2
        assert action.result is not None
        assert (action.result.done_count, action.result.failed_count) == (5, 10_495)
        single = await client.vouchers.update_metadata_in_bulk([f"{long}-1"], {"n": 1})
        assert not isinstance(single, CombinedJob)
    assert fake.vouchers[f"{long}-1"]["metadata"] == {"season": "summer", "n": 1}


async def test_failure_in_the_middle_tells_how_far_it_came(
    fake: FakeVoucherify, clock: Skipping
) -> None:
    """After the first accepted request, whatever fails is told with what was accepted."""
    async with fake:
        client = fake.client(clock=clock)
        fake.faults.timeout("read", method="POST", after=1)
        with pytest.raises(BulkInterruptedError) as caught:
            await client.vouchers.update_in_bulk(updates(100, 250_000))
        assert (caught.value.accepted, caught.value.unknown) == (39, 39)
        assert len(caught.value.job_ids) == 1

        async def broken() -> AsyncIterator[Any]:
            async for update in updates(50, 250_000):
                yield update
            yield object()

        with pytest.raises(BulkInterruptedError, match=r"items\[50\]") as caught:
            await client.vouchers.update_in_bulk(broken())
        assert (caught.value.accepted, caught.value.unknown) == (39, 0)


@pytest.mark.parametrize("items", [[], "text", {"code": "A"}, [object()], ["x" * 11_000_000]])
async def test_unfit_updates_are_refused(fake: FakeVoucherify, items: Any) -> None:
    """Nothing, no list, or an item that no request can hold is refused before anything is sent."""
    async with fake:
        with pytest.raises(InvalidArgumentError):
            await fake.client().vouchers.update_in_bulk(items)
    assert not fake.requests


async def test_combined_job_can_be_waited_for_again(fake: FakeVoucherify, clock: Skipping) -> None:
    """A combined job that was not waited for long enough goes on, and can be looked at."""
    fake.polls_until_done = 30
    async with fake:
        job = await fake.client(clock=clock).vouchers.update_in_bulk(updates(60, 250_000))
        with pytest.raises(WaitTimeoutError) as caught:
            await job.wait(timeout=3)
        assert caught.value.last is not None
        assert (await job.status()).status == "IN_PROGRESS"
        assert (await job.wait()).status == "DONE"
