"""A taskiq worker: payments and lookups, in as many processes as wanted, on one quota.

```sh
pip install "voucherify-async[redis]" taskiq taskiq-redis
export VOUCHERIFY_APP_ID=… VOUCHERIFY_APP_TOKEN=… REDIS_URL=redis://localhost:6379
taskiq worker examples.taskiq_worker:broker --workers 4
taskiq scheduler examples.taskiq_worker:scheduler        # once: settles what is open
```

```python
task = await pay.kiq("order-1", 5000, ["GIFT-100"])
result = await task.wait_result(timeout=90)
result.raise_for_error()                                 # our error, whole, though it came as JSON
```
"""

# The types of the queue are not complete.
# pyright: basic
from __future__ import annotations

import os
from typing import Annotated, Any, Final

from redis.asyncio import Redis
from taskiq import Context, SimpleRetryMiddleware, TaskiqDepends, TaskiqEvents, TaskiqScheduler
from taskiq.schedule_sources import LabelScheduleSource
from taskiq.serializers import JSONSerializer
from taskiq.state import TaskiqState
from taskiq_redis import RedisAsyncResultBackend, RedisStreamBroker

from voucherify_async import AsyncVoucherify, RateLimitError, RedisQuotaStore, TransportError

from . import payments
from .payments import Payments

REDIS_URL: Final = os.environ.get("REDIS_URL", "redis://localhost:6379")

results: RedisAsyncResultBackend[Any] = RedisAsyncResultBackend(
    REDIS_URL, result_ex_time=3600, serializer=JSONSerializer()
)
# Nothing was redeemed when one of these is raised. A stream, unlike a list, keeps a message until
# its task has ended, and hands it to another worker when its own has died.
retries = SimpleRetryMiddleware(types_of_exceptions=(TransportError, RateLimitError))
broker = (
    RedisStreamBroker(REDIS_URL, idle_timeout=600_000)
    .with_result_backend(results)
    .with_middlewares(retries)
)
scheduler = TaskiqScheduler(broker, [LabelScheduleSource(broker)])


@broker.on_event(TaskiqEvents.WORKER_STARTUP)
async def startup(state: TaskiqState) -> None:
    """Make the one client of this process."""
    state.client = AsyncVoucherify(quota_store=RedisQuotaStore(REDIS_URL))
    state.redis = Redis.from_url(REDIS_URL)
    state.payments = Payments(state.client, state.redis)


@broker.on_event(TaskiqEvents.WORKER_SHUTDOWN)
async def shutdown(state: TaskiqState) -> None:
    """Close it."""
    await state.client.aclose()
    await state.redis.aclose()


Ctx = Annotated[Context, TaskiqDepends()]


@broker.task(retry_on_error=True, max_retries=5)
async def pay(order_id: str, amount: int, codes: list[str], context: Ctx) -> dict[str, Any]:
    """Pay an order; run again, it looks what became of it and sends nothing."""
    paid: dict[str, Any] = await context.state.payments.pay(order_id, amount, codes)
    return paid


@broker.task(schedule=[{"cron": "*/4 * * * *"}])
async def settle_all(context: Ctx) -> list[dict[str, Any]]:
    """Settle the payments whose outcome is open."""
    settled: list[dict[str, Any]] = await context.state.payments.settle_all()
    return settled


@broker.task
async def voucher(code: str, context: Ctx) -> dict[str, Any]:
    """Look a voucher up."""
    return await payments.voucher(context.state.client, code)
