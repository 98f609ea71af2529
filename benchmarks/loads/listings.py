"""A walk over pages by a caller who takes a while for each."""

from __future__ import annotations

import asyncio
from typing import TypedDict

import anyio

from ..peers import own
from ..peers.asynchronous import HEADERS
from .meter import Meter, Sample, peak_memory

_EARLY = 10


class Walk(TypedDict):
    """What a walk came to; memory in MB, after ten pages and at the end."""

    units: int
    seconds: float
    cpu: float
    early: float
    peak: float


def ours(url: str, pages: int, work: float, prefetch: int) -> Walk:
    """`vouchers.list` with so many pages read ahead; `work` is what the caller takes a page."""

    async def main() -> Walk:
        async with own.client("ours", url) as client:
            await client.vouchers.get("CODE-1")
            meter, seen, early = Meter(), 0, 0.0
            listing = client.vouchers.list(max_items=pages * 100, prefetch=prefetch)
            async for page in listing.pages():
                seen += 1
                assert page.query["page"] == seen
                if seen == _EARLY:
                    early = peak_memory()
                if work:
                    await anyio.sleep(work)
            return _walk(meter.sample(seen), early)

    return asyncio.run(main())


def raw_httpx(url: str, pages: int, work: float) -> Walk:
    """One page after the other with httpx, and no models."""
    import httpx

    async def main() -> Walk:
        async with httpx.AsyncClient(headers=HEADERS, timeout=own.SECONDS, base_url=url) as client:
            await client.get("/v1/vouchers/CODE-1")
            meter, early = Meter(), 0.0
            for number in range(1, pages + 1):
                response = await client.get("/v1/vouchers", params={"limit": 100, "page": number})
                response.json()
                if number == _EARLY:
                    early = peak_memory()
                if work:
                    await anyio.sleep(work)
            return _walk(meter.sample(pages), early)

    return asyncio.run(main())


def _walk(sample: Sample, early: float) -> Walk:
    peak = peak_memory()
    return {**sample, "early": early or peak, "peak": peak}
