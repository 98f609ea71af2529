"""Models: unions that narrow by their tag, fields that are there, values of every kind."""

# pyright: strict

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, assert_type

import voucherify_async as v


def discounts(discount: v.Discount) -> None:
    """A discount narrows by its type, the unknown kind apart."""
    if discount.type == "AMOUNT":
        assert_type(discount, v.AmountDiscount)
    elif discount.type == "PERCENT":
        assert_type(discount, v.PercentDiscount)
    elif discount.type == "UNIT":
        assert_type(discount, v.UnitDiscount | v.MultipleUnitDiscount)
    elif discount.type == "FIXED":
        assert_type(discount, v.FixedDiscount)
    else:
        assert_type(discount, v.UnknownDiscount)
        assert_type(discount.tag, str | None)


def entries(entry: v.RedemptionEntry) -> None:
    """An entry narrows by its object."""
    assert_type(entry.id, str)
    if entry.object == "redemption":
        assert_type(entry, v.Redemption)
    elif entry.object == "redemption_rollback":
        assert_type(entry.reason, str | None)


def vouchers(voucher: v.Voucher) -> None:
    """What every answer has is there; the rest may be None."""
    assert_type(voucher.id, str)
    assert_type(voucher.code, str)
    assert_type(voucher.type, v.VoucherType)
    assert_type(voucher.gift, v.Gift | None)
    assert_type(voucher.expiration_date, datetime | None)
    assert_type(voucher.metadata, Mapping[str, Any] | None)
    assert_type(voucher.categories, Sequence[v.Category] | None)
    if voucher.gift is not None:
        assert_type(voucher.gift.amount, int | float | None)
        assert_type(voucher.gift.balance, int | None)


def checkout(result: v.RedemptionResult, validation: v.Validation) -> None:
    """What checkout answers."""
    assert_type(result.is_complete, bool)
    assert_type(result.failed, Sequence[v.Redemption])
    assert_type(result.inapplicable, Sequence[v.ValidatedRedeemable])
    assert_type(validation.skipped, Sequence[v.ValidatedRedeemable])
    assert_type(result.order, v.Order | None)
    for redeemable in validation.inapplicable:
        assert_type(redeemable.reason, str | None)


def made() -> None:
    """What callers make: unset, null and a value are three things."""
    update = v.VoucherUpdate(active=None, category="Books", start_date=v.UNSET)
    assert_type(update.active, bool | v.Unset | None)
    assert_type(v.to_dict(update), dict[str, Any])
    assert_type(v.from_dict(v.Voucher, {}), v.Voucher)
    v.Order(source_id="cart-5", items=[v.OrderItem(product_id="prod_1", quantity=2)])
    v.Redeemable(id="TEA-10", gift=v.GiftSpend(credits=500))
    v.DiscountVoucherCreate(discount=v.PercentDiscount(percent_off=12.5))


def refused() -> None:
    """What a type checker has to refuse."""
    v.Vouchr()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
    v.Voucher(cod="A")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    v.Redeemable()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    v.Gift(balance="5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    v.Voucher().code = "B"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
