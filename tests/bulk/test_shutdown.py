"""Programs that cancel every task as they shut down, also those that the library runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from voucherify_async import AsyncVoucherify, BackgroundCancelledError, ImportInterruptedError
from voucherify_async.testing import FakeVoucherify

from .conftest import Skipping

CODES = [f"C-{number}" for number in range(12)]
CARDS = [{"code": f"N-{n}", "type": "GIFT_VOUCHER", "gift": {"amount": 1}} for n in range(6)]


async def look_up(client: AsyncVoucherify) -> int:
    """How many codes were answered."""
    return len(await client.vouchers.get_many(CODES, concurrency=3))


async def look_up_one_by_one(client: AsyncVoucherify) -> int:
    """How many codes were answered."""
    return len([found async for found in client.vouchers.get_many(iter(CODES), concurrency=3)])


async def import_cards(client: AsyncVoucherify) -> int:
    """How many cards were imported."""
    return (await client.imports.stream(CARDS, max_in_flight=1)).done_count


async def cancelled_after(steps: int, work: Awaitable[int]) -> int | BaseException:
    """Do something, with every task but its own cancelled after so many steps of the loop."""
    mine = asyncio.ensure_future(work)
    for _ in range(steps):
        await asyncio.sleep(0)
    for task in asyncio.all_tasks() - {mine, asyncio.current_task()}:
        task.cancel()
    try:
        return await asyncio.wait_for(mine, 10)
    except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - it is judged below
        return error


# What Python says of a task that was cancelled before its first step.
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("stride", [4, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("work", "count"), [(look_up, 12), (look_up_one_by_one, 12), (import_cards, 6)]
)
def test_tasks_cancelled_from_outside(
    work: Callable[[AsyncVoucherify], Awaitable[int]], count: int, stride: int
) -> None:
    """Whenever a task of the library's is cancelled, the whole result comes, or an error of ours
    that says so: never a part as if it were the whole, and never a foreign error.
    """
    errors = 0

    async def main(steps: int) -> Any:
        clock = Skipping()
        fake = FakeVoucherify(now=clock.now)
        fake.add_vouchers({"code": code} for code in CODES)
        async with fake:
            return await cancelled_after(steps, work(fake.client(clock=clock)))

    for steps in range(0, 160, stride):
        outcome = asyncio.run(main(steps))
        if isinstance(outcome, ImportInterruptedError):
            outcome = outcome.__cause__
        assert outcome == count or isinstance(outcome, BackgroundCancelledError)
        errors += outcome != count
    assert errors
