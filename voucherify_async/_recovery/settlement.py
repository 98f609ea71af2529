"""What became of a write whose answer was lost: found out by reading, never by writing again.

Each write's route names its finder, which looks for the traces that the write leaves. What there is
decides at once. What there is not decides only after the time for which Voucherify's load balancer
may hold a request back: *not found yet* is not *did not happen*.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Generic, Literal, TypeVar, get_args

from attrs import evolve, frozen

from .._calls.call import CallOptions, check_options
from .._calls.caller import Caller
from .._protocol.route import FinderName
from ..errors import (
    AmbiguousOutcomeError,
    APIError,
    InvalidArgumentError,
    PaginationError,
    ResponseValidationError,
    TransportError,
    VoucherifyError,
)
from . import balances, checkout, exports, jobs, orders, rollbacks, vouchers
from .evidence import ABSENCE, Absent, Done, Evidence, Look, Lost

T = TypeVar("T")

FIRST_LOOK_SECONDS: Final = 0.5
CONFIRM_WITHIN: Final = 10.0

Finder = Callable[[Lost, Look], Awaitable[Evidence]]

FINDERS: Final[Mapping[FinderName, Finder]] = {
    "balance update": balances.find_balance_update,
    "voucher creation": vouchers.find_creation,
    "voucher change": vouchers.find_change,
    "voucher deletion": vouchers.find_deletion,
    "export": exports.find_export,
    "export deletion": exports.find_deletion,
    "import": jobs.find_import,
    "redemption": checkout.find_redemption,
    "rollback": rollbacks.find_rollback,
    "order": orders.find_order,
}


@frozen
class Settled(Generic[T]):
    """What became of a write whose answer was lost."""

    status: Literal["done", "not_done", "unknown"]
    """`done`: it was done, once. `not_done`: it was not, and will not be; it may be sent again.
    `unknown`: that cannot be told, or not yet; it must not be sent again."""
    result: T | None = None
    """What the method would have returned, or as much of it as can be read back: where done."""
    looked_at: tuple[str, ...] = ()
    """The requests that were answered, such as `GET /v1/vouchers/{code}/transactions`."""
    why: str = ""
    """Why it is not done, or unknown, in words."""
    error: VoucherifyError | None = None
    """What went wrong with looking, if anything did."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        # pydantic's own protocol: what became of a write is a response of FastAPI.
        from .._conversion.pydantic_schema import outgoing_schema

        (result,) = get_args(source) or (Any,)
        status = Literal["done", "not_done", "unknown"]
        shape = {"status": status, "result": result | None, "why": str}
        return outgoing_schema(
            source, shape, handler, lambda settled: {key: getattr(settled, key) for key in shape}
        )


async def settle(
    caller: Caller, error: AmbiguousOutcomeError, options: CallOptions
) -> Settled[Any]:
    """Find out what became of a write, as far as it can be told now.

    Raises:
        InvalidArgumentError: `error` is not the error of a write of unknown outcome.
        VoucherifyError: The client cannot be used.
    """
    check_options(options)
    if not isinstance(error, AmbiguousOutcomeError):
        raise InvalidArgumentError(
            f"error: expected an AmbiguousOutcomeError, got {type(error).__name__}; for an "
            "interrupted import or bulk update pass its __cause__"
        )
    lost = Lost.of(error)
    if lost is None or lost.route.finder is None:
        why = f"The API keeps no trace by which it could be found. {error.how_to_check}"
        return Settled("unknown", why=why.strip())
    look = Look(caller, options)
    try:
        evidence = await FINDERS[lost.route.finder](lost, look)
    except (APIError, TransportError, ResponseValidationError, PaginationError) as problem:
        # Of the problem only its class: its text may name a code.
        why = f"Looking for it failed: {type(problem).__name__}"
        return Settled("unknown", None, tuple(look.looked_at), why, problem)
    except (LookupError, TypeError, AttributeError):
        # An error that was put together by hand, or changed on its way.
        return Settled("unknown", why="The error does not hold all that was sent")
    return _judged(evidence, lost, look)


def _judged(evidence: Evidence, lost: Lost, look: Look) -> Settled[Any]:
    looked_at = tuple(look.looked_at)
    if isinstance(evidence, Done):
        return Settled("done", evidence.result, looked_at)
    if isinstance(evidence, Absent):
        left = _seconds_left(lost, look.caller)
        if left <= 0:
            return Settled("not_done", None, looked_at, evidence.why)
        why = f"{evidence.why}; but it may still be on its way, for {math.ceil(left)} s more"
        return Settled("unknown", None, looked_at, why)
    return Settled("unknown", None, looked_at, evidence.why)


def _seconds_left(lost: Lost, caller: Caller) -> float:
    """Seconds until absence counts: by Voucherify's clock, and by the machines' own."""
    here = caller.settings.clock.time()
    there = caller.connections.server_clock.at(here)
    since = [there - lost.sent_at, datetime.fromtimestamp(here, UTC) - lost.given_up_at]
    return (ABSENCE - min(since)).total_seconds()


async def confirm(
    caller: Caller,
    error: AmbiguousOutcomeError,
    options: CallOptions,
    *,
    within: float,
    until: float = math.inf,
) -> Any:
    """The result of a write whose answer was lost just now, if it is found in time.

    Args:
        caller: What sends the calls.
        error: The write's error.
        options: The options of the write.
        within: Seconds to look at the most.
        until: The end of the write's deadline, by the monotonic clock.

    Raises:
        AmbiguousOutcomeError: `error`, with a note of what was found in its place.
    """
    clock = caller.settings.clock
    knew_the_time = caller.connections.server_clock.offset is not None
    ends_at = min(until, clock.monotonic() + within)
    pause, note = FIRST_LOOK_SECONDS, "There was no time to look for it"
    while clock.monotonic() + pause < ends_at:
        await clock.sleep(pause)
        pause *= 2
        try:
            policy = evolve(caller.policy(options), deadline=max(ends_at - clock.monotonic(), 1e-9))
            settled = await settle(caller, error, {**options, "retry": policy})
        except Exception as problem:  # noqa: BLE001 - nothing takes the place of `error`
            note = f"Looking for it failed: {type(problem).__name__}"
            continue
        if settled.status == "done":
            return settled.result
        note = settled.why
        offset = caller.connections.server_clock.offset
        if not knew_the_time and offset is not None and error.sent_at is not None:
            # It was noted by this machine's clock, as no answer had told Voucherify's time yet.
            error.sent_at += timedelta(seconds=offset)
            knew_the_time = True
    error.add_note(note)
    raise error


@contextmanager
def noted(how_to_find: str) -> Iterator[None]:
    """Keep what a write can be found by where it is cancelled, as a note on the cancellation."""
    try:
        yield
    except Exception:
        raise
    except BaseException as stop:
        if how_to_find:
            stop.add_note(how_to_find)
        raise
