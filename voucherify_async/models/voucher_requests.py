"""What ``vouchers.create``, ``.generate``, ``.update``, ``.list`` and the bulk updates send."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, TypeAlias

from attrs import field, frozen

from .._unset import UNSET, Unset
from ..errors import InvalidArgumentError
from ._base import Model, complete
from ._terms import VoucherTerms
from .discounts import Discount
from .validity import ValidityHours
from .vouchers import Gift, LoyaltyCard, VoucherType


@frozen(kw_only=True, repr=False)
class TimeRange(Model):
    """Bounds of the ``created_at`` and ``updated_at`` of ``vouchers.list``."""

    before: datetime | str | Unset | None = UNSET
    """Instant before which it happened; aware, or ISO 8601 text."""
    after: datetime | str | Unset | None = UNSET
    """Instant after which it happened; aware, or ISO 8601 text."""


@frozen(kw_only=True, repr=False)
class RedemptionLimit(Model):
    """How often a new voucher may be redeemed."""

    quantity: int | Unset | None = UNSET
    """How often; None is without limit."""


@frozen(kw_only=True, repr=False)
class CodeConfig(Model):
    """How ``vouchers.generate`` makes up a code."""

    length: int | Unset | None = UNSET
    """Number of characters, without prefix and postfix."""
    charset: str | Unset | None = UNSET
    """Characters to choose from."""
    prefix: str | Unset | None = UNSET
    """Text before the random part."""
    postfix: str | Unset | None = UNSET
    """Text after the random part."""
    pattern: str | Unset | None = UNSET
    """Template in which each ``#`` becomes a random character; goes before `length`."""
    initial_count: int | Unset | None = UNSET
    """Taken and ignored by the API."""


@frozen(kw_only=True, repr=False)
class _ChangeableFields(VoucherTerms):
    """What both a new voucher and a change of one can say."""

    category_id: str | Unset | None = UNSET
    """Id of its category."""
    validity_hours: ValidityHours | Unset | None = UNSET
    """Hours at which it is valid."""


@frozen(kw_only=True, repr=False)
class _NewVoucher(_ChangeableFields):
    """What every new voucher can say."""

    code: str | Unset | None = UNSET
    """The code, for ``vouchers.generate``; ``vouchers.create`` takes it as an argument."""
    code_config: CodeConfig | Unset | None = UNSET
    """How to make up a code, for ``vouchers.generate``; not together with `code`."""
    campaign: str | Unset | None = UNSET
    """Name of the campaign it joins."""
    campaign_id: str | Unset | None = UNSET
    """Id of the campaign it joins."""
    validation_rules: Sequence[str] | Unset | None = UNSET
    """Ids of the validation rules that apply to it."""
    redemption: RedemptionLimit | Unset | None = UNSET
    """How often it may be redeemed."""

    def __attrs_post_init__(self) -> None:
        if self.code and self.code_config:
            name = type(self).__name__
            raise InvalidArgumentError(f"{name}: code and code_config exclude each other")


@frozen(kw_only=True, repr=False)
class DiscountVoucherCreate(_NewVoucher):
    """A new discount voucher: the body of ``vouchers.create`` and ``vouchers.generate``."""

    type: Literal["DISCOUNT_VOUCHER"] = "DISCOUNT_VOUCHER"
    """The tag of this kind of voucher."""
    discount: Discount = field(validator=complete)
    """The discount."""


@frozen(kw_only=True, repr=False)
class GiftVoucherCreate(_NewVoucher):
    """A new gift card: the body of ``vouchers.create`` and ``vouchers.generate``."""

    type: Literal["GIFT_VOUCHER"] = "GIFT_VOUCHER"
    """The tag of this kind of voucher."""
    gift: Gift = field(validator=complete)
    """The credits."""


@frozen(kw_only=True, repr=False)
class LoyaltyCardCreate(_NewVoucher):
    """A new loyalty card: the body of ``vouchers.create`` and ``vouchers.generate``.

    Raises:
        InvalidArgumentError: It has neither `campaign` nor `campaign_id`.
    """

    type: Literal["LOYALTY_CARD"] = "LOYALTY_CARD"
    """The tag of this kind of voucher."""
    loyalty_card: LoyaltyCard = field(validator=complete)
    """The points."""

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if not self.campaign and not self.campaign_id:
            raise InvalidArgumentError("LoyaltyCardCreate: needs campaign or campaign_id")


VoucherCreate: TypeAlias = DiscountVoucherCreate | GiftVoucherCreate | LoyaltyCardCreate
"""The body of ``vouchers.create`` and ``vouchers.generate``: one class a kind of voucher."""


@frozen(kw_only=True, repr=False)
class VoucherUpdate(_ChangeableFields):
    """A change of a voucher: the body of ``vouchers.update``.

    A field that is not given stays as it is; None sets it to null.

    Raises:
        InvalidArgumentError: It has more than one of `discount`, `gift` and `loyalty_card`.
    """

    type: VoucherType | Unset | None = UNSET
    """Kind of the voucher, which cannot be changed."""
    discount: Discount | Unset | None = field(default=UNSET, validator=complete)
    """The discount, as a whole."""
    gift: Gift | Unset | None = field(default=UNSET, validator=complete)
    """The credits of a gift card."""
    loyalty_card: LoyaltyCard | Unset | None = field(default=UNSET, validator=complete)
    """The points of a loyalty card."""

    def __attrs_post_init__(self) -> None:
        if sum(map(bool, (self.discount, self.gift, self.loyalty_card))) > 1:
            kinds = "discount, gift and loyalty_card"
            raise InvalidArgumentError(f"VoucherUpdate: {kinds} exclude each other")


@frozen(kw_only=True, repr=False)
class VoucherMetadataUpdate(Model):
    """New attributes of one voucher: an item of ``vouchers.update_in_bulk``."""

    code: str
    """Code of the voucher."""
    metadata: Mapping[str, Any]
    """Attributes to add or to replace."""


__all__ = [
    "CodeConfig",
    "DiscountVoucherCreate",
    "GiftVoucherCreate",
    "LoyaltyCardCreate",
    "RedemptionLimit",
    "TimeRange",
    "VoucherCreate",
    "VoucherMetadataUpdate",
    "VoucherUpdate",
]
