"""What ``imports.vouchers`` and ``imports.vouchers_to_campaign`` send."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, TypeAlias

from attrs import field, frozen

from .._unset import UNSET, Unset
from ._base import Model, complete
from .discounts import Discount
from .validity import ValidityTimeframe
from .vouchers import Gift, LoyaltyCard


@frozen(kw_only=True, repr=False)
class ImportedRedemption(Model):
    """How often an imported voucher may be redeemed."""

    quantity: int | Unset | None = UNSET
    """How often; None is without limit."""
    redeemed_quantity: int | Unset | None = UNSET
    """How often it has been redeemed elsewhere; the API takes it but may not keep it."""


@frozen(kw_only=True, repr=False)
class _ImportedVoucher(Model):
    """What every imported voucher can say."""

    code: str
    """The code."""
    category: str | Unset | None = UNSET
    """Name of its category."""
    start_date: datetime | str | Unset | None = UNSET
    """Instant from which it is valid; aware, or ISO 8601 text."""
    expiration_date: datetime | str | Unset | None = UNSET
    """Instant after which it is no longer valid; aware, or ISO 8601 text."""
    validity_timeframe: ValidityTimeframe | Unset | None = UNSET
    """Recurring period in which it is valid; needs a start date."""
    validity_day_of_week: Sequence[int] | Unset | None = UNSET
    """Days of the week on which it is valid: 0 is Sunday, 6 is Saturday."""
    active: bool | Unset | None = UNSET
    """Whether it is switched on."""
    additional_info: str | Unset | None = UNSET
    """Free text."""
    metadata: Mapping[str, Any] | Unset | None = UNSET
    """Your own attributes."""
    redemption: ImportedRedemption | Unset | None = UNSET
    """How often it may be redeemed."""


@frozen(kw_only=True, repr=False)
class DiscountVoucherImport(_ImportedVoucher):
    """A discount voucher to import."""

    type: Literal["DISCOUNT_VOUCHER"] = "DISCOUNT_VOUCHER"
    """The tag of this kind of voucher."""
    discount: Discount = field(validator=complete)
    """The discount."""


@frozen(kw_only=True, repr=False)
class GiftVoucherImport(_ImportedVoucher):
    """A gift card to import."""

    type: Literal["GIFT_VOUCHER"] = "GIFT_VOUCHER"
    """The tag of this kind of voucher."""
    gift: Gift = field(validator=complete)
    """The credits."""


@frozen(kw_only=True, repr=False)
class LoyaltyCardImport(_ImportedVoucher):
    """A loyalty card to import into a campaign, the only place where one can live."""

    type: Literal["LOYALTY_CARD"] = "LOYALTY_CARD"
    """The tag of this kind of voucher."""
    loyalty_card: LoyaltyCard = field(validator=complete)
    """The points."""


@frozen(kw_only=True, repr=False)
class CampaignVoucherImport(_ImportedVoucher):
    """A code to import into a campaign that decides what it is worth."""

    gift: Gift | Unset | None = field(default=UNSET, validator=complete)
    """Credits that differ from the campaign's, in a campaign of gift cards."""
    loyalty_card: LoyaltyCard | Unset | None = field(default=UNSET, validator=complete)
    """Points that differ from the campaign's, in a loyalty programme."""


VoucherImport: TypeAlias = DiscountVoucherImport | GiftVoucherImport
"""An item of ``imports.vouchers``."""

CampaignImport: TypeAlias = (
    CampaignVoucherImport | DiscountVoucherImport | GiftVoucherImport | LoyaltyCardImport
)
"""An item of ``imports.vouchers_to_campaign``."""

__all__ = [
    "CampaignImport",
    "CampaignVoucherImport",
    "DiscountVoucherImport",
    "GiftVoucherImport",
    "ImportedRedemption",
    "LoyaltyCardImport",
    "VoucherImport",
]
