"""What became of a write whose answer was lost: found out by reading, never by writing again.

The one exception is a balance update that the caller asked to be settled, whose connection broke,
and which the card's history shows not to have happened.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from attrs import frozen

from . import _protocol, _routes
from ._caller import Call, Caller
from ._converter import structure_at, to_dict
from ._schemes import open_envelope
from .errors import (
    AmbiguousOutcomeError,
    InvalidArgumentError,
    ProtocolError,
    ReadError,
    VoucherifyError,
    WriteError,
)
from .models.transactions import VoucherTransaction
from .models.vouchers import BalanceUpdate, Voucher

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


async def carry_out(
    change: BalanceChange,
    send: Callable[[], Awaitable[BalanceUpdate]],
    caller: Caller,
    *,
    confirm: bool,
) -> BalanceUpdate:
    """Send a balance update; with `confirm`, find out what became of it where that is unknown.

    Raises:
        AmbiguousOutcomeError: It may or may not have happened.
    """
    started = datetime.fromtimestamp(caller.settings.clock.time(), UTC)
    policy = caller.settings.retry
    attempts = policy.max_attempts if confirm and policy is not None else 1
    while True:
        attempts -= 1
        try:
            return await send()
        except AmbiguousOutcomeError as error:
            error.source_id = change.source_id
            if not confirm:
                raise
            landed, conclusive = await _look_up(change, caller, started)
            if landed is not None:
                return landed
            # After a timeout it may still be under way at Voucherify; after a broken connection
            # its absence from the history settles it.
            broke = isinstance(error.__cause__, (ReadError, WriteError, ProtocolError))
            if not (conclusive and broke and attempts > 0):
                raise


async def _look_up(
    change: BalanceChange, caller: Caller, started: datetime
) -> tuple[BalanceUpdate | None, bool]:
    """The balance where the update is in the card's history, and whether its absence is certain."""
    conclusive = True
    for look in range(LOOKS):
        # It may have been processed just now, or not be listed yet.
        await caller.settings.clock.sleep(FIRST_LOOK_SECONDS * 2**look)
        try:
            landed, complete = await _search(change, caller, started)
        except VoucherifyError:
            conclusive = False
            continue
        if landed is not None:
            return landed, True
        conclusive = conclusive and complete
    return None, conclusive


async def _search(
    change: BalanceChange, caller: Caller, started: datetime
) -> tuple[BalanceUpdate | None, bool]:
    """Walk the history, newest first, to before the update was sent."""
    query: dict[str, Any] = {"limit": 100, "order": "-id"}
    path = _routes.LIST_TRANSACTIONS.path(code=change.code)
    for _ in range(MAX_PAGES):
        call = Call(_routes.LIST_TRANSACTIONS, path, _protocol.encode_query(query))
        envelope = open_envelope(_protocol.decode_answer(await caller.send(call)), "data")
        for item in envelope.items:
            transaction = structure_at(VoucherTransaction, item)
            if transaction.source_id != change.source_id:
                continue
            landed = _balance_of(transaction)
            if landed is not None and landed.amount == change.body["amount"]:
                recent = _is_recent(transaction.created_at, started)
                # A caller's own label may be an old one, which then proves nothing.
                return (landed, True) if change.is_unique or recent else (None, False)
        if not envelope.items or envelope.has_more is False:
            return None, True
        last = structure_at(VoucherTransaction, envelope.items[-1])
        if last.created_at is not None and last.created_at < started - timedelta(hours=1):
            return None, True
        if not last.id:
            break
        query["starting_after_id"] = last.id
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
    read: Callable[[str], Awaitable[Voucher]],
    code: str,
    sent: Mapping[str, Any],
    started: float,
    error: AmbiguousOutcomeError,
) -> Voucher:
    """The voucher, where reading it back shows that it is the one that was sent just now.

    Raises:
        AmbiguousOutcomeError: `error`, where it does not.
    """
    try:
        found = await read(code)
    except VoucherifyError as reading:
        error.add_note(f"Reading {code!r} back did not settle it: {reading}")
        raise error from error.__cause__
    moment = datetime.fromtimestamp(started, UTC)
    if _is_recent(found.created_at, moment) and _agrees(sent, to_dict(found)):
        return found
    error.add_note(f"A voucher {code!r} exists, but it is older than the call or differs from it")
    raise error from error.__cause__


def _agrees(sent: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    """Whether everything comparable that was sent stands in what was found."""
    return all(_is_in(sent[key], found.get(key)) for key in _COMPARABLE if key in sent)


def _is_in(sent: Any, found: Any) -> bool:
    if isinstance(sent, Mapping):
        inner = found if isinstance(found, Mapping) else {}
        return all(_is_in(value, inner.get(key)) for key, value in sent.items())
    return bool(sent == found)
