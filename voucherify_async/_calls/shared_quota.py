"""A quota that other processes use up too, by what a store says of it."""

from __future__ import annotations

import math
import os
from typing import Final

import anyio

from .._clock import Clock
from .._concurrency.background import BackgroundTask
from .._protocol import rate_limits
from .._protocol.answers import Answer
from .._protocol.quota_decisions import LEASE, QuotaGrant, QuotaNews, QuotaRequest
from .limits import Limit
from .quota import Quota, used_up
from .quota_store import GuardedStore

_MOST_AT_ONCE: Final = 50
"""Calls that are asked for at once at the most."""
_BEGIN_WITHIN: Final = LEASE / 2
"""Seconds within which a granted call is begun, so that it is counted before its lease ends."""
_ASK_AGAIN: Final = 0.1
"""Seconds after which to ask again while the calls of other processes hold all that is left."""


class SharedQuota(Quota):
    """Asks a store before requests are let through, for several at a time while plenty is left.

    It takes note of its own answers like every quota, and goes by them while the store is out.

    Args:
        clock: The client's clock.
        store: Where the processes keep the quota.
        key: Which of its quotas it is.
    """

    def __init__(self, clock: Clock, store: GuardedStore, key: str) -> None:
        super().__init__(clock)
        self._store = store
        self._key = key
        self._token = os.urandom(8).hex()
        self._granted = 0
        self._granted_until = -math.inf
        self._batch = 1
        # One question at a time: each says what the process holds in all.
        self._asking_turn = anyio.Lock(fast_acquire=True)
        self._asked_at = -math.inf
        self._is_holding = False
        self._is_answered = False
        self._reporter: BackgroundTask[None] | None = None
        self._is_closed = False
        self._asks_again_at: float | None = None

    def try_enter(self) -> bool:
        """Count one more request as under way, if it may be sent now and nobody waits before it."""
        if self._is_alone():
            return super().try_enter()
        if self._waiting or not self._take():
            return False
        self._under_way += 1
        return True

    def opens_in(self) -> float | None:
        """Seconds until the window turns; None where nobody knows."""
        if self._store.is_out() or self._asks_again_at is None:
            return super().opens_in()
        return max(0.0, self._asks_again_at - self._clock.monotonic())

    def leave(self, answer: Answer | None) -> None:
        """Note what came of a request that was let through; None where no answer came."""
        if answer is not None:
            self._is_answered = True
        super().leave(answer)

    async def aclose(self) -> None:
        """Hold nothing any more, so that other processes need not wait for the lease's end."""
        reporter = self._reporter
        if reporter is not None:
            reporter.cancel()
            await reporter.ended()
        if (self._is_holding or self._is_answered) and not self._store.is_out():
            await self._ask(0, math.inf)

    async def _admit(self, limit: Limit, give_up_at: float, *, may_wait: bool) -> bool:
        began = self._clock.monotonic()
        while not self._take():
            if self._is_alone():
                return await self._admit_alone(give_up_at, may_wait=may_wait)
            # Half of what the call has left, so that there is time to send it without the store.
            grant = await self._ask(self._wanted(), limit.left() / 2)
            if grant is None:
                return await self._admit_alone(give_up_at, may_wait=may_wait)
            if not grant.granted:
                self._refuse(grant, began, give_up_at)
                if not may_wait:
                    return False
                await self._wait_to_ask(grant)
        self._is_closed = False
        return True

    async def _admit_alone(self, give_up_at: float, *, may_wait: bool) -> bool:
        """The same by what this process knows, as the store is out."""
        self._is_closed = not self._is_open()
        if self._is_closed and not may_wait:
            return False
        await self._wait_until_open(give_up_at)
        self._is_closed = False
        return True

    def _take(self) -> bool:
        if self._granted <= 0 or self._clock.monotonic() >= self._granted_until:
            return False
        self._granted -= 1
        return True

    def _wanted(self) -> int:
        """How many calls to ask for: twice as many as before, if those were begun in time."""
        unused = self._granted
        self._batch = max(1, self._batch - unused) if unused else 2 * self._batch
        self._batch = min(self._batch, _MOST_AT_ONCE)
        return min(max(self._batch, self._waiting), _MOST_AT_ONCE)

    async def _ask(self, wanted: int, at_most: float) -> QuotaGrant | None:
        async with self._asking_turn:
            news = self._news() if self._is_answered else None
            # A client that was made before a fork is several afterwards.
            holder, held = f"{self._token}-{os.getpid()}", self._under_way
            request = QuotaRequest(holder=holder, held=held, wanted=wanted, news=news)
            self._granted, self._is_answered = 0, False
            self._changed = anyio.Event()
            self._asked_at, grant = self._clock.monotonic(), None
            try:
                grant = await self._store.ask(self._key, request, at_most)
            finally:
                self._is_answered = self._is_answered or (grant is None and news is not None)
        if grant is not None:
            self._granted, self._granted_until = grant.granted, self._asked_at + _BEGIN_WITHIN
            self._is_holding = held + grant.granted > 0
            if self._is_holding:
                self._begin_report()
        return grant

    def _is_alone(self) -> bool:
        """Whether the store is out; no call waits while it is tried again."""
        if not self._store.is_out():
            return False
        if self._store.is_due():
            self._begin_report()
        return True

    def _begin_report(self) -> None:
        if self._reporter is None:
            self._reporter = BackgroundTask(self._report, self._end_report)

    async def _report(self) -> None:
        """Tell the store what becomes of the calls, also when no further one asks."""
        while self._is_holding or self._is_answered or self._store.is_out():
            due_in = self._asked_at + _BEGIN_WITHIN - self._clock.monotonic()
            if due_in > 0 and not self._store.is_out():
                await self._clock.sleep(due_in)
            elif await self._ask(0, math.inf) is None:
                return

    def _end_report(self, _: Exception | None) -> None:
        self._reporter = None

    def _news(self) -> QuotaNews:
        now = self._clock.monotonic()
        paused_for = max(0, round((self._paused_until - now) * 1000)) if self._is_paused() else 0
        stated = self._stated
        if stated is None:
            return QuotaNews(paused_for=paused_for)
        turn = self._turn_of(stated)
        turns_in = None if turn is None else self._stated_at + turn.wait - now
        return QuotaNews(
            remaining=int(self._remaining),
            limit=rate_limits.integer(stated.headers.get("x-rate-limit-limit")),
            window=rate_limits.integer(self._window),
            turns_in=None if turns_in is None else math.ceil(turns_in * 1000),
            is_certain=turn is None or turn.is_certain,
            is_refusal=stated.status_code == 429,
            paused_for=paused_for,
        )

    def _refuse(self, grant: QuotaGrant, began: float, give_up_at: float) -> None:
        now = self._clock.monotonic()
        self._is_closed = True
        self._asks_again_at = None if grant.wait is None else now + grant.wait
        if grant.wait is not None:
            if now + grant.wait > give_up_at:
                raise used_up(grant.wait)
        elif now > max(give_up_at, began + LEASE):
            # Whoever holds what is left uses it, and new calls take what comes free.
            raise used_up(_ASK_AGAIN)

    async def _wait_to_ask(self, grant: QuotaGrant) -> None:
        if grant.wait is not None:
            await self._clock.sleep(grant.wait)
        else:
            await self._first_of(self._changed.wait, _ASK_AGAIN)
