"""How long a call, and each of its attempts, may take."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final, TypeVar, TypeVarTuple

import anyio

from .._clock import Clock
from .._protocol.retry import RetryPolicy
from ..errors import TimeoutError as OwnTimeoutError

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_UPLOADS: Final = 10
"""How many times as long an upload may take: 10 MB go out slowly over a poor connection."""


def end_of(clock: Clock, policy: RetryPolicy) -> float:
    """When a call that begins now has to end, by the clock's `monotonic`; infinite for no bound."""
    deadline = policy.deadline
    if deadline is None:
        return math.inf
    if isinstance(deadline, datetime):
        deadline = deadline.timestamp() - clock.time()
    return clock.monotonic() + deadline


class Limit:
    """A moment by which work has to be done, and what is said where it is not.

    Args:
        clock: The client's clock.
        method: That of the request.
        template: The request's path, without what is particular.
        ends_at: The moment, by the clock's `monotonic`.
        attempt: How many seconds an attempt may take, where that is what ends it.
    """

    __slots__ = ("_attempt", "_clock", "_ends_at", "_method", "_template")

    def __init__(
        self,
        clock: Clock,
        method: str,
        template: str,
        ends_at: float,
        attempt: float | None = None,
    ) -> None:
        self._clock = clock
        self._method = method
        self._template = template
        self._ends_at = ends_at
        self._attempt = attempt

    @classmethod
    def of_call(cls, clock: Clock, method: str, template: str, policy: RetryPolicy) -> Limit:
        """The deadline of a call that begins now."""
        return cls(clock, method, template, end_of(clock, policy))

    def of_attempt(self, policy: RetryPolicy, *, upload: bool = False) -> Limit:
        """The limit of an attempt that begins now, within this one."""
        if policy.attempt_timeout is None:
            return self
        seconds = policy.attempt_timeout * (_UPLOADS if upload else 1)
        ends_at = self._clock.monotonic() + seconds
        if self._ends_at <= ends_at:
            return self
        return Limit(self._clock, self._method, self._template, ends_at, seconds)

    def left(self) -> float:
        """Seconds until then; infinite where there is no limit."""
        return self._ends_at - self._clock.monotonic()

    def run(self, work: Callable[[*Ts], Awaitable[T]], *args: *Ts, sent: bool) -> Awaitable[T]:
        """Do some work, and leave it behind when the moment has come.

        Args:
            work: What is called and awaited.
            *args: Its arguments.
            sent: Whether a request may have reached Voucherify while it ran.

        Raises:
            TimeoutError: The moment came before it was done.
        """
        return work(*args) if self._ends_at == math.inf else self._run(work, *args, sent=sent)

    async def _run(self, work: Callable[[*Ts], Awaitable[T]], *args: *Ts, sent: bool) -> T:
        left = self.left()
        if left <= 0:
            raise self.passed(sent=False)
        with anyio.move_on_after(left):
            return await work(*args)
        # Out here, so that what was cancelled, whose frames hold the request, is not its context.
        raise self.passed(sent=sent)

    def passed(self, *, sent: bool) -> OwnTimeoutError:
        """The error of what was not done in time; `sent` is whether it may have been sent."""
        reason = "the deadline of the call has passed"
        if self._attempt is not None:
            reason = f"the attempt took longer than {self._attempt:g} s"
            reason += " (RetryPolicy.attempt_timeout)"
        what = f"{self._method} {self._template}"
        error = OwnTimeoutError(f"{what}: {reason}", method=self._method, path=self._template)
        error.sent = sent
        return error
