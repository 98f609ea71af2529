"""Vouchers as the API answers with them, and their parts."""

# A literal beside `str` names the values that are known today.
# ruff: noqa: PYI051
# A function that makes an attrs field is called once a class, as it should be.
# ruff: noqa: RUF009

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Literal, TypeAlias

from attrs import frozen

from ._base import Model, Number, Record, needed, present
from .customers import Customer
from .discounts import Discount
from .references import RelatedObject
from .validity import ValidityHours, ValidityTimeframe

VoucherType: TypeAlias = Literal["GIFT_VOUCHER", "DISCOUNT_VOUCHER", "LOYALTY_CARD"] | str
"""Kind of a voucher; the API may add values."""

GiftEffect: TypeAlias = Literal["APPLY_TO_ORDER", "APPLY_TO_ITEMS"] | str
"""What gift credits pay for; the API may add values."""

CardType: TypeAlias = Literal["gift_voucher", "loyalty_card"] | str
"""Kind of a card that has a balance; the API may add values."""

OperationType: TypeAlias = Literal["MANUAL", "AUTOMATIC"] | str
"""Whether a person or a rule changed a balance; the API may add values."""

ValidationStatus: TypeAlias = Literal["VALID", "PARTIALLY_VALID", "INVALID"] | str
"""Whether an assigned validation rule can be applied; the API may add values."""

VoucherOrder: TypeAlias = Literal[
    "created_at", "-created_at", "updated_at", "-updated_at", "code", "-code"
]
"""Order of ``vouchers.list``; a dash means descending."""


@frozen(kw_only=True, repr=False)
class Gift(Model):
    """The credits of a gift card, in answers and requests."""

    amount: Number | None = needed()
    """All credits ever put on the card, in minor currency units; a request needs it."""
    subtracted_amount: int | None = None
    """All credits ever taken off by hand, in minor currency units."""
    balance: int | None = None
    """Credits left to spend, in minor currency units."""
    effect: GiftEffect | None = None
    """What the credits pay for: the order or its items."""


@frozen(kw_only=True, repr=False)
class LoyaltyCard(Model):
    """The points of a loyalty card, in answers and requests."""

    points: int | None = needed()
    """All points ever put on the card; a request needs it."""
    balance: int | None = None
    """Points left to spend."""
    next_expiration_date: date | None = None
    """Day on which the next points expire."""
    next_expiration_points: int | None = None
    """How many points expire on that day."""
    pending_points: int | None = None
    """Points that wait to be activated."""
    expired_points: int | None = None
    """Points that have expired so far."""
    subtracted_points: int | None = None
    """Points that have been taken off by hand so far."""


@frozen(kw_only=True, repr=False)
class VoucherAsset(Model):
    """An image of the encrypted code."""

    id: str | None = None
    """Id of the encrypted code."""
    url: str | None = None
    """Address of the image; takes ``size`` (1 to 100) and ``format`` (png, svg) as query."""


@frozen(kw_only=True, repr=False)
class VoucherAssets(Model):
    """The images of a voucher's code."""

    qr: VoucherAsset | None = None
    """The QR code."""
    barcode: VoucherAsset | None = None
    """The barcode."""


@frozen(kw_only=True, repr=False)
class VoucherPublications(Model):
    """How often a voucher was given to customers."""

    object: str | None = None
    """Always ``list``."""
    count: int | None = None
    """How many publications there are."""
    url: str | None = None
    """Path at which the API lists them."""


@frozen(kw_only=True, repr=False)
class VoucherRedemption(Model):
    """How often a voucher may be redeemed, and has been."""

    quantity: int | None = None
    """How often it may be redeemed; None is without limit."""
    redeemed_quantity: int | None = None
    """How often it has been redeemed."""
    redeemed_amount: int | None = None
    """Gift credits redeemed so far, in minor currency units."""
    redeemed_points: int | None = None
    """Loyalty points redeemed so far."""
    object: str | None = None
    """Always ``list``."""
    url: str | None = None
    """Path at which the API lists the redemptions."""


@frozen(kw_only=True, repr=False)
class Category(Record):
    """A category of vouchers."""

    name: str | None = None
    """Name of the category."""
    hierarchy: int | None = None
    """Rank of the category; a lower one is processed first."""
    stacking_rules_type: Literal["JOINT", "EXCLUSIVE"] | str | None = None
    """Whether the project's stacking rules let it combine with others; in checkout answers."""


