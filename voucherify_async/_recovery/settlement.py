"""What became of a write whose answer was lost: found out by reading, never by writing again.

The one exception is a balance update that the caller asked to be settled, whose connection broke,
and which the card's history shows not to have happened.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from attrs import evolve, frozen

from .._calls.caller import Call, Caller, CallOptions
from .._conversion.converter import structure_at, to_dict
from .._protocol import answers, rate_limits
from .._protocol.listings import open_envelope
from .._protocol.routes import GET_VOUCHER, LIST_TRANSACTIONS, BoundRoute
from ..errors import (
    AmbiguousOutcomeError,
    InvalidArgumentError,
    ProtocolError,
    ReadError,
    VoucherifyError,
    WriteError,
)
from ..models.transactions import VoucherTransaction
from ..models.vouchers import BalanceUpdate, Voucher

LOOKS: Final = 3
FIRST_LOOK_SECONDS: Final = 0.5
MAX_PAGES: Final = 10
CLOCK_TOLERANCE: Final = timedelta(seconds=5)

# What a caller may send that the voucher's answer states in the same words.
_COMPARABLE: Final = ("type", "discount", "gift", "loyalty_card", "metadata", "additional_info")


@frozen
class BalanceChange:
    """A balance update as it goes out."""

    code: str
    body: Mapping[str, Any]
    is_unique: bool
    """Whether the label was made for this update, so that only it can carry it."""

    @property
    def source_id(self) -> str:
        """The label."""
        return str(self.body["source_id"])


def balance_update(
    code: str, amount: int, *, source_id: str | None, reason: str | None
) -> BalanceChange:
    """Check a balance update and give it a label.

    Raises:
        InvalidArgumentError: The amount is 0 or no integer, or the label is empty.
    """
    if not isinstance(amount, int) or isinstance(amount, bool):
        raise InvalidArgumentError(
            f"amount: expected an integer of minor currency units (100 for 1.00) or points, got "
            f"{amount!r} ({type(amount).__name__})"
        )
    if amount == 0:
        raise InvalidArgumentError("amount: is 0; there is nothing to add or take away")
    for name, text in (("source_id", source_id), ("reason", reason)):
        if text is not None and (not isinstance(text, str) or not text.strip()):
            raise InvalidArgumentError(f"{name}: expected a text, got {text!r}")
    body = {"amount": amount, "source_id": source_id or str(uuid.uuid4())}
    if reason is not None:
        body["reason"] = reason
    return BalanceChange(code, body, source_id is None)


class Settlement:
    """Finds out what became of one write; made before it is sent.

    Args:
        caller: What sends the calls.
        options: The options of the write. Its deadline bounds the settlement too.
    """

    def __init__(self, caller: Caller, options: CallOptions) -> None:
        self._caller = caller
        self._options = options
        self._clock = caller.settings.clock
        self._started = self._clock.monotonic()
        self.policy = caller.policy(options)

    def options_left(self) -> CallOptions:
        """The options of the write, with what is left of its deadline."""
        if self.policy.deadline is None:
            return self._options
        # A policy takes no deadline of 0; one that has passed ends its call before it is sent.
        policy = evolve(self.policy, deadline=max(self._left(), 1e-9))
        return {**self._options, "retry": policy}

    async def pause(self, look: int) -> bool:
        """Wait before a look, from 0; False where the deadline comes first."""
        # What was sent may have been processed just now, or not be listed yet.
        seconds = FIRST_LOOK_SECONDS * 2**look
        if seconds >= self._left():
            return False
        await self._clock.sleep(seconds)
        return True

    async def read(
        self, target: BoundRoute, params: Mapping[str, Any] | None = None
    ) -> tuple[Any, datetime]:
        """The body of an answer, and when the write began by the clock that the answer shows."""
        call = Call.of(target, self.options_left(), params=params)
        answer = await self._caller.send(call)
        told = rate_limits.server_time(answer.headers, self._clock.time())
        began = told - (self._clock.monotonic() - self._started)
        return answers.decode_answer(answer), datetime.fromtimestamp(began, UTC)

    def _left(self) -> float:
        if self.policy.deadline is None:
            return math.inf
        return self._started + self.policy.deadline - self._clock.monotonic()


async def carry_out(
    change: BalanceChange,
    send: Callable[[CallOptions], Awaitable[BalanceUpdate]],
    settlement: Settlement,
    *,
    confirm: bool,
) -> BalanceUpdate:
    """Send a balance update; with `confirm`, find out what became of it where that is unknown.

    Raises:
        AmbiguousOutcomeError: It may or may not have happened.
    """
    attempts = settlement.policy.max_attempts if confirm else 1
    while True:
        attempts -= 1
        try:
            return await send(settlement.options_left())
        except AmbiguousOutcomeError as error:
            error.source_id = change.source_id
            if not confirm:
                raise
            landed, surely_absent = await _look_up(change, settlement)
            if landed is not None:
                return landed
            if not (surely_absent and attempts > 0 and _broke_before_an_answer(error)):
                raise


def _broke_before_an_answer(error: AmbiguousOutcomeError) -> bool:
    # After a timeout it may still be under way at Voucherify, and a head of an answer says that it
    # was done. After a connection that broke, its absence from the history settles it.
    cause = error.__cause__
    broke = isinstance(cause, (ReadError, WriteError, ProtocolError))
    return broke and getattr(cause, "status_code", None) is None


async def _look_up(
    change: BalanceChange, settlement: Settlement
) -> tuple[BalanceUpdate | None, bool]:
    """The balance where the update is in the card's history, and whether its absence is certain."""
    surely_absent = True
    for look in range(LOOKS):
        if not await settlement.pause(look):
            return None, False
        try:
            landed, complete = await _search(change, settlement)
        except VoucherifyError:
            surely_absent = False
            continue
        if landed is not None:
            return landed, False
        surely_absent = surely_absent and complete
    return None, surely_absent


