"""Holds the client's own requests back while the quota is used up, in the order they came.

Voucherify counts calls in fixed windows. A request is let through while the calls left, less
those under way, are more than none; past that it waits for an answer that says otherwise, or for
the window to turn.
"""

from __future__ import annotations

import math
from typing import Final

import anyio

from .._clock import Clock
from .._protocol import rate_limits
from .._protocol.answers import Answer
from ..errors import RateLimitError

LONGEST_WINDOW: Final = 3600.0
"""Seconds of the longest window that Voucherify has. An answer that tells a longer wait, by mistake
or for a month's quota, must not close the client for as long: after these one request may ask."""


class Quota:
    """One quota of one project: that of plain calls or that of bulk calls."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._remaining = math.inf
        self._window: str | None = None
        self._ended_window: str | None = None
        self._stated: Answer | None = None
        self._stated_at = 0.0
        self._under_way = 0
        self._waiting = 0
        self._turn = anyio.Lock()
        self._changed = anyio.Event()

    def try_enter(self) -> bool:
        """Count one more request as under way, if it may be sent now and nobody waits before it."""
        if self._waiting or not self._is_open():
            return False
        self._under_way += 1
        return True

    async def enter(self, max_wait: float) -> None:
        """Wait until one more request may be sent, and count it as under way.

        Args:
            max_wait: Seconds to wait at the most for the window to turn.

        Raises:
            RateLimitError: The window turns later than that; `retry_after` says when.
        """
        give_up_at = self._clock.monotonic() + max_wait
        self._refuse_after(give_up_at)
        self._waiting += 1
        try:
            async with self._turn:
                await self._wait_until_open(give_up_at)
                self._under_way += 1
        finally:
            self._waiting -= 1

    def opens_in(self) -> float | None:
        """Seconds until the window turns; None where no answer said so."""
        turns_at = self._turns_at()
        return None if turns_at is None else max(0.0, turns_at - self._clock.monotonic())

    def leave(self, answer: Answer | None) -> None:
        """Note what came of a request that was let through; None where no answer came."""
        self._under_way -= 1
        if answer is not None:
            self._note(answer)
        if self._waiting:
            self._changed.set()

    def _is_open(self) -> bool:
        if self._remaining > self._under_way:
            return True
        turns_at = self._turns_at()
        if turns_at is None:
            if self._remaining > 0:
                return False
        elif self._clock.monotonic() < turns_at:
            return False
        self._start_window()
        return self._remaining > self._under_way

    def _start_window(self) -> None:
        # What is under way was counted in the window before or will be in this one.
        headers = self._stated.headers if self._stated else {}
        self._remaining = rate_limits.integer(headers.get("x-rate-limit-limit")) or math.inf
        self._ended_window, self._window, self._stated = self._window, None, None

    def _turns_at(self) -> float | None:
        """When the window turns by our clock; None where no answer said so."""
        if self._stated is None:
            return None
        # Read here, and not for each answer, of which few are followed by a wait.
        wait = rate_limits.retry_after(self._stated.headers, self._stated_time())
        return None if wait is None else self._stated_at + min(wait, LONGEST_WINDOW)

    def _stated_time(self) -> float:
        return self._clock.time() - (self._clock.monotonic() - self._stated_at)

    def _refuse_after(self, give_up_at: float) -> None:
        turns_at = self._turns_at()
        if self._remaining <= 0 and turns_at is not None and turns_at > give_up_at:
            wait = turns_at - self._clock.monotonic()
            raise RateLimitError(
                f"The quota is used up; the next request can be made in {wait:.1f} s. Nothing was "
                "sent. Wait that long, or allow it with RetryPolicy(max_wait=...)",
                status_code=429,
                retry_after=wait,
            )

    async def _wait_until_open(self, give_up_at: float) -> None:
        while not self._is_open():
            self._refuse_after(give_up_at)
            turns_at = self._turns_at()
            if turns_at is None:
                await self._wait_for_change()
            else:
                await self._wait_for_change_or_turn(turns_at - self._clock.monotonic())

    async def _wait_for_change(self) -> None:
        while True:
            self._changed = anyio.Event()
            await self._changed.wait()
            # Most answers tell nothing new: one call less is left, and one less is under way.
            if self._remaining <= 0 or self._remaining > self._under_way:
                return

    async def _wait_for_change_or_turn(self, at_most: float) -> None:
        # A request that hangs must not hold the others back beyond the turn of the window.
        async with anyio.create_task_group() as group:

            async def turn() -> None:
                await self._clock.sleep(max(0.0, at_most))
                group.cancel_scope.cancel()

            group.start_soon(turn)
            await self._wait_for_change()
            group.cancel_scope.cancel()

    def _note(self, answer: Answer) -> None:
        headers = answer.headers
        refused = answer.status_code == 429
        stated = 0 if refused else rate_limits.integer(headers.get("x-rate-limit-remaining"))
        if stated is None:
            return
        window = headers.get("x-rate-limit-retry")
        if refused or window is None:
            self._remaining, self._window = stated, window or self._window
        elif window == self._window:
            # Answers overtake each other: within a window the lowest count is the latest one.
            self._remaining = min(self._remaining, stated)
        elif window == self._ended_window or self._is_past(window):
            return
        else:
            self._remaining, self._window = stated, window
        self._stated, self._stated_at = answer, self._clock.monotonic()

    def _is_past(self, window: str | None) -> bool:
        this, current = rate_limits.integer(window), rate_limits.integer(self._window)
        return this is not None and current is not None and this < current
