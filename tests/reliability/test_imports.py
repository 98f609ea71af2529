"""Imports over sockets: what may have arrived is looked for, and sent once."""

from __future__ import annotations

from typing import Any

import pytest

from voucherify_async import AsyncVoucherify
from voucherify_async.testing import FakeVoucherify

from .conftest import MovingClock

pytestmark = pytest.mark.anyio

CARDS = [{"code": f"N-{n}", "type": "GIFT_VOUCHER", "gift": {"amount": 1}} for n in range(30)]
ROWS = [{"Code": f"N-{n}", "Voucher Type": "GIFT_VOUCHER", "Value": "9", "Redeemed Amount": "4"}
        for n in range(30)]  # fmt: skip


@pytest.mark.parametrize(
    ("items", "fault", "sent"),
    [
        pytest.param(CARDS, "reset_after_headers", 1, id="head of a 202"),
        pytest.param(CARDS, "cut_body", 1, id="half of a body"),
        pytest.param(CARDS, "reset", 2, id="nothing"),
        pytest.param(ROWS, "lose_answer", 1, id="nothing of an upload's"),
    ],
)
async def test_an_import_whose_answer_broke(
    socket_client: AsyncVoucherify,
    fake: FakeVoucherify,
    clock: MovingClock,
    items: list[dict[str, Any]],
    fault: str,
    sent: int,
) -> None:
    """A request whose answer broke off, at whatever byte, is sent again only where the API never
    got it, and then after three minutes.
    """
    getattr(fake.faults, fault)(method="POST")
    report = await socket_client.imports.stream(items)
    assert (report.done_count, report.failures) == (30, ())
    assert sum(request.method == "POST" for request in fake.requests) == sent
    assert (clock.seconds >= 180) == (sent > 1)
