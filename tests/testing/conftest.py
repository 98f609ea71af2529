from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from voucherify_async.testing import FakeVoucherify

CARD = "/v1/vouchers/CARD"
KEYS = {"X-App-Id": "id", "X-App-Token": "token"}


class Now:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.instant = datetime(2026, 3, 17, 15, 50, 0, 786_500, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Return the instant that the clock stands at."""
        return self.instant

    def move(self, seconds: float) -> None:
        """Move the clock on."""
        self.instant += timedelta(seconds=seconds)


@pytest.fixture
def now() -> Now:
    """A clock in the test's hand."""
    return Now()


@pytest.fixture
def fake(now: Now) -> FakeVoucherify:
    """An empty server on that clock."""
    return FakeVoucherify(now=now)


@pytest.fixture
async def api(fake: FakeVoucherify) -> AsyncIterator[httpx.AsyncClient]:
    """A plain HTTP client of that server, with credentials, in process."""
    async with fake:
        yield fake.http_client(headers=KEYS)


@pytest.fixture(params=["in process", "loopback"])
async def card_api(
    request: pytest.FixtureRequest, fake: FakeVoucherify
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the server, in process or over a socket; there is one gift card."""
    fake.add_voucher(code="CARD", gift={"amount": 100})
    async with fake, wired(fake, request.param) as client:
        yield client


@asynccontextmanager
async def wired(fake: FakeVoucherify, how: str) -> AsyncIterator[httpx.AsyncClient]:
    """Connect a client to the server, in process or over a socket."""
    if how == "in process":
        yield fake.http_client(headers=KEYS)
        return
    with fake.serve() as url:
        # Nothing to verify, and loading the authorities takes longer than most of the tests.
        async with httpx.AsyncClient(
            base_url=url, headers=KEYS, timeout=60, verify=False
        ) as client:
            yield client


async def credit(api: httpx.AsyncClient, amount: int = 1) -> httpx.Response:
    """Add to the balance of the card."""
    return await api.post(f"{CARD}/balance", json={"amount": amount})
