"""The client's notion of time, in one place, so that tests can move it."""

from __future__ import annotations

import time

import anyio


class Clock:
    """The machine's clock. Subclass it and pass it as `clock=` to move time in a test."""

    def time(self) -> float:
        """Seconds since 1970, to compare with instants that Voucherify states."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that only go forward, to measure durations with."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait; cancelled like any other await."""
        await anyio.sleep(seconds)
