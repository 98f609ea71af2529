"""Qualifications: what a customer or an order could redeem."""

# A literal beside `str` names the values that are known today.
# ruff: noqa: PYI051

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, TypeAlias

from attrs import frozen

from ._base import Model
from .filters import FieldConditions, Junction
from .orders import Order
from .redeemables import AnsweredRedeemable
from .validations import StackingRules
from .vouchers import ValidationRuleAssignments

QualificationScenario: TypeAlias = (
    Literal[
        "ALL",
        "CUSTOMER_WALLET",
        "AUDIENCE_ONLY",
        "PRODUCTS",
        "PRODUCTS_DISCOUNT",
        "PROMOTION_STACKS",
        "PRODUCTS_BY_CUSTOMER",
        "PRODUCTS_DISCOUNT_BY_CUSTOMER",
    ]
    | str
)
"""What a qualification looks for; the API may add values."""

QualificationExpansion: TypeAlias = Literal["category", "redeemable", "validation_rules"] | str
"""What an answer holds in full where the request asks for it; the API may add values."""

QualificationSorting: TypeAlias = Literal["BEST_DEAL", "LEAST_DEAL", "DEFAULT"] | str
"""Which redeemable comes first; the API may add values."""


@frozen(kw_only=True, repr=False)
class QualificationFilters(Model):
    """Which redeemables a qualification looks at."""

    junction: Junction | None = None
    """Whether all filters must hold or any of them."""
    category_id: FieldConditions | None = None
    """Id of the category."""
    campaign_id: FieldConditions | None = None
    """Id of the campaign."""
    campaign_type: FieldConditions | None = None
    """Kind of the campaign."""
    resource_id: FieldConditions | None = None
    """Id of the redeemable."""
    resource_type: FieldConditions | None = None
    """Kind of the redeemable."""
    voucher_type: FieldConditions | None = None
    """Kind of the voucher."""
    code: FieldConditions | None = None
    """Code of the voucher."""
    holder_role: FieldConditions | None = None
    """What the customer is to the voucher: ``OWNER``, ``REFERRER`` or ``REFEREE``."""


@frozen(kw_only=True, repr=False)
class QualificationOptions(Model):
    """The ``options`` of a qualification."""

    limit: int | None = None
    """How many redeemables a page holds."""
    starting_after: datetime | str | None = None
    """Instant of the last redeemable of the page before; aware, or ISO 8601 text."""
    filters: QualificationFilters | None = None
    """Which redeemables it looks at."""
    expand: Sequence[QualificationExpansion] | None = None
    """What the answer holds in full."""
    sorting_rule: QualificationSorting | None = None
    """Which one comes first."""


@frozen(kw_only=True, repr=False)
class QualifiedRedeemable(AnsweredRedeemable):
    """What could be redeemed: an item of ``qualifications.check``."""

    created_at: datetime | None = None
    """Instant at which it was created."""
    validation_rule_id: str | None = None
    """Id of the validation rule that applies to it."""
    banner: str | None = None
    """Text that customers are shown of a promotion tier."""
    validation_rules_assignments: ValidationRuleAssignments | None = None
    """The validation rules that apply to it."""
    redeemables: Sequence[QualifiedRedeemable] | None = None
    """The promotion tiers of a stack."""


@frozen(kw_only=True, repr=False)
class QualifiedRedeemables(Model):
    """A page of what could be redeemed."""

    object: str | None = None
    """Always ``list``."""
    data_ref: str | None = None
    """Name of the key that holds the items."""
    data: Sequence[QualifiedRedeemable] | None = None
    """The redeemables."""
    total: int | None = None
    """How many the page holds."""
    has_more: bool | None = None
    """Whether there are more."""
    more_starting_after: datetime | None = None
    """Where the next page begins."""


@frozen(kw_only=True, repr=False)
class Qualification(Model):
    """One whole answer behind ``qualifications.check``."""

    redeemables: QualifiedRedeemables | None = None
    """What could be redeemed."""
    tracking_id: str | None = None
    """Hashed id of the customer."""
    order: Order | None = None
    """The order that it was asked for."""
    stacking_rules: StackingRules | None = None
    """How the project combines redeemables."""


__all__ = [
    "Qualification",
    "QualificationExpansion",
    "QualificationFilters",
    "QualificationOptions",
    "QualificationScenario",
    "QualificationSorting",
    "QualifiedRedeemable",
    "QualifiedRedeemables",
]
