"""One attempt: a request sent once, within its limit, and logged."""

from __future__ import annotations

import logging
from collections.abc import Awaitable

from .._clock import Clock
from .._protocol import answers
from .._protocol.answers import Answer
from .._protocol.retry import Outcome
from .._transport.exchange import Outgoing, OverdueError, Sender
from ..errors import TransportError
from .limits import Limit
from .logs import log


def attempt(
    sender: Sender, outgoing: Outgoing, *, number: int, limit: Limit, clock: Clock
) -> Awaitable[Outcome]:
    """Send a request once, and log what came of it; `number` counts from 1."""
    sending = _sent(sender, outgoing, limit)
    return _logged(sending, outgoing, number, clock) if log.isEnabledFor(logging.DEBUG) else sending


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


async def _logged(
    sending: Awaitable[Outcome], outgoing: Outgoing, number: int, clock: Clock
) -> Outcome:
    started = clock.monotonic()
    outcome: Outcome | None = None
    try:
        outcome = await sending
        return outcome
    finally:
        _log_attempt(outgoing, outcome, number, clock.monotonic() - started)


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
