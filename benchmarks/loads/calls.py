"""Checkouts under load, and walks over pages one after the other."""

from __future__ import annotations

import asyncio

from ..peers import calls, sdk
from .lookups import callers, threaded
from .meter import Meter, Sample


def checkouts(peer: str, url: str, concurrency: int, seconds: float) -> Sample:
    """`concurrency` callers with one checkout after the other, for so long."""

    async def main() -> Sample:
        async with calls.checkout(peer, url) as check_out:
            return await callers(check_out, concurrency, seconds)

    return asyncio.run(main())


def threaded_checkouts(url: str, threads: int, seconds: float) -> Sample:
    """The official SDK in so many threads."""
    return threaded(sdk.checkout(url, threads), threads, seconds)


def walk(peer: str, url: str, pages: int) -> Sample:
    """One walk; the units are pages."""

    async def main() -> Sample:
        async with calls.walk(peer, url) as walk:
            await walk(1)
            meter = Meter()
            await walk(pages)
            return meter.sample(pages)

    return asyncio.run(main())


def sdk_walk(url: str, pages: int) -> Sample:
    """The same with the official SDK."""
    page = sdk.page(url)
    page(1)
    meter = Meter()
    for number in range(1, pages + 1):
        page(number)
    return meter.sample(pages)
