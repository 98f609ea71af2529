"""Admission: what a request holds while it is under way."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Self

import anyio

from .._protocol.answers import Answer
from .limits import Limit
from .quota import OnWait, Quota


class Admission:
    """One of the slots, and a place in the quota, for as long as the block runs.

    A request that has to wait for the quota waits without a slot, which others can use meanwhile.
    However the block ends, both are given back.

    Args:
        slots: Bounds the requests that are open at once.
        limit: Until when to wait for admission.
        quota: What the request counts in; None for a download, which counts in none.
        max_wait: Seconds to wait at the most for the quota.
        on_wait: Told before a wait for the quota.
    """

    __slots__ = ("_limit", "_max_wait", "_on_wait", "_quota", "_slots", "answer")

    def __init__(
        self,
        slots: anyio.Semaphore,
        limit: Limit,
        quota: Quota | None = None,
        max_wait: float = 0.0,
        on_wait: OnWait | None = None,
    ) -> None:
        self._slots = slots
        self._limit = limit
        self._quota = quota
        self._max_wait = max_wait
        self._on_wait = on_wait
        self.answer: Answer | None = None
        """What came of the request; the block sets it, for the quota to learn from."""

    def __aenter__(self) -> Awaitable[Self]:
        """Wait for both.

        Raises:
            RateLimitError: The quota is used up for longer than `max_wait`.
            TimeoutError: The limit came first; nothing was sent.
        """
        return self._limit.run(self._enter, sent=False)

    async def __aexit__(self, *_: object) -> None:
        try:
            if self._quota is not None:
                self._quota.leave(self.answer)
        finally:
            self._slots.release()

    async def _enter(self) -> Self:
        quota = self._quota
        await self._slots.acquire()
        if quota is None:
            return self
        entered = False
        try:
            entered = quota.try_enter()
        finally:
            if not entered:
                self._slots.release()
        if not entered:
            await quota.enter(self._max_wait, self._limit, self._on_wait)
            try:
                await self._slots.acquire()
            except BaseException:
                quota.leave(None)
                raise
        return self
