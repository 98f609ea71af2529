"""Payments in a task queue: each order is paid once, however often the queue runs its task.

Queues run a task again when its worker died, and some do when it merely was slow. So a payment is
written down before it is sent, and whoever finds it written down looks what became of it and sends
nothing. Redis stands for the table of payments that a shop has; what matters is that `order_id` is
unique in it. `arq_worker.py`, `taskiq_worker.py` and `celery_tasks.py` differ in the queue alone.
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any, Final, Literal, Required, TypedDict
from uuid import uuid4

from redis.asyncio import Redis

from voucherify_async import (
    AmbiguousOutcomeError,
    AsyncVoucherify,
    NotFoundError,
    RedemptionResult,
    RetryPolicy,
    VoucherifyError,
    to_dict,
)

PATIENCE: Final = 60.0
"""Seconds that a payment may take from being written down, its waits for the quota included."""
SETTLED_AFTER: Final = 240.0
"""Seconds after which nothing of it can be on its way: Voucherify may take 180 of them, and clocks
may differ by the rest. On machines that are paused, add the longest pause (see `Payments.pay`)."""
OPEN: Final = "payments:open"
_CHANGE: Final = """
local written = redis.call('GET', KEYS[1])
if (written or '') == ARGV[1] then
    written = ARGV[2]
    if written == '' then redis.call('DEL', KEYS[1]) else redis.call('SET', KEYS[1], written) end
    redis.call(ARGV[3], KEYS[2], ARGV[4])
end
return written or ''
"""
"""As SQL would say: UPDATE … WHERE order_id = … AND payment = …; returns what is written then."""


class Payment(TypedDict, total=False):
    """What is known of a payment, as JSON."""

    status: Required[Literal["open", "paid", "not_paid"]]
    redemption_id: str | None
    left_to_pay: int | None
    run: str
    sent_at: float
    error: dict[str, Any]


NOT_PAID: Final[Payment] = {"status": "not_paid"}


class Payments:
    """The table of payments, and the one way to make them."""

    def __init__(self, client: AsyncVoucherify, redis: Redis) -> None:
        self._client = client
        # Its types do not tell answers from what is to be awaited.
        self._redis: Any = redis

    async def pay(self, order_id: str, amount: int, codes: list[str]) -> Payment:
        """Redeem codes for an order, unless that was begun before.

        A process may be stopped at any point, and go on when others took it for dead and settled
        its payment. So the sending has a deadline, which the client looks at right before it
        writes; and what others have changed meanwhile is left as it is.

        A request may still leave late where the process is stopped in the microseconds between that
        look at the clock and the writing; and where a whole machine is paused: the kernel sends
        what it had taken before, and clocks that stood still go on as if nothing had happened.
        Only a longer `SETTLED_AFTER` helps against these.

        Raises:
            VoucherifyError: Nothing was redeemed, maybe as it was too late to send it; it may be
                tried again.
        """
        begun: Payment = {"status": "open", "run": uuid4().hex, "sent_at": time.time()}
        if await self._change(order_id, None, begun) != begun:
            return await self.settle(order_id)
        in_time = RetryPolicy(deadline=datetime.fromtimestamp(begun["sent_at"] + PATIENCE, UTC))
        order = {"source_id": order_id, "amount": amount}
        try:
            result = await self._client.redemptions.redeem(
                redeemables=codes, order=order, retry=in_time
            )
        except AmbiguousOutcomeError as error:
            return await self._change(order_id, begun, {**begun, "error": error.to_dict()})
        except VoucherifyError:
            await self._change(order_id, begun, NOT_PAID)
            raise
        return await self._close(order_id, begun, result)

    async def settle(self, order_id: str) -> Payment:
        """Look what became of a payment; it stays open until that is certain."""
        written = await self._redis.get(_key(order_id))
        payment: Payment = json.loads(written) if written else NOT_PAID
        if payment["status"] != "open":
            return payment
        if "error" not in payment:
            return await self._look_at_order(order_id, payment)
        settled = await self._client.settle(AmbiguousOutcomeError.from_dict(payment["error"]))
        if settled.status == "done" and settled.result is not None:
            return await self._close(order_id, payment, settled.result)
        if settled.status == "not_done":
            return await self._change(order_id, payment, NOT_PAID)
        return payment

    async def settle_all(self) -> list[Payment]:
        """Settle every open payment."""
        order_ids = sorted(await self._redis.smembers(OPEN))
        return [await self.settle(order_id.decode()) for order_id in order_ids]

    async def _look_at_order(self, order_id: str, payment: Payment) -> Payment:
        # Whoever sent it was killed: all that is left is what Voucherify knows of the order.
        try:
            order = await self._client.orders.get(order_id)
        except NotFoundError:
            order = None
        for redemption_id, redemption in ((order and order.redemptions) or {}).items():
            if redemption.rollback_id is None:
                left = order.total_amount if order else None
                return await self._change(order_id, payment, _paid(redemption_id, left))
        is_certain = time.time() - payment.get("sent_at", 0) > PATIENCE + SETTLED_AFTER
        return await self._change(order_id, payment, NOT_PAID) if is_certain else payment

    async def _close(self, order_id: str, payment: Payment, result: RedemptionResult) -> Payment:
        redeemed = [one for one in result.redemptions or () if one.is_successful]
        if not redeemed:
            return await self._change(order_id, payment, NOT_PAID)
        whole = result.parent_redemption or redeemed[0]
        left = result.order.total_amount if result.order else None
        return await self._change(order_id, payment, _paid(whole.id, left))

    async def _change(self, order_id: str, known: Payment | None, new: Payment) -> Payment:
        """Write what has become of a payment, unless somebody else has; returns what is written.

        Args:
            order_id: The order.
            known: What was written when this was decided; None for nothing.
            new: What is to be written; what is not paid may be begun anew.
        """
        is_open = new["status"] == "open"
        written = await self._redis.eval(
            _CHANGE,
            2,
            _key(order_id),
            OPEN,
            "" if known is None else json.dumps(known),
            "" if new == NOT_PAID else json.dumps(new),
            "SADD" if is_open else "SREM",
            order_id,
        )
        standing: Payment = json.loads(written) if written else NOT_PAID
        return standing


async def voucher(client: AsyncVoucherify, code: str) -> dict[str, Any]:
    """A voucher as JSON types, which every queue carries."""
    return to_dict(await client.vouchers.get(code))


def _key(order_id: str) -> str:
    return f"payment:{order_id}"


def _paid(redemption_id: str, left_to_pay: int | None) -> Payment:
    return {"status": "paid", "redemption_id": redemption_id, "left_to_pay": left_to_pay}
