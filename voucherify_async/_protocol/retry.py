"""When a call is repeated: pure decisions from what was sent and what came of it."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from datetime import datetime
from typing import Final

from attrs import field, frozen

from .._checks import check_count, check_seconds
from ..errors import AnswerTooLargeError, InvalidArgumentError, TransportError
from . import answers, rate_limits
from .answers import Answer

Outcome = Answer | TransportError
"""What one attempt ended with."""

_REPEATABLE_STATUSES: Final = frozenset({408, 425, 429, 502, 503, 504})
_OF_THE_MOMENT: Final = frozenset({401, 402, 403, 407, 423, 429})
# What proxies say of a request that they may have passed on: timed out, given up, misdirected.
_OF_PROXIES: Final = frozenset({408, 421, 425, 444, 460, 499})
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
IDEMPOTENT_METHODS: Final = SAFE_METHODS | {"PUT", "DELETE"}
PATIENCE: Final = 3700.0
"""Seconds that one answer can make even patient work wait: the longest window, an hour, and some.
A month's quota that is used up is no reason to sit still for a month."""


@frozen(kw_only=True)
class RetryPolicy:
    """How often and how patiently a call is repeated.

    GET, PUT and DELETE are repeated after connection failures, timeouts and the statuses 408, 425,
    429, 502, 503 and 504 (GET also after 500). POST is repeated only after a 429, and where it did
    not reach Voucherify whole: no connection, a full pool, or a connection that broke before the
    request's last byte was written.
    """

    max_attempts: int = 4
    """How often a call is sent at the most, the first time included."""
    backoff: float = 0.5
    """Seconds before the second attempt at the most; doubled from attempt to attempt, and cut to a
    random part of it, so that clients that failed together do not come back together."""
    max_backoff: float = 8.0
    """Seconds that the backoff grows to at the most."""
    max_wait: float = 10.0
    """Seconds that a call waits at the most where Voucherify says how long: a longer wait raises at
    once, with `retry_after`. Bulk work waits for the quota as long as it takes, as does everything
    where this is infinite: their 429s do not count as attempts."""
    deadline: float | datetime | None = None
    """Seconds for the whole call, all attempts and waits included, or the instant by which it has
    to end; None for no bound. No request is written after it, also where the process was stopped
    meanwhile."""
    attempt_timeout: float | None = 60.0
    """Seconds for one attempt as a whole, however slowly its answer drips; None for no bound. An
    upload may take ten times as long, and the body of a download any time."""
    random: Callable[[], float] = field(default=random.random, repr=False, eq=False)
    """Where the jitter comes from: a number from 0 to 1."""

    def __attrs_post_init__(self) -> None:
        check_count("max_attempts", self.max_attempts)
        check_seconds("backoff", self.backoff, zero=True)
        check_seconds("max_backoff", self.max_backoff, zero=True)
        check_seconds("max_wait", self.max_wait, zero=True, infinite=True)
        if self.attempt_timeout is not None:
            check_seconds("attempt_timeout", self.attempt_timeout, infinite=True)
        if isinstance(self.deadline, datetime):
            if self.deadline.utcoffset() is None:
                raise InvalidArgumentError(
                    "deadline: expected an instant with a time zone, such as datetime.now(UTC) + "
                    f"timedelta(seconds=5), got {self.deadline!r}"
                )
        elif self.deadline is not None:
            check_seconds("deadline", self.deadline, infinite=True)
        if not callable(self.random):
            raise InvalidArgumentError(f"random: expected a function, got {self.random!r}")

    def waits_out(self, outcome: Outcome, *, patient: bool) -> bool:
        """Whether an attempt that ended so does not count as one: a 429 to patient work."""
        is_patient = patient or self.max_wait == math.inf
        return is_patient and self.max_attempts > 1 and outcome.status_code == 429

    def wait(
        self,
        method: str,
        outcome: Outcome,
        *,
        attempt: int,
        now: float,
        patient: bool = False,
        waited_out: int = 0,
    ) -> float | None:
        """How long to wait before the call is sent again.

        Args:
            method: The HTTP method.
            outcome: What the attempt ended with.
            attempt: Its number, from 1.
            now: The time as seconds since 1970.
            patient: Whether to wait out a window of any length, whatever `max_wait` is.
            waited_out: How many of the attempts were waited out and do not count, this one
                included.

        Returns:
            Seconds, or None to give up.
        """
        if attempt - waited_out >= self.max_attempts or not is_repeatable(method, outcome):
            return None
        backoff = self._backoff(attempt)
        if isinstance(outcome, Answer):
            stated = _stated_wait(outcome, now)
            if stated is not None:
                most = PATIENCE if patient or self.max_wait == math.inf else self.max_wait
                if stated > most:
                    return None
                # A 429 that says "at once" again and again is not believed.
                return max(stated, backoff) if waited_out > 1 else stated
        return backoff

    def _backoff(self, attempt: int) -> float:
        # Not 2 ** attempt of any size: a policy may allow thousands of attempts.
        ceiling = min(self.max_backoff, self.backoff * 2 ** min(attempt - 1, 64))
        return float(ceiling * self.random())


def _stated_wait(answer: Answer, now: float) -> float | None:
    # Every answer tells when the window turns, which is worth waiting for only after a 429.
    if answer.status_code == 429 or "retry-after" in answer.headers:
        return rate_limits.retry_after(answer.headers, now)
    return None


def is_repeatable(method: str, outcome: Outcome) -> bool:
    """Whether sending the same again can do no harm, and may help.

    What changes something each time it is done is repeated only where it was not even begun.
    """
    if method not in IDEMPOTENT_METHODS:
        return outcome.status_code == 429 or (
            isinstance(outcome, TransportError) and not outcome.sent
        )
    if isinstance(outcome, TransportError):
        # It would be as large again.
        return not isinstance(outcome, AnswerTooLargeError)
    status = outcome.status_code
    return status in _REPEATABLE_STATUSES or (status == 500 and method in SAFE_METHODS)


def surely_not_processed(outcome: Outcome) -> bool:
    """Whether the outcome itself says that Voucherify did nothing: the one rule for every write.

    It does where the request did not reach Voucherify whole, after a 429, and after a 4xx that
    Voucherify wrote itself. Anything else, a 503 with `Retry-After` or the 4xx of a proxy too, may
    have come after the request was passed on.
    """
    if isinstance(outcome, TransportError):
        return not outcome.sent or outcome.status_code == 429
    status = outcome.status_code
    if status == 429:
        return True
    return 400 <= status < 500 and status not in _OF_PROXIES and answers.is_own_error(outcome)


def may_have_happened(method: str, outcome: Outcome) -> bool:
    """Whether a call that ended so is a write that may have been done nevertheless."""
    return method not in SAFE_METHODS and not surely_not_processed(outcome)


def settles(answer: Answer) -> bool:
    """Whether a refusal also answers for an attempt before it, whose outcome is unknown.

    One that is about the request itself does. One that is about the moment or the credentials, such
    as 401 or 423, would have come no matter what the attempt before had done.
    """
    return surely_not_processed(answer) and answer.status_code not in _OF_THE_MOMENT


def finds_it_gone(method: str, answer: Answer) -> bool:
    """Whether the answer to a repeated DELETE says that there is nothing left to delete."""
    return method == "DELETE" and answer.status_code == 404 and answers.is_own_error(answer)
