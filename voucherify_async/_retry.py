"""When a call is repeated: pure decisions from what was sent and what came of it."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

from attrs import field, frozen, validators

from . import _protocol
from ._protocol import Answer
from .errors import TransportError

Outcome = Answer | TransportError
"""What one attempt ended with."""

_REPEATABLE_STATUSES: Final = frozenset({408, 425, 429, 502, 503, 504})
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


@frozen(kw_only=True)
class RetryPolicy:
    """How often and how patiently a call is repeated.

    GET, PUT and DELETE are repeated after connection failures, timeouts and the statuses 408, 425,
    429, 502, 503 and 504 (GET also after 500). POST is repeated only where it surely was not
    processed: no connection, a full pool, 429, or 503 with `Retry-After`.
    """

    max_attempts: int = field(default=4, validator=validators.ge(1))
    """How often a call is sent at the most, the first time included."""
    backoff: float = field(default=0.5, validator=validators.ge(0))
    """Seconds before the second attempt at the most; doubled from attempt to attempt, and cut to a
    random part of it, so that clients that failed together do not come back together."""
    max_backoff: float = field(default=8.0, validator=validators.ge(0))
    """Seconds that the backoff grows to at the most."""
    max_wait: float = field(default=10.0, validator=validators.ge(0))
    """Seconds that a call waits at the most where Voucherify says how long: a longer wait raises at
    once, with `retry_after`. Bulk work waits as long as it takes."""
    deadline: float | None = field(default=None, validator=validators.optional(validators.gt(0)))
    """Seconds for the whole call, all attempts and waits included; None for no bound."""
    random: Callable[[], float] = field(default=random.random, repr=False, eq=False)
    """Where the jitter comes from: a number from 0 to 1."""

    def wait(
        self, method: str, outcome: Outcome, *, attempt: int, now: float, patient: bool = False
    ) -> float | None:
        """How long to wait before the call is sent again.

        Args:
            method: The HTTP method.
            outcome: What the attempt ended with.
            attempt: Its number, from 1.
            now: The time as seconds since 1970.
            patient: Whether `max_wait` does not count.

        Returns:
            Seconds, or None to give up.
        """
        if attempt >= self.max_attempts or not is_repeatable(method, outcome):
            return None
        if isinstance(outcome, Answer):
            stated = _protocol.retry_after(outcome.headers, now)
            if stated is not None and outcome.status_code in {429, 503}:
                return stated if patient or stated <= self.max_wait else None
        ceiling = min(self.max_backoff, self.backoff * 2 ** (attempt - 1))
        return float(ceiling * self.random())


def is_repeatable(method: str, outcome: Outcome) -> bool:
    """Whether sending the same again can do no harm."""
    if isinstance(outcome, TransportError):
        return not outcome.sent or method != "POST"
    if method == "POST":
        return surely_not_processed(outcome)
    if outcome.status_code == 500:
        return method in SAFE_METHODS
    return outcome.status_code in _REPEATABLE_STATUSES


def surely_not_processed(outcome: Outcome) -> bool:
    """Whether the outcome itself says that Voucherify did nothing."""
    if isinstance(outcome, TransportError):
        return not outcome.sent
    if outcome.status_code == 503:
        return "retry-after" in outcome.headers
    return 400 <= outcome.status_code < 500


def may_have_happened(method: str, outcome: Outcome) -> bool:
    """Whether a call that ended so is a write that may have been done nevertheless."""
    if method in SAFE_METHODS:
        return False
    if isinstance(outcome, Answer) and outcome.status_code < 400:
        return False
    return not surely_not_processed(outcome)
