"""What is shown of a voucher, a transaction and a job. Money is in minor currency units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from .. import to_dict
from ..models import (
    AmountDiscount,
    AsyncAction,
    Discount,
    FixedDiscount,
    MultipleUnitDiscount,
    PercentDiscount,
    RedemptionEntry,
    UnitDiscount,
    ValidatedRedeemable,
    Voucher,
    VoucherTransaction,
)
from .output import Column

_KINDS: Final = {"DISCOUNT_VOUCHER": "discount", "GIFT_VOUCHER": "gift", "LOYALTY_CARD": "loyalty"}


def _kind(voucher: Voucher) -> str | None:
    return _KINDS.get(voucher.type or "", voucher.type)


def worth(voucher: Voucher) -> str | None:
    """What a voucher is worth, in a few words: `1000 off`, `250 of 1000` (balance and total)."""
    if voucher.gift is not None:
        return f"{_known(voucher.gift.balance)} of {_known(voucher.gift.amount)}"
    if voucher.loyalty_card is not None:
        card = voucher.loyalty_card
        return f"{_known(card.balance)} of {_known(card.points)} points"
    return None if voucher.discount is None else _discount(voucher.discount)


def _discount(discount: Discount) -> str:
    match discount:
        case AmountDiscount(amount_off=amount):
            return f"{_known(amount)} off"
        case PercentDiscount(percent_off=percent):
            return f"{_known(percent)}% off"
        case FixedDiscount(fixed_amount=amount):
            return f"for {_known(amount)}"
        case MultipleUnitDiscount(units=units):
            return ", ".join(f"{_known(u.unit_off)} x {_known(u.unit_type)}" for u in units or ())
        case UnitDiscount(unit_off=count, unit_type=kind):
            return f"{_known(count)} x {_known(kind)}"
        case unknown:
            return str(unknown.type)


def _known(value: object) -> object:
    return "?" if value is None else value


def _redeemed(voucher: Voucher) -> str | None:
    redemption = voucher.redemption
    if redemption is None or redemption.redeemed_quantity is None:
        return None
    of = "" if redemption.quantity is None else f" of {redemption.quantity}"
    return f"{redemption.redeemed_quantity}{of}"


VOUCHERS: Final[Sequence[Column[Voucher]]] = (
    Column("code", lambda voucher: voucher.code),
    Column("type", _kind),
    Column("value", worth),
    Column("active", lambda voucher: voucher.active),
    Column("category", lambda voucher: voucher.category),
    Column("campaign", lambda voucher: voucher.campaign, is_wide=True),
    Column("expires", lambda voucher: voucher.expiration_date, is_wide=True),
    Column("redeemed", _redeemed, is_wide=True),
    Column("created", lambda voucher: voucher.created_at, is_wide=True),
)


def voucher_record(voucher: Voucher) -> Sequence[tuple[str, Any]]:
    """All that is shown of a single voucher."""
    return (
        *((column.name, column.value(voucher)) for column in VOUCHERS),
        ("id", voucher.id),
        ("starts", voucher.start_date),
        ("updated", voucher.updated_at),
        ("campaign id", voucher.campaign_id),
        ("holder id", voucher.holder_id),
        ("info", voucher.additional_info),
        ("metadata", voucher.metadata or None),
        ("discount", None if voucher.discount is None else to_dict(voucher.discount)),
    )


def _change(transaction: VoucherTransaction) -> int | None:
    balance = transaction.details.balance if transaction.details else None
    if balance is None:
        return None
    return balance.points if balance.amount is None else balance.amount


def _balance(transaction: VoucherTransaction) -> int | None:
    balance = transaction.details.balance if transaction.details else None
    return None if balance is None else balance.balance


TRANSACTIONS: Final[Sequence[Column[VoucherTransaction]]] = (
    Column("created", lambda transaction: transaction.created_at),
    Column("type", lambda transaction: transaction.type),
    Column("amount", _change, is_number=True),
    Column("balance", _balance, is_number=True),
    Column("reason", lambda transaction: transaction.reason),
    Column("source_id", lambda transaction: transaction.source_id, is_wide=True),
    Column("source", lambda transaction: transaction.source, is_wide=True),
    Column("id", lambda transaction: transaction.id, is_wide=True),
)


def transaction_record(transaction: VoucherTransaction) -> Sequence[tuple[str, Any]]:
    """All that is shown of a single transaction."""
    return [(column.name, column.value(transaction)) for column in TRANSACTIONS]


JOBS: Final[Sequence[Column[AsyncAction]]] = (
    Column("id", lambda action: action.id),
    Column("type", lambda action: action.type),
    Column("status", lambda action: action.status),
    Column("outcome", lambda action: action.operation_status, is_wide=True),
    Column("progress", lambda action: action.progress, is_number=True),
    Column("created", lambda action: action.created_at),
    Column("updated", lambda action: action.updated_at, is_wide=True),
)


def job_record(action: AsyncAction) -> Sequence[tuple[str, Any]]:
    """All that is shown of a single job."""
    result = action.result
    return (
        *((column.name, column.value(action)) for column in JOBS),
        ("done", result.done_count if result else None),
        ("failed", result.failed_count if result else None),
        ("message", result.message if result else None),
    )


def _gives(redeemable: ValidatedRedeemable) -> str | None:
    result = redeemable.result
    if result is None or redeemable.status != "APPLICABLE":
        return None
    if result.gift is not None:
        return f"{_known(result.gift.credits)} of {_known(result.gift.balance)}"
    if result.loyalty_card is not None:
        return f"{_known(result.loyalty_card.points)} points"
    return None if result.discount is None else _discount(result.discount)


REDEEMABLES: Final[Sequence[Column[ValidatedRedeemable]]] = (
    Column("code", lambda redeemable: redeemable.id),
    Column("status", lambda redeemable: redeemable.status),
    Column("gives", _gives),
    Column("reason", lambda redeemable: redeemable.reason),
)


def _redeemed_code(entry: RedemptionEntry) -> str | None:
    if entry.voucher is not None:
        return entry.voucher.code
    return entry.promotion_tier.id if entry.promotion_tier else None


REDEMPTIONS: Final[Sequence[Column[Any]]] = (
    Column("date", lambda entry: entry.date),
    Column("id", lambda entry: entry.id),
    Column("kind", lambda entry: (entry.object or "").removeprefix("redemption_")),
    Column("code", _redeemed_code),
    Column("result", lambda entry: entry.result),
    Column("amount", lambda entry: entry.amount, is_number=True),
    Column("status", lambda entry: entry.status, is_wide=True),
    Column("order", lambda entry: entry.order.source_id if entry.order else None, is_wide=True),
    Column("failure", lambda entry: entry.failure_code, is_wide=True),
)


def redemption_record(entry: RedemptionEntry) -> Sequence[tuple[str, Any]]:
    """All that is shown of a single redemption or rollback."""
    return [(column.name, column.value(entry)) for column in REDEMPTIONS]
