"""Payments in a task queue: each order is paid once, however often the queue runs its task.

Queues run a task again when its worker died, and some do when it merely was slow. So a payment is
written down before it is sent, and whoever finds it written down looks what became of it and sends
nothing. Redis stands for the table of payments that a shop has; what matters is that `order_id` is
unique in it. `arq_worker.py`, `taskiq_worker.py` and `celery_tasks.py` differ in the queue alone.
"""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any, Final, Literal, Required, TypedDict

from redis.asyncio import Redis

from voucherify_async import (
    AmbiguousOutcomeError,
    AsyncVoucherify,
    NotFoundError,
    RedemptionResult,
    VoucherifyError,
    to_dict,
)

PATIENCE: Final = 60.0
"""Seconds that a payment may take, its waits for the quota included."""
SETTLED_AFTER: Final = 240.0
"""Seconds after which nothing of it can be on its way: Voucherify may take 180 of them."""
OPEN: Final = "payments:open"


class Payment(TypedDict, total=False):
    """What is known of a payment, as JSON."""

    status: Required[Literal["open", "paid", "not_paid"]]
    redemption_id: str | None
    left_to_pay: int | None
    sent_at: float
    error: dict[str, Any]


class Payments:
    """The table of payments, and the one way to make them."""

    def __init__(self, client: AsyncVoucherify, redis: Redis) -> None:
        self._client = client
        # Its types do not tell answers from what is to be awaited.
        self._redis: Any = redis

    async def pay(self, order_id: str, amount: int, codes: list[str]) -> Payment:
        """Redeem codes for an order, unless that was begun before.

        Raises:
            VoucherifyError: Nothing was redeemed; it may be tried again.
        """
        begun: Payment = {"status": "open", "sent_at": time.time()}
        await self._redis.sadd(OPEN, order_id)
        if not await self._redis.set(_key(order_id), json.dumps(begun), nx=True):
            return await self.settle(order_id)
        order = {"source_id": order_id, "amount": amount}
        try:
            async with asyncio.timeout(PATIENCE):
                result = await self._client.redemptions.redeem(redeemables=codes, order=order)
        except AmbiguousOutcomeError as error:
            return await self._write(order_id, {**begun, "error": error.to_dict()})
        except VoucherifyError:
            await self._forget(order_id)
            raise
        except TimeoutError:
            return begun
        return await self._close(order_id, result)

    async def settle(self, order_id: str) -> Payment:
        """Look what became of a payment; it stays open until that is certain."""
        written = await self._redis.get(_key(order_id))
        if written is None:
            return await self._forget(order_id)
        payment: Payment = json.loads(written)
        if payment["status"] != "open":
            return await self._write(order_id, payment)
        if "error" not in payment:
            return await self._look_at_order(order_id, payment)
        settled = await self._client.settle(AmbiguousOutcomeError.from_dict(payment["error"]))
        if settled.status == "done" and settled.result is not None:
            return await self._close(order_id, settled.result)
        return await self._forget(order_id) if settled.status == "not_done" else payment

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
                return await self._write(order_id, _paid(redemption_id, left))
        is_certain = time.time() - payment.get("sent_at", 0) > PATIENCE + SETTLED_AFTER
        return await self._forget(order_id) if is_certain else payment

    async def _close(self, order_id: str, result: RedemptionResult) -> Payment:
        redeemed = [one for one in result.redemptions or () if one.is_successful]
        if not redeemed:
            return await self._forget(order_id)
        whole = result.parent_redemption or redeemed[0]
        left = result.order.total_amount if result.order else None
        return await self._write(order_id, _paid(whole.id, left))

    async def _write(self, order_id: str, payment: Payment) -> Payment:
        await self._redis.set(_key(order_id), json.dumps(payment))
        if payment["status"] != "open":
            await self._redis.srem(OPEN, order_id)
        return payment

    async def _forget(self, order_id: str) -> Payment:
        await self._redis.delete(_key(order_id))
        await self._redis.srem(OPEN, order_id)
        return {"status": "not_paid"}


async def voucher(client: AsyncVoucherify, code: str) -> dict[str, Any]:
    """A voucher as JSON types, which every queue carries."""
    return to_dict(await client.vouchers.get(code))


def _key(order_id: str) -> str:
    return f"payment:{order_id}"


def _paid(redemption_id: str, left_to_pay: int | None) -> Payment:
    return {"status": "paid", "redemption_id": redemption_id, "left_to_pay": left_to_pay}
