"""Lookups under load: so many at once for so long, or so many in one gather."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from ..peers import asynchronous, floor, sdk
from ..peers.asynchronous import CONNECTIONS, Get
from .meter import Meter, Sample

T = TypeVar("T")


def asynchronous_load(
    peer: str, url: str, concurrency: int, seconds: float, *, uvloop: bool = False
) -> Sample:
    """`concurrency` callers, each looking up one voucher after the other, for so long."""

    async def main() -> Sample:
        async with getattr(asynchronous, peer)(url) as get:
            await _warm_up(get, concurrency)
            meter = Meter()
            ends_at = time.perf_counter() + seconds
            done = await asyncio.gather(*(_caller(get, ends_at) for _ in range(concurrency)))
            return meter.sample(sum(done))

    return _run(main, uvloop=uvloop)


def gather_load(peer: str, url: str, size: int, seconds: float, *, uvloop: bool = False) -> Sample:
    """`asyncio.gather` over `size` lookups, again and again for at least so long."""

    async def main() -> Sample:
        async with getattr(asynchronous, peer)(url) as get:
            await _warm_up(get, size)
            meter, rounds, started = Meter(), 0, time.perf_counter()
            while rounds == 0 or time.perf_counter() - started < seconds:
                await asyncio.gather(*(get(f"CODE-{number}") for number in range(size)))
                rounds += 1
            return meter.sample(rounds * size)

    return _run(main, uvloop=uvloop)


def threaded_load(url: str, threads: int, seconds: float) -> Sample:
    """The official SDK in so many threads."""
    get = sdk.lookup(url, threads)

    def caller(ends_at: float) -> int:
        done = 0
        while time.perf_counter() < ends_at:
            get(f"CODE-{done}")
            done += 1
        return done

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(get, ["CODE-1"] * threads))
        meter = Meter()
        ends_at = time.perf_counter() + seconds
        return meter.sample(sum(pool.map(caller, [ends_at] * threads)))


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
