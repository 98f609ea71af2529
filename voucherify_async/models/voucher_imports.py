"""What ``imports.vouchers`` and ``imports.vouchers_to_campaign`` send."""

from __future__ import annotations

from typing import Literal, TypeAlias

from attrs import field, frozen

from .._unset import UNSET, Unset
from ._base import Model, complete
from ._terms import VoucherTerms
from .discounts import Discount
from .vouchers import Gift, LoyaltyCard


@frozen(kw_only=True, repr=False)
class ImportedRedemption(Model):
    """How often an imported voucher may be redeemed."""

    quantity: int | Unset | None = UNSET
    """How often; None is without limit."""
    redeemed_quantity: int | Unset | None = UNSET
    """How often it has been redeemed elsewhere; the API takes it but may not keep it."""


@frozen(kw_only=True, repr=False)
class _ImportedVoucher(VoucherTerms):
    """What every imported voucher can say."""

    code: str
    """The code."""
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
