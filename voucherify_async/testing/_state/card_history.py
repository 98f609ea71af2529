"""The transactions of gift cards and loyalty cards."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from .._messages import JsonObject
from .._refusals import ApiFailure, invalid_voucher
from .ids import Ids
from .server_time import ServerTime, iso
from .stored_voucher import StoredVoucher

# By voucher type: balance type, the key of totals and changes, the noun.
_CARDS = {
    "GIFT_VOUCHER": ("gift_voucher", "amount", "CREDITS"),
    "LOYALTY_CARD": ("loyalty_card", "points", "POINTS"),
}
_EXCEEDED = {
    "GIFT_VOUCHER": ("gift_amount_exceeded", "gift amount exceeded"),
    "LOYALTY_CARD": ("loyalty_card_points_exceeded", "loyalty card points exceeded"),
}


class CardHistory:
    """Every balance change, in the order in which it happened."""

    def __init__(self, ids: Ids, clock: ServerTime) -> None:
        self._ids = ids
        self._clock = clock
        self._by_voucher: dict[str, list[JsonObject]] = {}

    def of(self, voucher_id: str) -> list[JsonObject]:
        """Return the transactions of one voucher, oldest first."""
        return self._by_voucher.get(voucher_id, [])

    def of_campaign(self, campaign_id: str) -> list[JsonObject]:
        """Return the transactions of a campaign's vouchers, oldest first."""
        found = [
            entry
            for entries in self._by_voucher.values()
            for entry in entries
            if entry["campaign_id"] == campaign_id
        ]
        return sorted(found, key=_identifier)

    def all(self) -> list[JsonObject]:
        """Return every transaction, oldest first."""
        entries = [entry for entries in self._by_voucher.values() for entry in entries]
        return sorted(entries, key=_identifier)

    def move(
        self, voucher: StoredVoucher, change: int, source_id: str | None, reason: str | None
    ) -> JsonObject:
        """Change a card's balance, record it and return the balance object of the answer."""
        if voucher.type not in _CARDS or voucher.value is None:
            raise invalid_voucher(f"A {voucher.type} has no balance")
        balance_type, key, _ = _CARDS[voucher.type]
        value = voucher.value
        balance = value["balance"] + change
        if balance < 0:
            details = f"The balance is {value['balance']}, too little to take {-change} away"
            raise ApiFailure(400, *_EXCEEDED[voucher.type], details)
        total = value[key] + change
        voucher.value = {**value, key: total, "balance": balance}
        self._record(voucher, change, source_id, reason)
        return {
            "amount": change,
            "total": total,
            "balance": balance,
            "type": balance_type,
            "object": "balance",
            "related_object": {"type": "voucher", "id": voucher.id},
        }

    def redeem(self, voucher: StoredVoucher, amount: int, **related: JsonObject) -> None:
        """Take what a redemption spends from a card; a negative amount gives it back.

        ``related``: the ``order``, the ``redemption`` and the ``rollback`` that the entry names.
        """
        value = voucher.value or {}
        voucher.value = {**value, "balance": value["balance"] - amount}
        voucher.redeemed += amount
        kind = "REDEMPTION" if amount >= 0 else "REFUND"
        self._record(voucher, -amount, None, None, kind=kind, source=None, **related)

    def _record(
        self,
        voucher: StoredVoucher,
        change: int,
        source_id: str | None,
        reason: str | None,
        *,
        kind: str | None = None,
        source: str | None = "API",
        **related: JsonObject,
    ) -> None:
        balance_type, key, noun = _CARDS[voucher.type]
        kind = kind or ("ADDITION" if change >= 0 else "REMOVAL")
        value = voucher.value or {}
        entry = {
            "id": self._ids.ordered("vtx"),
            "source_id": source_id,
            "voucher_id": voucher.id,
            "campaign_id": voucher.campaign.id if voucher.campaign else None,
            "source": source,
            "reason": reason,
            "type": f"{noun}_{kind}",
            "details": {
                "balance": {
                    "type": balance_type,
                    "total": value[key],
                    key: change,
                    "object": "balance",
                    "balance": value["balance"],
                    "related_object": {"id": voucher.id, "type": "voucher"},
                },
                **related,
            },
            "related_transaction_id": None,
            "created_at": iso(self._clock.now()),
        }
        self._by_voucher.setdefault(voucher.id, []).append(entry)


def page_after(
    entries: list[JsonObject], order: str, cursor: str | None, limit: int
) -> tuple[list[JsonObject], bool]:
    """Return the entries that follow a cursor, at most ``limit``, and whether more follow them."""
    if order == "id":
        start = 0 if cursor is None else bisect_right(entries, cursor, key=_identifier)
        return entries[start : start + limit], start + limit < len(entries)
    end = len(entries) if cursor is None else bisect_left(entries, cursor, key=_identifier)
    start = max(end - limit, 0)
    return entries[start:end][::-1], start > 0


def _identifier(entry: JsonObject) -> str:
    identifier: str = entry["id"]
    return identifier
