"""Validations: what redeemables come to, and locks on them."""

from __future__ import annotations

from .._checkout.eligibility import Offer
from .._checkout.sessions import Lock, lifetime
from .._checkout.stacking import Stack, stack
from .._messages import Incoming, JsonObject, Reply, json_reply
from .._state.state import State
from ._checkout_answers import (
    applied_cart,
    redeemables,
    rest,
    stacking_rules,
    unsaved_order,
    whole_stack,
)
from ._checkout_requests import CheckoutRequest, read_checkout


def validate(state: State, call: Incoming) -> Reply:
    """Tell which redeemables apply, and hold them if the request opens a session."""
    request = read_checkout(state, call.json_object(), upsert=False)
    result = stack(
        request.redeemables,
        request.cart,
        state.stacking_rules,
        state.clock.now(),
        has_customer=request.customer_given,
        prices=state.promotions.prices,
    )
    if result.valid and request.session is not None:
        _hold(state, request, result)
    return json_reply(_answer(state, call, request, result))


def _hold(state: State, request: CheckoutRequest, result: Stack) -> None:
    session = request.session
    if session is None:
        return
    state.locks.release(session.key)
    ends = state.clock.now() + lifetime(session.ttl, session.ttl_unit)
    for outcome in result.applied:
        if isinstance(outcome.of, Offer):
            state.locks.hold(Lock(session.key, outcome.of.resource, outcome.spent, ends))


def _answer(state: State, call: Incoming, request: CheckoutRequest, result: Stack) -> JsonObject:
    cart = applied_cart(request, result) if result.valid else None
    order = None if cart is None else unsaved_order(request, cart)
    answer: JsonObject = {"id": state.ids.ordered("valid"), "valid": result.valid}
    if request.stack_id is not None:
        told = [whole_stack(request, result, call.request_id, order)]
        answer["redeemables"] = told
        if not result.valid:
            answer["inapplicable_redeemables"] = told
    else:
        # A validation that fails tells all of them in one list; the two others repeat parts of it.
        shown = result.applied if result.valid else result.outcomes
        rest_of_order = None if order is None else _beside_totals(order)
        answer["redeemables"] = redeemables(shown, call.request_id, rest_of_order)
        answer |= rest(result, call.request_id)
    if order is not None:
        answer["order"] = order
    if request.tracking_id is not None:
        answer["tracking_id"] = request.tracking_id
    if result.valid and request.session is not None:
        answer["session"] = request.session.render()
    answer["stacking_rules"] = stacking_rules(state)
    return answer


def _beside_totals(order: JsonObject) -> JsonObject:
    names = ("metadata", "customer_id", "referrer_id", "object")
    return {name: order[name] for name in names}
