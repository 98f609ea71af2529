"""Over sockets, behind a gateway that delivers late or lies: no checkout is ever done twice."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from voucherify_async import AmbiguousOutcomeError, AsyncVoucherify
from voucherify_async.testing import FakeVoucherify

from .conftest import MovingClock, policy
from .proxy import DELIVERED, UNKNOWN, Fate, Proxy, proxied

pytestmark = pytest.mark.anyio

LONG = 186
ORDER = {"source_id": "o-1", "amount": 500}
SESSION = {"type": "LOCK", "key": "mine"}
Send = Callable[[AsyncVoucherify, str], Awaitable[Any]]
WRITES: dict[str, Send] = {
    "by order": lambda c, _: c.redemptions.redeem(redeemables=["CARD"], order=ORDER),
    "by session": lambda c, _: c.redemptions.redeem(redeemables=["A"], session=SESSION),
    "several": lambda c, _: c.redemptions.redeem(redeemables=["A", "CARD"], order=ORDER),
    "confirmed": lambda c, _: c.redemptions.redeem(
        redeemables=["CARD"], order={"amount": 500}, confirm=True
    ),
    "rollback": lambda c, id_: c.redemptions.rollback(id_),
    "rollback confirmed": lambda c, id_: c.redemptions.rollback_stack(id_, confirm=True),
    "pay": lambda c, _: c.orders.create({"source_id": "paid", "status": "PAID"}),
}


@pytest.fixture
def fake(clock: MovingClock) -> FakeVoucherify:
    """A server with a gift card and a coupon."""
    fake = FakeVoucherify(now=clock.now)
    fake.add_voucher(code="CARD", gift={"amount": 1000})
    fake.add_voucher(code="A", discount={"type": "AMOUNT", "amount_off": 100})
    return fake


@pytest.fixture
async def proxy(fake: FakeVoucherify, clock: MovingClock) -> AsyncIterator[Proxy]:
    """A gateway before the server."""
    async with fake, proxied(fake, clock) as proxy:
        yield proxy


@pytest.mark.sampled(ways=2, whole=3)
@pytest.mark.parametrize("kind", UNKNOWN)
@pytest.mark.parametrize("name", WRITES)
async def test_no_checkout_is_done_twice(
    proxy: Proxy, clock: MovingClock, http_backend: Any, name: str, kind: Any
) -> None:
    """Whatever the gateway does with the whole request, it goes out once; settling tells."""
    async with AsyncVoucherify(
        proxy.fake.app_id,
        proxy.fake.app_token,
        base_url=proxy.url,
        clock=clock,
        retry=policy(),
        http_backend=http_backend,
    ) as client:
        made = await client.redemptions.redeem(redeemables=["A"], order="made")
        before = len(proxy.executed)
        proxy.fate = lambda p: Fate() if p.method == "GET" else Fate(kind, 60)
        error = None
        try:
            await WRITES[name](client, (made.redemptions or [])[0].id)
        except AmbiguousOutcomeError as caught:
            error = caught
        # What is late may come while it is looked for, or only later.
        if kind != "late" or "confirmed" not in name:
            assert (error is None) == ("confirmed" in name and kind in DELIVERED)
        proxy.fate = lambda _: Fate()
        while proxy.under_way:
            await clock.sleep(1)
        if error is not None:
            clock.move(LONG)
            settled = await client.settle(error)
            assert settled.status == ("not_done" if kind == "drop" else "done")
        assert len(proxy.executed) - before == (kind != "drop")
