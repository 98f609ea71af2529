"""Which exception a call ends with, once it is not repeated any more."""

from __future__ import annotations

from .._protocol import answers, retry
from .._protocol.retry import Outcome
from ..errors import (
    AmbiguousOutcomeError,
    AmbiguousServerError,
    ResponseValidationError,
    TransportError,
    UnreadableAnswerError,
    VoucherifyError,
)
from .call import Call


def failure(call: Call, outcome: Outcome, now: float, *, maybe_done: bool) -> VoucherifyError:
    """The exception for the outcome of the last attempt.

    Args:
        call: The call.
        outcome: What its last attempt ended with.
        now: The time as seconds since 1970.
        maybe_done: Whether any attempt may have done what the call is for.
    """
    if isinstance(outcome, TransportError):
        return ambiguous(call, outcome) if maybe_done else outcome
    if not maybe_done or retry.settles(outcome):
        return answers.error_from(outcome, now)
    if outcome.status_code >= 500 and retry.may_have_happened(call.route.method, outcome):
        failed = answers.error_from(outcome, now, cls=AmbiguousServerError)
        describe(failed, call)
        return failed
    return ambiguous(call, answers.error_from(outcome, now))


def ambiguous(call: Call, cause: VoucherifyError) -> AmbiguousOutcomeError:
    """The exception for a write that may have happened; `cause` is what its last attempt met."""
    route = call.route
    error = AmbiguousOutcomeError(
        f"{route.method} {route.template} may or may not have happened: {cause}. {route.check}"
    )
    describe(error, call)
    error.__cause__ = cause
    return error


def unreadable(error: ResponseValidationError, call: Call) -> UnreadableAnswerError:
    """The exception for a write that was answered with success, by something that cannot be read.

    It was done, so that repeating it would do it twice.
    """
    failed = UnreadableAnswerError(
        json_path=error.json_path, expected=error.expected, value=error.value, model=error.model
    )
    describe(failed, call)
    return failed


def describe(error: AmbiguousOutcomeError, call: Call) -> None:
    """Tell an error of an unknown outcome which call it was and how to find out."""
    error.method, error.path = call.route.method, call.route.template
    error.sent, error.how_to_check = call.content, call.route.check
