"""Several redeemables one after another, by the project's stacking rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from .._refusals import ApiFailure
from .discounts import Prices, effect_of, needs_items
from .eligibility import Offer, refusal
from .orders import NO_EFFECT, Cart, Effect, LineChange

JsonObject: TypeAlias = dict[str, Any]

LIMIT = 30
_SKIPS = {
    "applicable_redeemables_limit_exceeded": "Applicable redeemables limit exceeded",
    "preceding_validation_failed": (
        "Redeemable cannot be applied due to preceding validation failure"
    ),
    "no_effect": "Redeemable cannot be applied due to no effect",
}


def default_rules() -> JsonObject:
    """Return the stacking rules of a new project: all or nothing, 30 redeemables at the most."""
    return {
        "redeemables_limit": LIMIT,
        "applicable_redeemables_limit": LIMIT,
        "applicable_redeemables_per_category_limit": LIMIT,
        "applicable_redeemables_category_limits": {},
        "applicable_exclusive_redeemables_limit": 1,
        "applicable_exclusive_redeemables_per_category_limit": 1,
        "exclusive_categories": [],
        "joint_categories": [],
        "redeemables_application_mode": "ALL",
        "redeemables_sorting_rule": "REQUESTED_ORDER",
        "redeemables_products_application_mode": "STACK",
        "redeemables_no_effect_rule": "REDEEM_ANYWAY",
        "no_effect_skip_categories": [],
        "no_effect_redeem_anyway_categories": [],
        "redeemables_rollback_order_mode": "WITH_ORDER",
    }


@dataclass(frozen=True, slots=True)
class Missing:
    """A redeemable that does not exist."""

    object: str
    id: str
    failure: ApiFailure


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one redeemable; ``order`` are the order's totals after it."""

    of: Offer | Missing
    effect: Effect = NO_EFFECT
    spent: int = 0
    order: JsonObject | None = None
    failure: ApiFailure | None = None
    skipped: str | None = None

    @property
    def applies(self) -> bool:
        """Whether it can be redeemed."""
        return self.failure is None and self.skipped is None

    @property
    def status(self) -> str:
        """The API's word for it."""
        if self.failure is not None:
            return "INAPPLICABLE"
        return "SKIPPED" if self.skipped is not None else "APPLICABLE"

    def result(self, request_id: str) -> JsonObject:
        """Return the ``result`` that an answer has for it."""
        if self.failure is not None:
            error = self.failure.body(request_id)
            return {"error": error, "details": {"message": error["message"], "key": error["key"]}}
        if self.skipped is not None:
            return {"details": {"key": self.skipped, "message": _SKIPS[self.skipped]}}
        offer = self.of
        if not isinstance(offer, Offer):
            return {}
        if offer.card == "GIFT_VOUCHER":
            return {"gift": {"credits": self.spent, "balance": offer.available}}
        if offer.card == "LOYALTY_CARD":
            return {"loyalty_card": {"points": self.spent}}
        return {"discount": offer.discount}


@dataclass(frozen=True, slots=True)
class Stack:
    """What became of all of them; ``valid`` if the request as a whole can be redeemed."""

    outcomes: tuple[Outcome, ...]
    valid: bool

    @property
    def applied(self) -> list[Outcome]:
        """Those that can be redeemed."""
        return [outcome for outcome in self.outcomes if outcome.applies]

    @property
    def failed(self) -> list[Outcome]:
        """Those that do not apply."""
        return [outcome for outcome in self.outcomes if outcome.failure is not None]

    @property
    def skipped(self) -> list[Outcome]:
        """Those that the rules left out."""
        return [outcome for outcome in self.outcomes if outcome.skipped is not None]


def stack(
    redeemables: Sequence[Offer | Missing],
    cart: Cart | None,
    rules: JsonObject,
    now: datetime,
    *,
    has_customer: bool,
    prices: Prices,
) -> Stack:
    """Apply redeemables in their order to a cart, which is changed, and tell what became of each.

    In the mode ``ALL`` one that fails leaves all the others skipped; in the mode ``PARTIAL`` the
    others apply.
    """
    outcomes: list[Outcome] = []
    for redeemable in redeemables:
        if isinstance(redeemable, Missing):
            outcomes.append(Outcome(redeemable, failure=redeemable.failure))
            continue
        limit = rules["applicable_redeemables_limit"]
        if sum(outcome.applies for outcome in outcomes) >= limit:
            outcomes.append(Outcome(redeemable, skipped="applicable_redeemables_limit_exceeded"))
            continue
        outcomes.append(_try(redeemable, cart, rules, now, has_customer, prices))
    failed = any(outcome.failure for outcome in outcomes)
    if failed and rules["redeemables_application_mode"] == "ALL":
        return Stack(tuple(_all_or_nothing(outcomes)), valid=False)
    return Stack(tuple(outcomes), valid=any(outcome.applies for outcome in outcomes))


def _all_or_nothing(outcomes: Iterable[Outcome]) -> Iterable[Outcome]:
    for outcome in outcomes:
        if outcome.applies:
            yield Outcome(outcome.of, skipped="preceding_validation_failed")
        else:
            yield outcome


def _try(
    offer: Offer,
    cart: Cart | None,
    rules: JsonObject,
    now: datetime,
    has_customer: bool,  # noqa: FBT001 - one of many facts
    prices: Prices,
) -> Outcome:
    failure = refusal(
        offer,
        now,
        has_customer=has_customer,
        amount=None if cart is None else cart.amount,
        lines=0 if cart is None else len(cart.lines),
        needs_lines=offer.discount is not None and needs_items(offer.discount),
    )
    if failure is not None:
        return Outcome(offer, failure=failure)
    if cart is None:
        return Outcome(offer)
    cart.settle()
    effect, spent = _effect(offer, cart, prices)
    if effect.is_empty and rules["redeemables_no_effect_rule"] == "SKIP":
        return Outcome(offer, skipped="no_effect")
    cart.apply(effect)
    return Outcome(offer, effect, spent, cart.totals())


def _effect(offer: Offer, cart: Cart, prices: Prices) -> tuple[Effect, int]:
    if offer.discount is not None:
        return effect_of(offer.discount, cart, prices, offer.targets), 0
    spent = min(cart.left, offer.available if offer.wanted is None else offer.wanted)
    if offer.card_effect != "APPLY_TO_ITEMS":
        return Effect(spent), spent
    changes: list[LineChange] = []
    rest = spent
    for line in cart.lines:
        paid = min(rest, line.left)
        rest -= paid
        if paid:
            changes.append(LineChange(line.key, paid, line.quantity))
    return Effect(lines=tuple(changes)), spent - rest
