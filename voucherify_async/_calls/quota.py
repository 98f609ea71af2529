"""Holds the client's own requests back while the quota is used up, in the order they came.

Voucherify counts calls in fixed windows. A request is let through while more calls are left than
are under way. Past that it waits for an answer that says otherwise, or for the window to turn; a
429 that does not count calls is a gateway's, and only its own wait is waited.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import anyio

from .._clock import Clock
from .._protocol import rate_limits
from .._protocol.answers import Answer
from .._protocol.rate_limits import Turn
from ..errors import RateLimitError
from .limits import Limit

OnWait = Callable[[float | None], Awaitable[None]]
"""Told before a wait for the quota: how many seconds it will be, where that is known."""


class Quota:
    """One quota of one project: that of plain calls or that of bulk calls."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._remaining = math.inf
        self._window: str | None = None
        self._ended_window: str | None = None
        self._stated: Answer | None = None
        self._stated_at = 0.0
        self._paused_until = 0.0
        self._asking = False
        self._under_way = 0
        self._waiting = 0
        # Nobody comes to `enter` unless `try_enter` said no.
        self._is_closed = True
        self._turn = anyio.Lock()
        self._changed = anyio.Event()

    def try_enter(self) -> bool:
        """Count one more request as under way, if it may be sent now and nobody waits before it."""
        if self._waiting or not self._is_open():
            return False
        self._under_way += 1
        return True

    async def enter(self, max_wait: float, limit: Limit, on_wait: OnWait | None = None) -> None:
        """Wait until one more request may be sent, and count it as under way.

        Args:
            max_wait: Seconds to wait at the most for the window to turn.
            limit: The call's own limit.
            on_wait: Told before a wait for the quota, and not before one for a store alone.

        Raises:
            RateLimitError: The window turns later than that; `retry_after` says when.
        """
        while True:
            give_up_at = self._clock.monotonic() + min(max_wait, limit.left())
            self._refuse_after(give_up_at)
            if on_wait is not None and self._is_closed:
                # Not in the queue, as it may make calls itself.
                await on_wait(self.opens_in())
                on_wait = None
            async with self._queue():
                if await self._admit(limit, give_up_at, may_wait=on_wait is None):
                    self._under_way += 1
                    return

    def opens_in(self) -> float | None:
        """Seconds until the window turns; None where no answer said so."""
        opens_at = self._opens_at()
        return None if opens_at is None else max(0.0, opens_at - self._clock.monotonic())

    def leave(self, answer: Answer | None) -> None:
        """Note what came of a request that was let through; None where no answer came."""
        self._under_way -= 1
        if answer is not None:
            self._note(answer)
        if self._waiting:
            self._changed.set()

    async def aclose(self) -> None:
        """Nothing is left to be given back."""

    async def _admit(self, limit: Limit, give_up_at: float, *, may_wait: bool) -> bool:  # noqa: ARG002
        """Wait for one call to be let through; False where that takes long, and nobody was told."""
        await self._wait_until_open(give_up_at)
        return True

    @asynccontextmanager
    async def _queue(self) -> AsyncIterator[None]:
        """Wait for whoever came before."""
        self._waiting += 1
        try:
            async with self._turn:
                yield
        finally:
            self._waiting -= 1

    def _is_open(self) -> bool:
        if self._is_paused():
            return False
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

    def _is_paused(self) -> bool:
        return self._paused_until > 0 and self._clock.monotonic() < self._paused_until

    def _start_window(self) -> None:
        turn = self._turn_of(self._stated)
        self._asking = turn is not None and not turn.is_certain
        if self._asking:
            # Its answer says more, maybe that the window still goes on; until then the others wait.
            self._remaining = self._under_way + 1
        else:
            # What is under way was counted in the window before or will be in this one.
            headers = self._stated.headers if self._stated else {}
            self._remaining = rate_limits.integer(headers.get("x-rate-limit-limit")) or math.inf
            self._ended_window = self._window
        self._window, self._stated = None, None

    def _opens_at(self) -> float | None:
        """When the next request may go by our clock; None where only an answer can tell."""
        turns_at = None if self._remaining > self._under_way else self._turns_at()
        if self._is_paused():
            return max(self._paused_until, turns_at or 0.0)
        return turns_at

    def _turns_at(self) -> float | None:
        """When the window turns by our clock; None where no answer said so."""
        turn = self._turn_of(self._stated)
        return None if turn is None else self._stated_at + turn.wait

    def _turn_of(self, answer: Answer | None) -> Turn | None:
        if answer is None:
            return None
        # Read here, and not for each answer, of which few are followed by a wait.
        stated_time = self._clock.time() - (self._clock.monotonic() - self._stated_at)
        return rate_limits.turn(answer.headers, stated_time)

    def _refuse_after(self, give_up_at: float) -> None:
        opens_at = self._opens_at()
        is_closed = self._remaining <= 0 or self._is_paused()
        if is_closed and opens_at is not None and opens_at > give_up_at:
            raise used_up(opens_at - self._clock.monotonic())

    async def _wait_until_open(self, give_up_at: float) -> None:
        while not self._is_open():
            self._refuse_after(give_up_at)
            opens_at = self._opens_at()
            if opens_at is None:
                await self._wait_for_change()
            else:
                # A request that hangs must not hold the others back beyond the window's turn.
                left = opens_at - self._clock.monotonic()
                await self._first_of(self._wait_for_change, left)

    async def _wait_for_change(self) -> None:
        while True:
            self._changed = anyio.Event()
            await self._changed.wait()
            # Most answers tell nothing new: one call less is left, and one less is under way.
            if self._remaining <= 0 or self._remaining > self._under_way:
                return

    async def _first_of(self, wait: Callable[[], Awaitable[object]], seconds: float) -> None:
        """Wait for something, but so many seconds at the most."""
        async with anyio.create_task_group() as group:

            async def sleep() -> None:
                await self._clock.sleep(max(0.0, seconds))
                group.cancel_scope.cancel()

            group.start_soon(sleep)
            await wait()
            group.cancel_scope.cancel()

    def _note(self, answer: Answer) -> None:
        headers = answer.headers
        refused = answer.status_code == 429
        if refused and not rate_limits.states_quota(headers):
            self._pause(answer)
            return
        stated = 0 if refused else rate_limits.integer(headers.get("x-rate-limit-remaining"))
        if stated is None:
            if self._asking:
                self._asking, self._remaining = False, math.inf
            return
        window = headers.get("x-rate-limit-retry")
        if refused or window is None:
            self._remaining, self._window = stated, self._known(window) or self._window
        elif window == self._window:
            # Answers overtake each other: within a window the lowest count is the latest one.
            self._remaining = min(self._remaining, stated)
        elif window == self._ended_window or self._is_past(window):
            return
        else:
            self._remaining, self._window = stated, self._known(window)
        self._asking = False
        self._stated, self._stated_at = answer, self._clock.monotonic()

    def _pause(self, answer: Answer) -> None:
        """Note a 429 that a gateway wrote: it says nothing of Voucherify's count."""
        turn = rate_limits.turn(answer.headers, self._clock.time())
        if turn is not None:
            until = self._clock.monotonic() + turn.wait
            self._paused_until = max(self._paused_until, until)

    def _known(self, window: str | None) -> str | None:
        """The window's name, unless it is one that no later window would be compared with."""
        return window if rate_limits.is_near(window, self._clock.time()) else None

    def _is_past(self, window: str | None) -> bool:
        this, current = rate_limits.integer(window), rate_limits.integer(self._window)
        return this is not None and current is not None and this < current


def used_up(wait: float) -> RateLimitError:
    """The error of a call that would have to wait too long."""
    return RateLimitError(
        f"The quota is used up; the next request can be made in {wait:.1f} s. Nothing was "
        "sent. Wait that long, or allow it with RetryPolicy(max_wait=...)",
        status_code=429,
        retry_after=wait,
    )
