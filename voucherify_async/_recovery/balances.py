"""What became of a balance update: its transaction carries its label."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from .._conversion.converter import structure_at
from .._protocol.listings import Envelope
from .._protocol.routes import LIST_TRANSACTIONS
from ..models.transactions import VoucherTransaction
from ..models.vouchers import BalanceUpdate
from .evidence import Absent, Done, Evidence, Look, Lost, Unclear

MAX_PAGES: Final = 50
_MARGIN: Final = timedelta(hours=1)


async def find_balance_update(lost: Lost, look: Look) -> Evidence:
    """Walk the card's history, newest first, to well before the update was sent."""
    walk = _Walk(lost)
    query: dict[str, Any] = {"limit": 100, "order": "-id"}
    for _ in range(MAX_PAGES):
        envelope = await look.read(LIST_TRANSACTIONS(**lost.values), query)
        evidence = walk.take(envelope)
        if evidence is not None:
            return evidence
        query = {**query, "starting_after_id": walk.last_id}
    return Unclear("The card's history is longer than could be looked through")


class _Walk:
    """What the pages of a card's history tell of one update, from the newest transaction on."""

    def __init__(self, lost: Lost) -> None:
        self.last_id: str | None = None
        self._lost = lost
        self._at: datetime | None = None
        self._clash: Unclear | None = None

    def take(self, envelope: Envelope) -> Evidence | None:
        """What is known after one more page, or None where the next one matters."""
        for item in envelope.items:
            transaction = structure_at(VoucherTransaction, item)
            landed = self._landed(transaction)
            if landed is not None:
                return Done(landed)
            at = transaction.created_at
            if at is None or (self._at is not None and self._at < at):
                return Unclear("The card's history is not in order, and may hold it anywhere")
            self._at, self.last_id = at, transaction.id
        is_behind = self._at is not None and self._at < self._lost.sent_at - _MARGIN
        is_last = envelope.has_more is False or (envelope.has_more is None and not envelope.items)
        if is_last or (envelope.items and is_behind):
            return self._clash or Absent("No transaction of the card carries the source_id")
        if not envelope.items or self.last_id is None:
            return Unclear("The card's history contradicts itself")
        return None

    def _landed(self, transaction: VoucherTransaction) -> BalanceUpdate | None:
        """The balance after the update, where this is its transaction."""
        if transaction.source_id != self._lost.source_id:
            return None
        balance = _balance_of(transaction)
        is_since = self._lost.was_before(transaction.created_at)
        if balance is not None and balance.amount == self._lost.sent["amount"] and is_since:
            return balance
        self._clash = Unclear("Another transaction carries the same source_id")
        return None


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