@frozen(kw_only=True, repr=False)
class ValidationRuleAssignment(Record):
    """A validation rule that applies to a voucher."""

    rule_id: str | None = None
    """Id of the rule."""
    related_object_id: str | None = None
    """Id of what the rule applies to."""
    related_object_type: str | None = None
    """Kind of what the rule applies to, such as ``voucher``."""
    validation_status: ValidationStatus | None = None
    """Whether the rule can be applied."""
    validation_omitted_rules: Sequence[str] | None = None
    """Parts of the rule that are left out."""


@frozen(kw_only=True, repr=False)
class ValidationRuleAssignments(Model):
    """The validation rules of a voucher."""

    object: str | None = None
    """Always ``list``."""
    data_ref: str | None = None
    """Name of the key that holds the items."""
    data: Sequence[ValidationRuleAssignment] | None = None
    """The assignments."""
    total: int | None = None
    """How many there are."""


@frozen(kw_only=True, repr=False)
class Voucher(Record):
    """A voucher: the answer of get, list, create, generate, update, enable and disable."""

    id: str = present()
    """Id of the voucher, given by Voucherify; empty where an answer lacks it."""
    code: str = present()
    """Code that customers redeem; empty where an answer lacks it."""
    campaign: str | None = None
    """Name of the campaign it belongs to."""
    campaign_id: str | None = None
    """Id of the campaign it belongs to."""
    category: str | None = None
    """Name of its category."""
    category_id: str | None = None
    """Id of its category."""
    categories: Sequence[Category] | None = None
    """Its categories in full."""
    type: VoucherType = present()
    """What it is: which of `discount`, `gift` and `loyalty_card` is set; empty where an answer
    lacks it."""
    discount: Discount | None = None
    """The discount of a discount voucher."""
    gift: Gift | None = None
    """The credits of a gift card."""
    loyalty_card: LoyaltyCard | None = None
    """The points of a loyalty card."""
    start_date: datetime | None = None
    """Instant from which it is valid."""
    expiration_date: datetime | None = None
    """Instant after which it is no longer valid."""
    validity_timeframe: ValidityTimeframe | None = None
    """Recurring period in which it is valid."""
    validity_day_of_week: Sequence[int] | None = None
    """Days of the week on which it is valid: 0 is Sunday, 6 is Saturday."""
    validity_hours: ValidityHours | None = None
    """Hours at which it is valid."""
    active: bool | None = None
    """Whether it is switched on."""
    additional_info: str | None = None
    """Free text of the merchant."""
    metadata: Mapping[str, Any] | None = None
    """The merchant's own attributes."""
    assets: VoucherAssets | None = None
    """Images of the code."""
    is_referral_code: bool | None = None
    """Whether it belongs to a referral programme."""
    holder_id: str | None = None
    """Id of the customer who holds it."""
    holder: Customer | None = None
    """The customer who holds it, in redemptions."""
    referrer_id: str | None = None
    """Id of the customer who referred it."""
    publish: VoucherPublications | None = None
    """How often it was given to customers."""
    redemption: VoucherRedemption | None = None
    """How often it may be redeemed, and has been."""
    validation_rules_assignments: ValidationRuleAssignments | None = None
    """The validation rules that apply to it."""


@frozen(kw_only=True, repr=False)
class BalanceUpdate(Model):
    """What became of a card's balance: the answer of ``vouchers.update_balance``."""

    amount: int | None = None
    """Credits (minor currency units) or points that were added; negative if taken off."""
    total: int | None = None
    """All credits (minor currency units) or points ever put on the card."""
    balance: int | None = None
    """Credits (minor currency units) or points on the card afterwards."""
    type: CardType | None = None
    """Kind of the card."""
    operation_type: OperationType | None = None
    """Whether a person or a rule changed the balance."""
    object: str | None = None
    """Always ``balance``."""
    related_object: RelatedObject | None = None
    """The voucher whose balance it is."""


__all__ = [
    "BalanceUpdate",
    "CardType",
    "Category",
    "Gift",
    "GiftEffect",
    "LoyaltyCard",
    "OperationType",
    "ValidationRuleAssignment",
    "ValidationRuleAssignments",
    "ValidationStatus",
    "Voucher",
    "VoucherAsset",
    "VoucherAssets",
    "VoucherOrder",
    "VoucherPublications",
    "VoucherRedemption",
    "VoucherType",
]
