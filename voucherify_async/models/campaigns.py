"""Campaigns, as webhooks tell of them and as their own namespace answers."""

# A literal beside `str` names the values that are known today.
# ruff: noqa: PYI051

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, TypeAlias

from attrs import frozen

from ._base import Model, Record
from .discounts import Discount
from .promotions import PromotionTier
from .references import NamedReference
from .validity import ValidityHours, ValidityTimeframe
from .vouchers import (
    CardType,
    Category,
    Gift,
    LoyaltyCard,
    ValidationRuleAssignments,
    VoucherRedemption,
    VoucherType,
)

CampaignType: TypeAlias = (
    Literal["DISCOUNT_COUPONS", "GIFT_VOUCHERS", "LOYALTY_PROGRAM", "PROMOTION", "REFERRAL_PROGRAM"]
    | str
)
"""What a campaign gives; the API may add values."""

CampaignGrowth: TypeAlias = Literal["AUTO_UPDATE", "STATIC", "STANDALONE"] | str
"""Whether a campaign takes new vouchers; the API may add values."""

GenerationStatus: TypeAlias = Literal["DRAFT", "IN_PROGRESS", "DONE", "FAILED", "MODIFYING"] | str
"""How far Voucherify is with making something; the API may add values."""


@frozen(kw_only=True, repr=False)
class CampaignCodeConfig(Model):
    """How a campaign makes up its codes."""

    length: int | None = None
    """Number of characters, without prefix and postfix."""
    charset: str | None = None
    """Characters to choose from."""
    prefix: str | None = None
    """Text before the random part."""
    postfix: str | None = None
    """Text after the random part."""
    pattern: str | None = None
    """Template in which each ``#`` becomes a random character; goes before `length`."""
    initial_count: int | None = None
    """How many codes the campaign starts with."""


@frozen(kw_only=True, repr=False)
class PointsExpirationRules(Model):
    """When the points of a loyalty programme expire."""

    period_type: Literal["MONTH", "FIXED_DAY_OF_YEAR"] | str | None = None
    """Whether they expire after months, or on a day of the year."""
    period_value: int | None = None
    """After how many months."""
    rounding_type: (
        Literal[
            "END_OF_MONTH", "END_OF_QUARTER", "END_OF_HALF_YEAR", "END_OF_YEAR", "PARTICULAR_MONTH"
        ]
        | str
        | None
    ) = None
    """To what the end of that period is put off."""
    rounding_value: int | None = None
    """The month that it is put off to, of ``PARTICULAR_MONTH``: 1 is January."""
    fixed_month: int | None = None
    """The month of ``FIXED_DAY_OF_YEAR``: 1 is January."""
    fixed_day: int | None = None
    """The day of the month of ``FIXED_DAY_OF_YEAR``."""


@frozen(kw_only=True, repr=False)
class CampaignLoyaltyCard(LoyaltyCard):
    """The points that the cards of a loyalty programme start with."""

    expiration_rules: PointsExpirationRules | None = None
    """When points expire."""


@frozen(kw_only=True, repr=False)
class CampaignVoucher(Model):
    """What the vouchers of a campaign are like."""

    type: VoucherType | None = None
    """What they are: which of `discount`, `gift` and `loyalty_card` is set."""
    discount: Discount | None = None
    """The discount of discount vouchers."""
    gift: Gift | None = None
    """The credits of gift cards."""
    loyalty_card: CampaignLoyaltyCard | None = None
    """The points of loyalty cards."""
    redemption: VoucherRedemption | None = None
    """How often each may be redeemed."""
    code_config: CampaignCodeConfig | None = None
    """How their codes are made up."""
    is_referral_code: bool | None = None
    """Whether they belong to a referral programme."""
    start_date: datetime | None = None
    """Instant from which they are valid."""
    expiration_date: datetime | None = None
    """Instant after which they are no longer valid."""
    validity_timeframe: ValidityTimeframe | None = None
    """Recurring period in which they are valid."""
    validity_day_of_week: Sequence[int] | None = None
    """Days of the week on which they are valid: 0 is Sunday, 6 is Saturday."""
    validity_hours: ValidityHours | None = None
    """Hours at which they are valid."""


@frozen(kw_only=True, repr=False)
class RefereeRewardSource(NamedReference):
    """The campaign that a referee's reward comes of."""

    object: str | None = None
    """Always ``CAMPAIGN``."""


@frozen(kw_only=True, repr=False)
class RefereeReward(Model):
    """What a referred customer gets."""

    type: CardType | None = None
    """The kind of card that it is put on."""
    amount: int | str | None = None
    """Credits (minor currency units) or points; documented as a number and as a text."""
    related_object_parent: RefereeRewardSource | None = None
    """The campaign that it comes of."""


@frozen(kw_only=True, repr=False)
class ReferralProgram(Model):
    """How a referral programme works."""

    conversion_event_type: Literal["redemption", "custom_event"] | str | None = None
    """What makes a referral count."""
    custom_event: NamedReference | None = None
    """The custom event that does."""
    referee_reward: RefereeReward | None = None
    """What the referred customer gets."""


@frozen(kw_only=True, repr=False)
class LoyaltyTierStart(Model):
    """When a loyalty tier begins for a customer."""

    type: Literal["IMMEDIATE", "NEXT_PERIOD"] | str | None = None
    """At once, or with the next period."""


