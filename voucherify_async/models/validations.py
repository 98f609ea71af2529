"""Validations: whether redeemables apply to an order, and what they give."""

# A literal beside `str` names the values that are known today.
# ruff: noqa: PYI051

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

from attrs import frozen

from ._base import Model, Number
from .orders import Order
from .redeemables import ValidatedRedeemable

SessionTimeUnit: TypeAlias = (
    Literal["DAYS", "HOURS", "MINUTES", "SECONDS", "MILLISECONDS", "MICROSECONDS", "NANOSECONDS"]
    | str
)
"""Unit of a session's length; the API may add values."""

CheckoutExpansion: TypeAlias = Literal["order", "redeemable", "redemption", "category"] | str
"""What an answer holds in full where the request asks for it; the API may add values."""


@frozen(kw_only=True, repr=False)
class ValidationSession(Model):
    """Holds what was validated for its redemption, in answers and requests."""

    key: str | None = None
    """Name of the session; made by Voucherify where the request has none."""
    type: Literal["LOCK"] | str | None = None
    """Kind of the session."""
    ttl: Number | None = None
    """How long it holds, in `ttl_unit`; 7 days where the request does not say."""
    ttl_unit: SessionTimeUnit | None = None
    """Unit of `ttl`."""


@frozen(kw_only=True, repr=False)
class CheckoutOptions(Model):
    """The ``options`` of a validation or redemption."""

    expand: Sequence[CheckoutExpansion] | None = None
    """What the answer holds in full."""


@frozen(kw_only=True, repr=False)
class StackingRules(Model):
    """How the project combines redeemables."""

    redeemables_limit: int | None = None
    """Most redeemables in a request."""
    applicable_redeemables_limit: int | None = None
    """Most that apply at once."""
    applicable_redeemables_per_category_limit: int | None = None
    """Most of one category that apply at once."""
    applicable_redeemables_category_limits: Mapping[str, int] | None = None
    """Most that apply at once, by the category's id."""
    applicable_exclusive_redeemables_limit: int | None = None
    """Most of exclusive categories that apply at once."""
    applicable_exclusive_redeemables_per_category_limit: int | None = None
    """Most of one exclusive category that apply at once."""
    exclusive_categories: Sequence[str] | None = None
    """Ids of the categories that exclude others."""
    joint_categories: Sequence[str] | None = None
    """Ids of the categories that always apply."""
    redeemables_application_mode: Literal["ALL", "PARTIAL"] | str | None = None
    """Whether all must apply, or those that do are taken."""
    redeemables_sorting_rule: Literal["CATEGORY_HIERARCHY", "REQUESTED_ORDER"] | str | None = None
    """What decides which one is processed first."""
    grouped_redeemables_sorting_rule: str | None = None
    """Where those of joint categories stand among the others."""
    redeemables_products_application_mode: Literal["STACK", "ONCE"] | str | None = None
    """Whether several may discount the same product."""
    redeemables_no_effect_rule: Literal["REDEEM_ANYWAY", "SKIP"] | str | None = None
    """What becomes of one that changes nothing."""
    no_effect_skip_categories: Sequence[str] | None = None
    """Ids of the categories that are skipped without effect."""
    no_effect_redeem_anyway_categories: Sequence[str] | None = None
    """Ids of the categories that are redeemed without effect."""
    redeemables_rollback_order_mode: Literal["WITH_ORDER", "WITHOUT_ORDER"] | str | None = None
    """Whether a rollback undoes the order's discounts too."""


@frozen(kw_only=True, repr=False)
class Validation(Model):
    """The answer of ``validations.validate``."""

    id: str | None = None
    """Id of the validation."""
    valid: bool | None = None
    """Whether what applies can be redeemed; in PARTIAL mode something may still not apply."""
    redeemables: Sequence[ValidatedRedeemable] | None = None
    """What was asked about; where it is not valid, also what does not apply."""
    inapplicable_redeemables: Sequence[ValidatedRedeemable] | None = None
    """What does not apply, in PARTIAL mode."""
    skipped_redeemables: Sequence[ValidatedRedeemable] | None = None
    """What was passed over, in PARTIAL mode."""
    order: Order | None = None
    """The order with all discounts."""
    tracking_id: str | None = None
    """Hashed id of the customer."""
    session: ValidationSession | None = None
    """The session that holds what was validated."""
    stacking_rules: StackingRules | None = None
    """How the project combines redeemables."""

    @property
    def is_complete(self) -> bool:
        """Whether everything that was asked about applies."""
        redeemables = self.redeemables or ()
        applicable = all(redeemable.status == "APPLICABLE" for redeemable in redeemables)
        return bool(self.valid and redeemables and applicable) and not (
            self.inapplicable or self.skipped
        )

    @property
    def inapplicable(self) -> Sequence[ValidatedRedeemable]:
        """What does not apply, each with its error, in every mode."""
        return self._told("INAPPLICABLE", self.inapplicable_redeemables)

    @property
    def skipped(self) -> Sequence[ValidatedRedeemable]:
        """What was passed over, each with its reason, in every mode."""
        return self._told("SKIPPED", self.skipped_redeemables)

    def _told(
        self, status: str, apart: Sequence[ValidatedRedeemable] | None
    ) -> Sequence[ValidatedRedeemable]:
        # An answer may tell of one in both places.
        apart = apart or ()
        told = {(redeemable.object, redeemable.id) for redeemable in apart}
        among = [found for found in self.redeemables or () if found.status == status]
        return (*(r for r in among if (r.object, r.id) not in told), *apart)


__all__ = [
    "CheckoutExpansion",
    "CheckoutOptions",
    "SessionTimeUnit",
    "StackingRules",
    "Validation",
    "ValidationSession",
]
