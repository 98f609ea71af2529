"""Celery with prefork: an event loop and a client a process, all of them on one quota.

```sh
pip install "voucherify-async[redis]" "celery[redis]"
export VOUCHERIFY_APP_ID=… VOUCHERIFY_APP_TOKEN=… REDIS_URL=redis://localhost:6379
celery -A examples.celery_tasks worker --pool prefork --concurrency 4
```

```python
pay.delay("order-1", 5000, ["GIFT-100"]).get()   # or raises our error, whole, though stored as JSON
```
"""

# The types of the queue are not complete.
# pyright: basic
from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine
from typing import Any, ClassVar, Final, TypeVar

from celery import Celery
from celery.signals import worker_process_init, worker_process_shutdown
from redis.asyncio import Redis

from voucherify_async import (
    AmbiguousOutcomeError,
    AsyncVoucherify,
    RateLimitError,
    RedisQuotaStore,
    TransportError,
)

from . import payments
from .payments import SETTLED_AFTER, Payment, Payments

REDIS_URL: Final = os.environ.get("REDIS_URL", "redis://localhost:6379")
T = TypeVar("T")

app = Celery("shop", broker=REDIS_URL, backend=REDIS_URL)
app.conf.update(
    # A message is kept until its task has ended, and comes again if its worker died.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
)
# No `soft_time_limit`: it would raise in the middle of the event loop. `Payments` has its own.


class Process:
    """What a process of the pool has: an event loop, and a client that lives in it."""

    current: ClassVar[Process]

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self.client = AsyncVoucherify(quota_store=RedisQuotaStore(REDIS_URL))
        self._redis = Redis.from_url(REDIS_URL)
        self.payments = Payments(self.client, self._redis)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something in the loop, to its end."""
        return self._runner.run(work)

    def close(self) -> None:
        """Close the client, then the loop."""
        self.run(self.client.aclose())
        self.run(self._redis.aclose())
        self._runner.close()


@worker_process_init.connect
def begin(**_: Any) -> None:
    """After the fork: neither a loop nor a connection survives one."""
    Process.current = Process()


@worker_process_shutdown.connect
def end(**_: Any) -> None:
    """At the end of the process."""
    Process.current.close()


@app.task(
    # Nothing was redeemed when one of these is raised.
    autoretry_for=(TransportError, RateLimitError),
    dont_autoretry_for=(AmbiguousOutcomeError,),
    retry_backoff=30,
    max_retries=5,
)
def pay(order_id: str, amount: int, codes: list[str]) -> Payment:
    """Pay an order; run again, it looks what became of it and sends nothing."""
    here = Process.current
    payment = here.run(here.payments.pay(order_id, amount, codes))
    if payment["status"] == "open":
        settle.apply_async((order_id,), countdown=SETTLED_AFTER)
    return payment


@app.task(bind=True, max_retries=None, default_retry_delay=SETTLED_AFTER)
def settle(self: Any, order_id: str) -> Payment:
    """Look what became of a payment, until it is certain."""
    here = Process.current
    payment = here.run(here.payments.settle(order_id))
    if payment["status"] == "open":
        raise self.retry()
    return payment


@app.task(autoretry_for=(TransportError, RateLimitError), retry_backoff=True)
def voucher(code: str) -> dict[str, Any]:
    """Look a voucher up."""
    here = Process.current
    return here.run(payments.voucher(here.client, code))
