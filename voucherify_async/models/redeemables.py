"""What can be redeemed: as a request names it, and as a validation or redemption answers it."""

# A literal beside `str` names the values that are known today.
# ruff: noqa: PYI051

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

from attrs import frozen

from ._base import Model, Number
from .applicability import ApplicableToList
from .discounts import Discount
from .orders import Order
from .vouchers import Category

RedeemableKind: TypeAlias = (
    Literal["voucher", "promotion_tier", "promotion_stack", "campaign"] | str
)
"""What a redeemable is; the API may add values."""

RedeemableStatus: TypeAlias = Literal["APPLICABLE", "INAPPLICABLE", "SKIPPED"] | str
"""Whether a redeemable applies; the API may add values."""


@frozen(kw_only=True, repr=False)
class GiftSpend(Model):
    """How much of a gift card to spend."""

    credits: int | None = None
    """Credits, in minor currency units."""


@frozen(kw_only=True, repr=False)
class RewardSpend(Model):
    """What to spend the points of a loyalty card on."""

    id: str | None = None
    """Id of the reward."""
    points: int | None = None
    """How many points, where the reward is a discount that points pay for."""


@frozen(kw_only=True, repr=False)
class Redeemable(Model):
    """What to validate or redeem; a code alone stands for ``Redeemable(id=code)``."""

    object: RedeemableKind = "voucher"
    """What it is."""
    id: str
    """The voucher's code, or the id of the promotion tier or stack."""
    gift: GiftSpend | None = None
    """How much of a gift card to spend; all that is needed where it is not said."""
    reward: RewardSpend | None = None
    """What to spend a loyalty card's points on."""


@frozen(kw_only=True, repr=False)
class BundleItem(Model):
    """A product, variant or collection of a bundle."""

    id: str | None = None
    """Id of it."""
    object: str | None = None
    """Kind of it: ``product``, ``sku`` or ``products_collection``."""
    item_index: int | None = None
    """Place of its line in the order, if it is there."""
    item_quantity: int | None = None
    """How many units the bundle takes, or how many are missing."""


@frozen(kw_only=True, repr=False)
class Bundle(Model):
    """How far an order holds the bundle that a discount asks for."""

    quantity: int | None = None
    """How many bundles the order holds."""
    limit: int | None = None
    """How many bundles the discount applies to at most."""
    identified: Sequence[BundleItem] | None = None
    """What is there."""
    missing: Sequence[BundleItem] | None = None
    """What is missing."""


@frozen(kw_only=True, repr=False)
class RedeemableGift(Model):
    """What a gift card gives, in minor currency units."""

    balance: Number | None = None
    """Credits on the card."""
    credits: Number | None = None
    """Credits that the order takes."""
    locked_credits: Number | None = None
    """Credits that a session holds."""


@frozen(kw_only=True, repr=False)
class PointsTransfer(Model):
    """Points that come from another loyalty card."""

    code: str | None = None
    """Code of the other card."""
    points: int | None = None
    """How many points."""
    reason: str | None = None
    """Why they were moved."""
    source_id: str | None = None
    """Label that the merchant gave the transfer."""


@frozen(kw_only=True, repr=False)
class RedeemableLoyaltyCard(Model):
    """What a loyalty card gives."""

    points: int | None = None
    """Points that the order takes."""
    balance: int | None = None
    """Points on the card."""
    exchange_ratio: Number | None = None
    """What `points_ratio` points are worth, in minor currency units."""
    points_ratio: int | None = None
    """How many points that takes."""
    transfers: Sequence[PointsTransfer] | None = None
    """Points that come from other cards."""


@frozen(kw_only=True, repr=False)
class ErrorMessage(Model):
    """A text for the customer."""

    message: str | None = None
    """The text."""


@frozen(kw_only=True, repr=False)
class RedeemableError(Model):
    """Why a redeemable does not apply."""

    code: int | None = None
    """HTTP status of the error."""
    key: str | None = None
    """Kind of the error, such as ``quantity_exceeded``."""
    message: str | None = None
    """What is wrong, in short."""
    details: str | None = None
    """What is wrong, in full."""
    request_id: str | None = None
    """Id of the request."""
    resource_id: str | None = None
    """Id or code of what the error is about."""
    resource_type: str | None = None
    """Kind of what the error is about, such as ``voucher``."""
    error: ErrorMessage | None = None
    """The text that the validation rule has for the customer."""


@frozen(kw_only=True, repr=False)
class RedeemableDetails(Model):
    """Why a redeemable was skipped or does not apply."""

    key: str | None = None
    """Kind of the reason, such as ``preceding_validation_failed``."""
    message: str | None = None
    """The reason in a sentence."""


@frozen(kw_only=True, repr=False)
class RedeemableResult(Model):
    """What a redeemable gives, or why it does not apply."""

    discount: Discount | None = None
    """The discount."""
    bundle: Bundle | None = None
    """How far the order holds the bundle that the discount asks for."""
    gift: RedeemableGift | None = None
    """What a gift card gives."""
    loyalty_card: RedeemableLoyaltyCard | None = None
    """What a loyalty card gives."""
    error: RedeemableError | None = None
    """Why it does not apply."""
    details: RedeemableDetails | None = None
    """Why it was skipped or does not apply."""


@frozen(kw_only=True, repr=False)
class AnsweredRedeemable(Model):
    """What validations, redemptions and qualifications all say of a redeemable."""

    id: str | None = None
    """The voucher's code, or the id of the promotion tier, stack or campaign."""
    object: RedeemableKind | None = None
    """What it is."""
    name: str | None = None
    """Name of a promotion tier or campaign."""
    campaign_name: str | None = None
    """Name of its campaign."""
    campaign_id: str | None = None
    """Id of its campaign."""
    result: RedeemableResult | None = None
    """What it gives, or why it does not apply."""
    order: Order | None = None
    """The order with the discounts up to this one."""
    applicable_to: ApplicableToList | None = None
    """What it applies to."""
    inapplicable_to: ApplicableToList | None = None
    """What it does not apply to."""
    categories: Sequence[Category] | None = None
    """Its categories."""
    metadata: Mapping[str, Any] | None = None
    """The merchant's own attributes."""


@frozen(kw_only=True, repr=False)
class ValidatedRedeemable(AnsweredRedeemable):
    """A redeemable in the answer of a validation or redemption, whether it applies or not."""

    status: RedeemableStatus | None = None
    """Whether it applies."""

    @property
    def reason(self) -> str | None:
        """Why it does not apply, as the key of its error or details; None if it applies."""
        result = self.result
        if result is None or self.status == "APPLICABLE":
            return None
        keys = (part.key for part in (result.error, result.details) if part is not None)
        return next((key for key in keys if key), None)


__all__ = [
    "AnsweredRedeemable",
    "Bundle",
    "BundleItem",
    "ErrorMessage",
    "GiftSpend",
    "PointsTransfer",
    "Redeemable",
    "RedeemableDetails",
    "RedeemableError",
    "RedeemableGift",
    "RedeemableKind",
    "RedeemableLoyaltyCard",
    "RedeemableResult",
    "RedeemableStatus",
    "RewardSpend",
    "ValidatedRedeemable",
]
