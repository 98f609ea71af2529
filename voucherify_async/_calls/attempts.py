"""One attempt: a request sent once, within its limit, and logged."""

from __future__ import annotations

import logging

from .._clock import Clock
from .._protocol import answers
from .._protocol.answers import Answer
from .._protocol.retry import Outcome
from .._transport.exchange import Outgoing, OverdueError, Sender
from ..errors import TransportError
from .limits import Limit
from .logs import log


async def attempt(
    sender: Sender, outgoing: Outgoing, *, number: int, limit: Limit, clock: Clock
) -> Outcome:
    """Send a request once, and log what came of it; `number` counts from 1."""
    started = clock.monotonic() if log.isEnabledFor(logging.DEBUG) else None
    outcome: Outcome | None = None
    try:
        outcome = await _sent(sender, outgoing, limit)
        return outcome
    finally:
        if started is not None:
            _log_attempt(outgoing, outcome, number, clock.monotonic() - started)


async def _sent(sender: Sender, outgoing: Outgoing, limit: Limit) -> Outcome:
    left = limit.left()
    if left <= 0:
        return limit.passed(sent=False)
    try:
        return await sender.exchange(outgoing, left)
    except OverdueError as error:
        return limit.passed(sent=error.sent)
    except TransportError as error:
        return error


def _log_attempt(outgoing: Outgoing, outcome: Outcome | None, number: int, elapsed: float) -> None:
    """What it was and what came of it; never a path, a header or a body, which hold secrets."""
    result: object = "cancelled"
    request_id = None
    if isinstance(outcome, Answer):
        result, request_id = outcome.status_code, answers.request_id(outcome.headers)
    elif outcome is not None:
        result = type(outcome).__name__
    log.debug(
        "%s %s: %s, attempt %d, %.1f ms, request %s",
        outgoing.method,
        outgoing.template,
        result,
        number,
        elapsed * 1000,
        request_id,
    )