@frozen(kw_only=True, repr=False)
class LoyaltyTierRounding(Model):
    """To what the end of a loyalty tier is put off."""

    type: Literal["MONTH", "QUARTER", "HALF_YEAR", "YEAR", "CUSTOM"] | str | None = None
    """The period whose start or end it is."""
    strategy: Literal["START", "END"] | str | None = None
    """The start or the end of that period."""
    unit: Literal["MONTH"] | str | None = None
    """The unit of `value`."""
    value: int | None = None
    """Which one of the year: 0 is January."""


@frozen(kw_only=True, repr=False)
class LoyaltyTierEnd(Model):
    """When a loyalty tier ends for a customer."""

    type: Literal["END_OF_PERIOD", "END_OF_NEXT_PERIOD", "BALANCE_DROP", "CUSTOM"] | str | None = (
        None
    )
    """What ends it."""
    extend: str | None = None
    """How much longer it lasts, as an ISO 8601 duration such as ``P3M``."""
    rounding: LoyaltyTierRounding | None = None
    """To what it is put off."""


@frozen(kw_only=True, repr=False)
class LoyaltyTiersExpiration(Model):
    """How customers come into the tiers of a loyalty programme and out of them."""

    qualification_type: Literal["BALANCE", "POINTS_IN_PERIOD"] | str | None = None
    """Whether the balance counts, or the points of a period."""
    qualification_period: Literal["MONTH", "QUARTER", "HALF_YEAR", "YEAR"] | str | None = None
    """The period whose points count."""
    start_date: LoyaltyTierStart | None = None
    """When a tier begins."""
    expiration_date: LoyaltyTierEnd | None = None
    """When a tier ends."""


@frozen(kw_only=True, repr=False)
class CampaignPromotion(Model):
    """The tiers of a promotion campaign."""

    object: str | None = None
    """Always ``list``."""
    data_ref: str | None = None
    """Name of the key that holds the items."""
    tiers: Sequence[PromotionTier] | None = None
    """The tiers."""
    total: int | None = None
    """How many there are."""
    has_more: bool | None = None
    """Whether there are more than `tiers` holds."""


@frozen(kw_only=True, repr=False)
class CampaignArea(Record):
    """An area or store that a campaign belongs to."""

    area_id: str | None = None
    """Id of the area."""
    area_store_id: str | None = None
    """Id of the store."""
    all_stores: bool | None = None
    """Whether the campaign belongs to every store of the area."""


@frozen(kw_only=True, repr=False)
class CampaignAreas(Model):
    """The areas and stores that a campaign belongs to."""

    object: str | None = None
    """Always ``list``."""
    data_ref: str | None = None
    """Name of the key that holds the items."""
    data: Sequence[CampaignArea] | None = None
    """The areas and stores."""
    total: int | None = None
    """How many there are."""


@frozen(kw_only=True, repr=False)
class Campaign(Record):
    """A campaign; webhooks hold a part of its fields."""

    name: str | None = None
    """Its name, which no other campaign has."""
    description: str | None = None
    """Free text of the merchant."""
    campaign_type: CampaignType | None = None
    """What it gives."""
    type: CampaignGrowth | None = None
    """Whether it takes new vouchers."""
    voucher: CampaignVoucher | None = None
    """What its vouchers are like."""
    promotion: CampaignPromotion | None = None
    """The tiers of a promotion."""
    referral_program: ReferralProgram | None = None
    """How a referral programme works."""
    loyalty_tiers_expiration: LoyaltyTiersExpiration | None = None
    """How customers come into the tiers of a loyalty programme and out of them."""
    auto_join: bool | None = None
    """Whether customers join a loyalty programme by earning points."""
    join_once: bool | None = None
    """Whether a customer gets one voucher of it at most."""
    use_voucher_metadata_schema: bool | None = None
    """Whether the metadata schema of vouchers counts for its vouchers."""
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
    activity_duration_after_publishing: str | None = None
    """How long a voucher is valid once it is published, as an ISO 8601 duration."""
    vouchers_count: int | None = None
    """How many vouchers it has."""
    active: bool | None = None
    """Whether it is switched on."""
    metadata: Mapping[str, Any] | None = None
    """The merchant's own attributes."""
    category: str | None = None
    """Name of its category."""
    category_id: str | None = None
    """Id of its category."""
    categories: Sequence[Category] | None = None
    """Its categories in full."""
    creation_status: GenerationStatus | None = None
    """How far its creation is."""
    vouchers_generation_status: GenerationStatus | None = None
    """How far the generation of its vouchers is."""
    is_referral_code: bool | None = None
    """Whether its vouchers belong to a referral programme."""
    readonly: bool | None = None
    """Whether the caller may only read it."""
    protected: bool | None = None
    """Whether it can be deleted."""
    validation_rules_assignments: ValidationRuleAssignments | None = None
    """The validation rules that apply to it."""
    access_settings_assignments: CampaignAreas | None = None
    """The areas and stores that it belongs to."""


__all__ = [
    "Campaign",
    "CampaignArea",
    "CampaignAreas",
    "CampaignCodeConfig",
    "CampaignGrowth",
    "CampaignLoyaltyCard",
    "CampaignPromotion",
    "CampaignType",
    "CampaignVoucher",
    "GenerationStatus",
    "LoyaltyTierEnd",
    "LoyaltyTierRounding",
    "LoyaltyTierStart",
    "LoyaltyTiersExpiration",
    "PointsExpirationRules",
    "RefereeReward",
    "RefereeRewardSource",
    "ReferralProgram",
]
