"""Lookups under load: so many at once for so long, or so many in one gather."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from ..peers import asynchronous, floor, own, sdk
from ..peers.asynchronous import Get
from ..peers.own import CONNECTIONS
from .meter import Meter, Sample

T = TypeVar("T")


def asynchronous_load(
    peer: str, url: str, concurrency: int, seconds: float, *, uvloop: bool = False
) -> Sample:
    """`concurrency` callers, each looking up one voucher after the other, for so long."""

    async def main() -> Sample:
        async with asynchronous.lookup(peer, url) as get:
            return await callers(get, concurrency, seconds)

    return _run(main, uvloop=uvloop)


def gather_load(peer: str, url: str, size: int, seconds: float, *, uvloop: bool = False) -> Sample:
    """`asyncio.gather` over `size` lookups, again and again for at least so long."""

    async def main() -> Sample:
        async with asynchronous.lookup(peer, url) as get:
            await _warm_up(get, size)
            meter, rounds, started = Meter(), 0, time.perf_counter()
            while rounds == 0 or time.perf_counter() - started < seconds:
                await asyncio.gather(*(get(f"CODE-{number}") for number in range(size)))
                rounds += 1
            return meter.sample(rounds * size)

    return _run(main, uvloop=uvloop)


def threaded_load(url: str, threads: int, seconds: float) -> Sample:
    """The official SDK in so many threads."""
    return threaded(sdk.lookup(url, threads), threads, seconds)


def quota_load(
    peer: str, url: str, concurrency: int, seconds: float, *, redis: str | None = None
) -> Sample:
    """Like `asynchronous_load`, with a quota that is kept in that Redis."""

    async def main() -> Sample:
        more: dict[str, Any] = {}
        if redis is not None:
            # Named as missing where it is, instead of failing by our error.
            import redis as _  # noqa: F401

            from voucherify_async import RedisQuotaStore

            more["quota_store"] = RedisQuotaStore(redis)
        async with own.client(peer, url, **more) as client:
            return await callers(client.vouchers.get, concurrency, seconds)

    return asyncio.run(main())


def threaded(call: Callable[[str], object], threads: int, seconds: float) -> Sample:
    """So many threads, each calling again and again, for so long."""

    def caller(ends_at: float) -> int:
        done = 0
        while time.perf_counter() < ends_at:
            call(f"CODE-{done}")
            done += 1
        return done

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(call, ["CODE-1"] * threads))
        meter = Meter()
        ends_at = time.perf_counter() + seconds
        return meter.sample(sum(pool.map(caller, [ends_at] * threads)))


async def callers(call: Get, concurrency: int, seconds: float) -> Sample:
    """So many callers, each calling again and again, for so long."""
    await _warm_up(call, concurrency)
    meter = Meter()
    ends_at = time.perf_counter() + seconds
    done = await asyncio.gather(*(_caller(call, ends_at) for _ in range(concurrency)))
    return meter.sample(sum(done))


def floor_load(url: str, concurrency: int, seconds: float) -> Sample:
    """The hand-written socket loop."""
    meter = Meter()
    return meter.sample(floor.run(url, min(concurrency, CONNECTIONS), seconds))


async def _warm_up(get: Get, concurrency: int) -> None:
    await asyncio.gather(*(get("CODE-1") for _ in range(min(concurrency, CONNECTIONS))))


async def _caller(get: Get, ends_at: float) -> int:
    done = 0
    while time.perf_counter() < ends_at:
        await get(f"CODE-{done}")
        done += 1
    return done


def _run(main: Callable[[], Coroutine[Any, Any, T]], *, uvloop: bool) -> T:
    factory: Callable[[], asyncio.AbstractEventLoop] | None = None
    if uvloop:
        import uvloop as uv

        factory = uv.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(main())
