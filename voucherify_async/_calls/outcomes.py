"""Which exception a call ends with, once it is not repeated any more."""

from __future__ import annotations

from datetime import datetime
from typing import NoReturn

import orjson
from attrs import frozen

from .._protocol import answers, retry
from .._protocol.retry import Outcome
from .._protocol.route import Route
from ..errors import (
    AmbiguousOutcomeError,
    AmbiguousServerError,
    ResponseValidationError,
    TransportError,
    UnreadableAnswerError,
    VoucherifyError,
)
from .call import Call


@frozen
class Doubt:
    """From when to when a write was under way that may have been done."""

    sent_at: datetime
    """When it was sent, by Voucherify's clock."""
    given_up_at: datetime
    """When it was given up, by the clock of this machine."""


def failure(call: Call, outcome: Outcome, now: float, doubt: Doubt | None) -> VoucherifyError:
    """The exception for the outcome of the last attempt.

    Args:
        call: The call.
        outcome: What its last attempt ended with.
        now: The time as seconds since 1970.
        doubt: Since when an attempt may have done what the call is for, or None.
    """
    if isinstance(outcome, TransportError):
        return ambiguous(call, outcome, doubt) if doubt else outcome
    if doubt is None or retry.settles(outcome):
        return answers.error_from(outcome, now)
    if outcome.status_code >= 500 and retry.may_have_happened(call.route.rule, outcome):
        failed = answers.error_from(outcome, now, cls=AmbiguousServerError)
        describe(failed, call, doubt)
        return failed
    return ambiguous(call, answers.error_from(outcome, now), doubt)


def ambiguous(call: Call, cause: VoucherifyError, doubt: Doubt) -> AmbiguousOutcomeError:
    """The exception for a write that may have happened; `cause` is what its last attempt met."""
    route = call.route
    error = AmbiguousOutcomeError(
        f"{route.method} {route.template} may or may not have happened: {cause}. {_advice(route)}"
    )
    describe(error, call, doubt)
    error.__cause__ = cause
    return error


def raise_unreadable(error: ResponseValidationError, call: Call, doubt: Doubt) -> NoReturn:
    """Raise what a success stands for whose body is not the answer to the call.

    Raises:
        ResponseValidationError: The call was a read.
        UnreadableAnswerError: It was a write, which may well have been done.
    """
    error.path = call.route.template
    if call.route.rule in retry.SAFE_METHODS:
        raise error
    failed = UnreadableAnswerError(
        json_path=error.json_path,
        expected=error.expected,
        value=error.value,
        model=error.model,
        shown=error.shown,
    )
    describe(failed, call, doubt)
    raise failed from error


def describe(error: AmbiguousOutcomeError, call: Call, doubt: Doubt) -> None:
    """Tell an error of an unknown outcome which call it was and how to find out."""
    error.method, error.path = call.route.method, call.route.template
    error.path_values = dict(call.target.values)
    error.sent, error.how_to_check = call.content, _advice(call.route)
    error.source_id = _label(call.content)
    error.sent_at, error.given_up_at = doubt.sent_at, doubt.given_up_at


def _advice(route: Route) -> str:
    settle = " client.settle(error) looks for it, at any later time." if route.finder else ""
    return f"{route.check}{settle}"


def _label(content: bytes | None) -> str | None:
    # Bulk work has none, and its megabytes need not be read.
    if content is None or not content.startswith(b"{"):
        return None
    body = orjson.loads(content)
    order = body.get("order")
    label = order.get("source_id") if isinstance(order, dict) else body.get("source_id")
    return label if isinstance(label, str) else None
