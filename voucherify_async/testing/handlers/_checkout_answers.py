"""How answers tell what became of redeemables."""

from __future__ import annotations

from collections.abc import Iterable

from .._checkout.orders import Cart
from .._checkout.stacking import Missing, Outcome, Stack
from .._messages import JsonObject
from .._state.state import State
from ._checkout_requests import CheckoutRequest


def empty_list() -> JsonObject:
    """Return the API's list without an item."""
    return {"data": [], "total": 0, "data_ref": "data", "object": "list"}


def redeemable(outcome: Outcome, request_id: str, order: JsonObject | None = None) -> JsonObject:
    """Return one redeemable as validations and redemptions tell it."""
    of = outcome.of
    told: JsonObject = {"status": outcome.status, "id": of.id, "object": of.object}
    if outcome.applies:
        if outcome.order is not None:
            told["order"] = {**outcome.order, **(order or {})}
        told |= {"applicable_to": _targets(outcome), "inapplicable_to": empty_list()}
    told["result"] = outcome.result(request_id)
    return told if isinstance(of, Missing) else {**told, **of.about}


def _targets(outcome: Outcome) -> JsonObject:
    targets = () if isinstance(outcome.of, Missing) else outcome.of.targets
    data = [
        {"object": "product", "id": target, "source_id": target, "effect": "APPLY_TO_EVERY"}
        for target in targets
    ]
    return {**empty_list(), "data": data, "total": len(data)}


def redeemables(
    outcomes: Iterable[Outcome], request_id: str, order: JsonObject | None = None
) -> list[JsonObject]:
    """Return redeemables as answers tell them."""
    return [redeemable(outcome, request_id, order) for outcome in outcomes]


def whole_stack(
    request: CheckoutRequest, stack: Stack, request_id: str, order: JsonObject | None
) -> JsonObject:
    """Return a promotion stack as the one redeemable that the request named."""
    told: JsonObject = {"id": request.stack_id, "object": "promotion_stack", "result": {}}
    if not stack.valid:
        failed = stack.failed[0]
        return {"status": failed.status, **told, "result": failed.result(request_id)}
    lists = {"applicable_to": empty_list(), "inapplicable_to": empty_list()}
    return {"status": "APPLICABLE", **told, "order": order, **lists}


def unsaved_order(request: CheckoutRequest, cart: Cart) -> JsonObject:
    """Return the order of a request as a validation tells it."""
    if request.stored is not None:
        return request.stored.render(cart.totals())
    sent = request.order or {}
    return {
        **{name: sent[name] for name in ("source_id", "status") if sent.get(name)},
        **cart.totals(),
        "metadata": sent.get("metadata") or {},
        "customer_id": request.customer.id if request.customer else None,
        "referrer_id": None,
        "object": "order",
    }


def applied_cart(request: CheckoutRequest, stack: Stack) -> Cart | None:
    """Return the cart with everything that applies, all of it applied by this request."""
    cart = request.fresh_cart()
    if cart is not None:
        for outcome in stack.applied:
            cart.apply(outcome.effect)
    return cart


def rest(stack: Stack, request_id: str) -> JsonObject:
    """Return what an answer has on top where not everything applied."""
    told: JsonObject = {}
    if stack.failed:
        told["inapplicable_redeemables"] = redeemables(stack.failed, request_id)
    if stack.skipped:
        told["skipped_redeemables"] = redeemables(stack.skipped, request_id)
    return told


def stacking_rules(state: State) -> JsonObject:
    """Return the stacking rules as answers tell them."""
    return dict(state.stacking_rules)
