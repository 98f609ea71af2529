"""Over sockets, behind a gateway that delivers late or lies: no write is ever done twice."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from voucherify_async import AmbiguousOutcomeError, AsyncVoucherify, BadRequestError
from voucherify_async.testing import FakeVoucherify

from .conftest import MovingClock, policy
from .faults import DISCOUNT, balance
from .proxy import DELIVERED, UNKNOWN, Fate, Parcel, Proxy, proxied

pytestmark = [pytest.mark.anyio, pytest.mark.sampled(ways=2, whole=3)]

LONG = 186
HISTORY = "GET /v1/vouchers/{code}/transactions"
GIFT = {"type": "GIFT_VOUCHER", "gift": {"amount": 700}}
WRITES: dict[str, tuple[str, Callable[[AsyncVoucherify], Awaitable[Any]]]] = {
    "balance": ("mine", lambda c: c.vouchers.update_balance("CARD", 5, source_id="mine")),
    "confirmed": (
        "mine",
        lambda c: c.vouchers.update_balance("CARD", 5, source_id="mine", confirm=True),
    ),
    "create": ("NEW", lambda c: c.vouchers.create("NEW", GIFT)),
    "import": ("NEW", lambda c: c.imports.vouchers([{"code": "NEW", **DISCOUNT}])),
    "enable": ("CARD", lambda c: c.vouchers.enable("CARD")),
}
LOOKING = {"confirmed", "create"}


@pytest.fixture
async def proxy(fake: FakeVoucherify, clock: MovingClock) -> AsyncIterator[Proxy]:
    """A gateway before the server."""
    async with fake, proxied(fake, clock) as proxy:
        yield proxy


@pytest.fixture
async def client(
    proxy: Proxy, clock: MovingClock, http_backend: Any
) -> AsyncIterator[AsyncVoucherify]:
    """A client with each HTTP stack of its own, behind the gateway."""
    async with AsyncVoucherify(
        proxy.fake.app_id,
        proxy.fake.app_token,
        base_url=proxy.url,
        clock=clock,
        retry=policy(),
        http_backend=http_backend,
    ) as client:
        yield client


def writes(fate: Fate) -> Callable[[Parcel], Fate]:
    """What becomes of every write; reads pass."""
    return lambda parcel: Fate() if parcel.method == "GET" else fate


async def delivered(proxy: Proxy, clock: MovingClock) -> None:
    """Wait until the last write has reached the server."""
    while proxy.under_way:
        await clock.sleep(1)


@pytest.mark.parametrize("kind", UNKNOWN)
@pytest.mark.parametrize("name", WRITES)
async def test_no_write_is_done_twice(
    client: AsyncVoucherify, proxy: Proxy, clock: MovingClock, name: str, kind: Any
) -> None:
    """Whatever the gateway does with the whole request, it goes out once; settling tells."""
    label, write = WRITES[name]
    proxy.fate = writes(Fate(kind, 60))
    error = None
    try:
        await write(client)
    except AmbiguousOutcomeError as caught:
        error = caught
    assert (error is None) == (name in LOOKING and kind in DELIVERED)
    proxy.fate = lambda _: Fate()
    await delivered(proxy, clock)
    assert proxy.times(label) == (kind != "drop")
    if error is not None:
        clock.move(LONG)
        while (settled := await client.settle(error)).status == "unknown":
            assert settled.why.startswith("A job that may be it has not ended")
        # Enabling what is enabled leaves no trace of its own.
        is_done = kind != "drop" or name == "enable"
        assert settled.status == ("done" if is_done else "not_done")
    assert proxy.times(label) == (kind != "drop")


@pytest.mark.parametrize("delay", [0.2, 1, 2.5, 5, 9, 30])
async def test_a_late_delivery_is_found_or_left_open(
    client: AsyncVoucherify,
    proxy: Proxy,
    clock: MovingClock,
    fake: FakeVoucherify,
    delay: float,
) -> None:
    """With `confirm`, what arrives while it is looked for is told; what comes later is open."""
    proxy.fate = writes(Fate("late", delay))
    write = client.vouchers.update_balance("CARD", 5, confirm=True, confirm_within=10)
    if delay < 7:
        assert (await write).balance == 1005
    else:
        with pytest.raises(AmbiguousOutcomeError) as caught:
            await write
        await delivered(proxy, clock)
        settled = await client.settle(caught.value)
        assert (settled.status, settled.looked_at) == ("done", (HISTORY,))
    assert len(proxy.executed) == 1
    assert balance(fake) == 1005


@pytest.mark.parametrize("name", WRITES)
async def test_what_the_api_refuses_is_told_as_refused(
    client: AsyncVoucherify, proxy: Proxy, name: str
) -> None:
    """A refusal in the API's own words is final, and a 429 is waited out."""
    label, write = WRITES[name]
    fates = iter([Fate("429"), Fate("400"), Fate("429"), Fate()])
    proxy.fate = lambda parcel: Fate() if parcel.method == "GET" else next(fates)
    with pytest.raises(BadRequestError):
        await write(client)
    assert proxy.times(label) == 0
    await write(client)
    assert proxy.times(label) == 1


@pytest.mark.parametrize("kind", ["other", "html"])
async def test_connections_are_not_trusted_after_a_misfit(
    client: AsyncVoucherify, proxy: Proxy, kind: Any
) -> None:
    """After an answer that was not to its request, the next call takes another connection."""
    await client.vouchers.get("CARD")
    await client.vouchers.get("CARD")
    assert proxy.connections == 1
    proxy.fate = writes(Fate(kind))
    with pytest.raises(AmbiguousOutcomeError):
        await client.vouchers.update_balance("CARD", 5)
    await client.vouchers.get("CARD")
    assert proxy.connections == 2
