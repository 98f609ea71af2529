"""The same work in ever larger amounts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypedDict

from voucherify_async import AsyncVoucherify

from .. import payloads
from ..peers import importing, own
from .meter import Meter, Sample, peak_memory

_OPEN = 20
_IMPORTED_AT_ONCE = 10_000
_LEAST_SECONDS = 0.3


class Cost(TypedDict):
    """What so many units came to, and the process's peak memory in MB."""

    units: int
    seconds: float
    cpu: float
    peak: float


def lookups(url: str, count: int) -> Cost:
    """So many lookups, twenty callers at work."""

    async def work(client: AsyncVoucherify) -> int:
        codes = iter(range(count))

        async def caller() -> None:
            for code in codes:
                await client.vouchers.get(f"CODE-{code}")

        await asyncio.gather(*(caller() for _ in range(_OPEN)))
        return count

    return asyncio.run(_measure(url, work))


def pages(url: str, count: int) -> Cost:
    """Walk so many transactions; the units are pages."""

    async def work(client: AsyncVoucherify) -> int:
        seen = 0
        async for _ in client.transactions.list(f"CARD-{count}", limit=100):
            seen += 1
        assert seen == count
        return count // payloads.PAGE

    return asyncio.run(_measure(url, work))


def imports(url: str, count: int) -> Cost:
    """Import so many vouchers, made as they are needed, ten thousand a request at the most."""
    make = importing.ours()

    async def work(client: AsyncVoucherify) -> int:
        for first in range(0, count, _IMPORTED_AT_ONCE):
            numbers = range(first, min(first + _IMPORTED_AT_ONCE, count))
            await client.imports.vouchers(make(payloads.import_item(n)) for n in numbers)  # type: ignore[misc]
        return count

    return asyncio.run(_measure(url, work))


async def _measure(url: str, work: Callable[[AsyncVoucherify], Awaitable[int]]) -> Cost:
    """Do it, and again while it takes too little time to be measured."""
    async with own.client("ours", url) as client:
        await asyncio.gather(*(client.vouchers.get("CODE-1") for _ in range(_OPEN)))
        meter, units, started = Meter(), 0, time.perf_counter()
        while not units or time.perf_counter() - started < _LEAST_SECONDS:
            units += await work(client)
        sample: Sample = meter.sample(units)
    return {**sample, "peak": peak_memory()}
