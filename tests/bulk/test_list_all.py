from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import pytest

from voucherify_async import InvalidArgumentError, PaginationLimitError
from voucherify_async.testing import FakeVoucherify

from .conftest import Skipping

pytestmark = [pytest.mark.anyio, pytest.mark.sampled(ways=1)]

START = datetime(2026, 1, 1, tzinfo=UTC)
BOTH = pytest.mark.parametrize("concurrency", [1, 4])


def at(milliseconds: float) -> str:
    """The text of an instant."""
    return (START + timedelta(milliseconds=milliseconds)).isoformat()


def stock(fake: FakeVoucherify, instants: Iterable[float]) -> list[str]:
    """Put a voucher into the server for each instant, and return the codes."""
    made = [{"code": f"C-{n}", "created_at": at(ms)} for n, ms in enumerate(instants)]
    fake.add_vouchers(made)
    return [str(voucher["code"]) for voucher in made]


async def codes_of(fake: FakeVoucherify, **filters: Any) -> list[str | None]:
    """The codes of a whole listing."""
    return [voucher.code async for voucher in fake.client().vouchers.list_all(**filters)]


@BOTH
@pytest.mark.parametrize("inclusive", [False, True])
@pytest.mark.parametrize("spread", [1000, 1, 0.03])
async def test_every_voucher_comes_once(concurrency: int, inclusive: bool, spread: float) -> None:
    """Each comes exactly once and oldest first, however dense they are and bounds are meant."""
    fake = FakeVoucherify(record=False)
    fake.inclusive_dates = inclusive
    codes = stock(fake, (number * spread for number in range(600)))
    async with fake:
        assert await codes_of(fake, limit=10, concurrency=concurrency) == codes


@BOTH
async def test_listing_goes_past_the_ceiling(concurrency: int) -> None:
    """A listing of more than 9,900 vouchers has them all."""
    fake = FakeVoucherify(record=False)
    codes = stock(fake, (number // 3 for number in range(10_100)))
    async with fake:
        assert await codes_of(fake, concurrency=concurrency) == codes


@pytest.mark.parametrize("crowd", [990, 991])
@pytest.mark.parametrize("inclusive", [False, True])
@BOTH
async def test_crowd_in_one_instant(concurrency: int, crowd: int, inclusive: bool) -> None:
    """As many of one instant as the API's pages hold are listed; one more raises the way out."""
    fake = FakeVoucherify(record=False)
    fake.inclusive_dates = inclusive
    codes = stock(fake, [*range(5), *([7] * crowd), *range(8, 30)])
    async with fake:
        if crowd > 990:
            with pytest.raises(PaginationLimitError, match=r"category=.*exports\.create"):
                await codes_of(fake, limit=10, concurrency=concurrency)
        else:
            assert await codes_of(fake, limit=10, concurrency=concurrency) == codes


@BOTH
async def test_deletions_meanwhile_hide_nothing(concurrency: int) -> None:
    """Vouchers that are deleted while the walk is on do not let it miss another one."""
    fake = FakeVoucherify(record=False)
    codes = stock(fake, range(1000))
    seen: list[str | None] = []
    async with fake:
        client = fake.client()
        listing = client.vouchers.list_all(limit=10, concurrency=concurrency)
        async for voucher in listing:
            seen.append(voucher.code)
            if len(seen) % 60 == 0:
                await client.vouchers.delete(codes[len(seen) - 30], force=True)
    assert seen == codes


@BOTH
async def test_vouchers_created_meanwhile_are_left_out(concurrency: int) -> None:
    """What is created during the walk neither disturbs nor lengthens it."""
    fake = FakeVoucherify(record=False)
    codes = stock(fake, range(300))
    seen: list[str | None] = []
    async with fake:
        client = fake.client()
        async for voucher in client.vouchers.list_all(limit=10, concurrency=concurrency):
            seen.append(voucher.code)
            fake.add_vouchers({"code": f"NEW-{len(seen)}-{number}"} for number in range(3))
    assert seen == codes


@BOTH
async def test_filters_and_bounds_hold_in_every_window(concurrency: int) -> None:
    """The caller's own filters and bounds of `created_at` hold past the first window too."""
    fake = FakeVoucherify(record=False)
    codes = stock(fake, (number / 4 for number in range(2000)))
    for number in range(400):
        fake.add_voucher(code=f"OTHER-{number}", created_at=at(number), category="other")
    bounds = {"after": at(100), "before": at(350)}
    async with fake:
        seen = await codes_of(fake, limit=10, created_at=bounds, concurrency=concurrency)
        mine = [code for code in seen if code and code.startswith("C-")]
        kept = codes[404:1400] if mine[0] == codes[404] else codes[401:1400]
        assert mine == kept
        others = await codes_of(
            fake, limit=10, category="other", created_at=bounds, concurrency=concurrency
        )
        assert others == [f"OTHER-{number}" for number in range(101, 350)]


async def test_first_page_and_bounds_of_the_walk(fake: FakeVoucherify) -> None:
    """Awaited it is the first page; `max_items` and `pages()` work as for `list`."""
    codes = stock(fake, range(250))
    async with fake:
        listing = fake.client().vouchers.list_all(limit=100)
        page = await listing
        assert ([v.code for v in page], page.total, page.has_more) == (codes[:100], 250, True)
        assert len(fake.requests) == 1
        assert [v.code for v in await listing.collect(max_items=120)] == codes[:120]
        pages = [len(page) async for page in listing.pages()]
        assert sum(pages) == 250
        assert all(pages)
        assert await fake.client().vouchers.list_all(category="none").collect() == []


async def test_pages_are_read_several_at_once(fake: FakeVoucherify) -> None:
    """With a concurrency of 4, four pages are under way beside the caller, and no more."""
    stock(fake, range(200))
    async with fake:
        listing = fake.client().vouchers.list_all(limit=10, concurrency=4)
        walk = aiter(listing.pages())
        await anext(walk)
        await anext(walk)
        fake.faults.stall(at="before").times = None
        fake.clear_requests()
        with anyio.move_on_after(0.05):
            await anext(walk)
        assert len(fake.requests) <= 4
        fake.faults.clear()


async def test_listing_waits_for_the_quota(fake: FakeVoucherify, clock: Skipping) -> None:
    """A page waits for the quota's window to turn as long as it takes."""
    codes = stock(fake, range(50))
    fake.faults.rate_limited(wait=1800, after=2)
    async with fake:
        listing = fake.client(clock=clock).vouchers.list_all(limit=10)
        assert [voucher.code async for voucher in listing] == codes
    assert clock.skipped >= 1800


async def test_leaving_the_walk_early_is_clean(fake: FakeVoucherify) -> None:
    """A loop that is left early stops reading, and the client goes on working."""
    stock(fake, range(300))
    async with fake:
        client = fake.client()
        async for voucher in client.vouchers.list_all(limit=10, concurrency=5):
            if voucher.code == "C-25":
                break
        assert (await client.vouchers.get("C-1")).code == "C-1"


@pytest.mark.parametrize("created_at", [{"after": "yesterday"}, {"before": 5}])
async def test_unreadable_bounds_are_refused(fake: FakeVoucherify, created_at: Any) -> None:
    """A bound that is no instant is refused at once, since windows are cut by it."""
    async with fake:
        with pytest.raises(InvalidArgumentError, match="created_at"):
            fake.client().vouchers.list_all(created_at=created_at)
