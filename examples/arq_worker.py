"""An arq worker: payments and lookups, in as many processes as wanted, on one quota.

```sh
pip install "voucherify-async[redis]" arq
export VOUCHERIFY_APP_ID=… VOUCHERIFY_APP_TOKEN=… REDIS_URL=redis://localhost:6379
arq examples.arq_worker.WorkerSettings       # in each process
```

```python
redis = await create_pool(WorkerSettings.redis_settings)
job = await redis.enqueue_job("pay", "order-1", 5000, ["GIFT-100"], _job_id="pay-order-1")
payment = await job.result()                 # or raises our error, pickled by arq
```
"""

# The types of the queue are not complete.
# pyright: basic
from __future__ import annotations

import os
from typing import Any, Final

from arq import Retry
from arq.connections import RedisSettings

from voucherify_async import AsyncVoucherify, RateLimitError, RedisQuotaStore, TransportError

from . import payments
from .payments import SETTLED_AFTER, Payment, Payments

REDIS_URL: Final = os.environ.get("REDIS_URL", "redis://localhost:6379")


async def startup(ctx: dict[str, Any]) -> None:
    """Make the one client of this process."""
    ctx["client"] = AsyncVoucherify(quota_store=RedisQuotaStore(REDIS_URL))
    ctx["payments"] = Payments(ctx["client"], ctx["redis"])


async def shutdown(ctx: dict[str, Any]) -> None:
    """Close it."""
    await ctx["client"].aclose()


async def pay(ctx: dict[str, Any], order_id: str, amount: int, codes: list[str]) -> Payment:
    """Pay an order; run again, by arq too, it settles what it began and sends nothing."""
    try:
        payment: Payment = await ctx["payments"].pay(order_id, amount, codes)
    except (TransportError, RateLimitError) as error:
        raise Retry(defer=30 * ctx["job_try"]) from error  # nothing was redeemed
    if payment["status"] == "open":
        raise Retry(defer=SETTLED_AFTER)
    return payment


async def voucher(ctx: dict[str, Any], code: str) -> dict[str, Any]:
    """Look a voucher up."""
    return await payments.voucher(ctx["client"], code)


class WorkerSettings:
    """What `arq` runs."""

    functions = (pay, voucher)
    on_startup = startup
    on_shutdown = shutdown
    redis_settings = RedisSettings.from_dsn(REDIS_URL)
    max_jobs = 50
    max_tries = 10
    # How often an idle worker looks for jobs.
    poll_delay = 0.1
