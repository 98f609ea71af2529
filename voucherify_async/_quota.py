"""Holds the client's own requests back while the quota is used up, in the order they came.

Voucherify counts calls in fixed windows. A request is let through while the calls left, less
those under way, are more than none; past that it waits for an answer that says otherwise, and once
nothing is under way, for the window to turn.
"""

from __future__ import annotations

import math

import anyio

from . import _protocol
from ._clock import Clock
from ._protocol import Answer
from .errors import RateLimitError


class Quota:
    """One quota of one project: that of plain calls or that of bulk calls."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._remaining = math.inf
        self._limit = math.inf
        self._resets_at = -math.inf
        self._window: str | None = None
        self._under_way = 0
        self._turn = anyio.Lock()
        self._changed = anyio.Event()

    async def enter(self, max_wait: float) -> None:
        """Wait until one more request may be sent, and count it as under way.

        Args:
            max_wait: Seconds to wait at the most for the window to turn.

        Raises:
            RateLimitError: The window turns later than that; `retry_after` says when.
        """
        if not self._is_open() or self._turn.locked():
            give_up_at = self._clock.monotonic() + max_wait
            self._refuse_after(give_up_at)
            async with self._turn:
                await self._wait_until_open(give_up_at)
        self._under_way += 1

    def leave(self, answer: Answer | None) -> None:
        """Note what came of a request that `enter` let through; None where no answer came."""
        self._under_way -= 1
        if answer is not None:
            self._note(answer)
        if self._turn.locked():
            self._changed.set()

    def _is_open(self) -> bool:
        if self._clock.monotonic() >= self._resets_at and self._remaining <= 0:
            # The window turned. What is under way was counted in the old one or will be in the new.
            self._remaining = self._limit
        return self._remaining - self._under_way > 0

    def _refuse_after(self, give_up_at: float) -> None:
        if self._remaining <= 0 and self._resets_at > give_up_at:
            wait = self._resets_at - self._clock.monotonic()
            raise RateLimitError(
                f"The quota is used up; the next request can be made in {wait:.1f} s. Nothing was "
                "sent. Wait that long, or allow it with RetryPolicy(max_wait=...)",
                status_code=429,
                retry_after=wait,
            )

    async def _wait_until_open(self, give_up_at: float) -> None:
        while not self._is_open():
            self._refuse_after(give_up_at)
            if self._under_way:
                self._changed = anyio.Event()
                await self._changed.wait()
            else:
                await self._clock.sleep(max(0.0, self._resets_at - self._clock.monotonic()))

    def _note(self, answer: Answer) -> None:
        headers = answer.headers
        refused = answer.status_code == 429
        stated = 0 if refused else _protocol.integer(headers.get("x-rate-limit-remaining"))
        if stated is None:
            return
        # Answers overtake each other: within a window the lowest count is the latest one.
        window = headers.get("x-rate-limit-retry")
        same_window = window is not None and window == self._window
        self._remaining = min(self._remaining, stated) if same_window else stated
        self._window = window
        if self._remaining <= 0:
            wait = _protocol.retry_after(headers, self._clock.time())
            self._limit = _protocol.integer(headers.get("x-rate-limit-limit")) or math.inf
            self._resets_at = self._clock.monotonic() + (wait or 0.0)