async def _search(
    change: BalanceChange, settlement: Settlement
) -> tuple[BalanceUpdate | None, bool]:
    """Walk the history, newest first, to before the update was sent.

    Returns:
        The balance, and where there is none whether the walk saw all that it had to.
    """
    query: dict[str, Any] = {"limit": 100, "order": "-id"}
    for _ in range(MAX_PAGES):
        body, started = await settlement.read(LIST_TRANSACTIONS(code=change.code), query)
        envelope = open_envelope(body, "data")
        page = [structure_at(VoucherTransaction, item) for item in envelope.items]
        for transaction in page:
            if transaction.source_id == change.source_id:
                landed = _balance_of(transaction)
                if landed is not None and landed.amount != change.body["amount"]:
                    # Another update, to which the caller gave the same label.
                    continue
                # A caller's own label may be an old one, which then proves nothing.
                sure = change.is_unique or _is_recent(transaction.created_at, started)
                return (landed if sure else None), False
        if not page or envelope.has_more is False:
            # An answer without the list, or one that contradicts itself, proves nothing.
            is_whole = isinstance(body.get(envelope.key), list) and envelope.has_more is not True
            return None, is_whole
        first, last = page[0].created_at, page[-1].created_at
        if first is None or last is None or first < last or not page[-1].id:
            # Not newest first: what is looked for may stand anywhere.
            return None, False
        if last < started - timedelta(hours=1):
            return None, True
        query["starting_after_id"] = page[-1].id
    return None, False


def _balance_of(transaction: VoucherTransaction) -> BalanceUpdate | None:
    balance = transaction.details.balance if transaction.details else None
    if balance is None:
        return None
    return BalanceUpdate(
        amount=balance.amount if balance.amount is not None else balance.points,
        total=balance.total,
        balance=balance.balance,
        type=balance.type,
        operation_type=balance.operation_type,
        object=balance.object,
        related_object=balance.related_object,
        extra=balance.extra,
    )


def _is_recent(created_at: datetime | None, started: datetime) -> bool:
    return created_at is not None and created_at >= started - CLOCK_TOLERANCE


async def settle_creation(
    code: str, sent: Mapping[str, Any], settlement: Settlement, error: AmbiguousOutcomeError
) -> Voucher:
    """The voucher, where reading it back shows that it is the one that was sent just now.

    Raises:
        AmbiguousOutcomeError: `error`, where it does not.
    """
    note = "Its deadline left no time to read the code back"
    for look in range(LOOKS):
        if not await settlement.pause(look):
            break
        try:
            body, started = await settlement.read(GET_VOUCHER(code=code))
            found = structure_at(Voucher, body)
        except VoucherifyError as reading:
            # Of the reading's error only its class: its text may name the code.
            note = f"Reading the code back did not settle it: {type(reading).__name__}"
            continue
        if _is_recent(found.created_at, started) and _agrees(sent, to_dict(found)):
            return found
        note = "There is such a voucher, but it is older than the call or differs from it"
        break
    error.add_note(note)
    raise error from error.__cause__


def _agrees(sent: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    """Whether everything comparable that was sent stands in what was found."""
    return all(_is_in(sent[key], found.get(key)) for key in _COMPARABLE if key in sent)


def _is_in(sent: Any, found: Any) -> bool:
    if isinstance(sent, Mapping):
        inner = found if isinstance(found, Mapping) else {}
        return all(_is_in(value, inner.get(key)) for key, value in sent.items())
    return bool(sent == found)
