"""A process that ends in one of many ways, with requests under way or not: see `test_endings`."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import suppress

from voucherify_async import AsyncVoucherify

CROWD = 30


async def crowd(client: AsyncVoucherify) -> None:
    """Many reads at once, and writes among them."""
    await asyncio.gather(
        *(client.vouchers.get("CODE") for _ in range(CROWD)),
        *(client.vouchers.update("CODE", {"category": "x"}) for _ in range(5)),
    )


async def left(client: AsyncVoucherify) -> asyncio.Task[None]:
    """A crowd that has begun and is not awaited."""
    task = asyncio.create_task(crowd(client))
    await asyncio.sleep(0.002)
    return task


async def main(url: str, ending: str) -> None:
    """Send, and end."""
    client = AsyncVoucherify("id", "token", base_url=url, http_backend="pyreqwest")
    await crowd(client)
    if ending in {"cancelled", "cancelled and closed"}:
        task = await left(client)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    elif ending in {"under way", "closed under way"}:
        task = await left(client)
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
    elif ending == "exit":
        await left(client)
        sys.exit(0)
    elif ending == "error":
        await crowd(client)
        raise ZeroDivisionError
    elif ending == "interrupt":
        await left(client)
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(30)
    if ending in {"closed", "cancelled and closed", "closed under way"}:
        await client.aclose()
    await asyncio.sleep(0)


if __name__ == "__main__":
    # A client that is left open is among what is tried out.
    with suppress(ZeroDivisionError, KeyboardInterrupt):
        asyncio.run(main(*sys.argv[1:]))
