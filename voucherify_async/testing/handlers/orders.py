"""Orders: create, get, update, list, import, export."""

from __future__ import annotations

from .._messages import Incoming, JsonObject, Reply, json_reply
from .._refusals import ApiFailure, invalid_payload
from .._state.state import State
from ._events import tell_order, upsert_customer
from ._order_fields import check_customer, check_order
from ._paging import page_of
from ._voucher_fields import mapping
from .exports import order_export

_ORDERS = ("created_at", "-created_at", "updated_at", "-updated_at")
_IMPORT_LIMIT = 2000


def create_order(state: State, call: Incoming) -> Reply:
    """Create an order, or change the one with the ``id`` or ``source_id`` of the body."""
    return json_reply(_upsert(state, call.json_object()))


def _upsert(state: State, body: JsonObject) -> JsonObject:
    checked = _checked(state, body)
    order = state.orders.named_by(checked)
    former = order.status if order else None
    if order is None:
        order = state.orders.create(checked)
    else:
        state.orders.change(order, checked)
    tell_order(state, order, former)
    return order.render()


def _checked(state: State, body: JsonObject) -> JsonObject:
    """Return the body with the ids of its customer and referrer, who are made or changed."""
    checked = {**body}
    check_order(body, "order")
    for name in ("customer", "referrer"):
        given = check_customer(body.get(name), name)
        if given:
            checked[f"{name}_id"] = upsert_customer(state, given).id
    return checked


def get_order(state: State, call: Incoming) -> Reply:
    """Serve one order, by id or source id."""
    return json_reply(state.orders.get(call.path_params["order"]).render())


def update_order(state: State, call: Incoming) -> Reply:
    """Change what the body names of an order."""
    order = state.orders.get(call.path_params["order"])
    former = order.status
    state.orders.change(order, _checked(state, call.json_object()))
    tell_order(state, order, former)
    return json_reply(order.render())


def list_orders(state: State, call: Incoming) -> Reply:
    """Serve one page of the orders."""
    found = state.orders.listed(call.query.choice("order", _ORDERS, "-created_at"))
    shown = [order.render() for order in page_of(call.query, found, state.page_size)]
    body = {"object": "list", "data_ref": "orders", "orders": shown, "total": len(found)}
    return json_reply(body)


def import_orders(state: State, call: Incoming) -> Reply:
    """Import orders: those whose id or source id is known are changed."""
    items = call.json_array()
    if not items or len(items) > _IMPORT_LIMIT:
        raise invalid_payload(f"1 to {_IMPORT_LIMIT} orders are expected")
    for index, item in enumerate(items):
        if check_order(item, f"[{index}]") is None:
            raise invalid_payload(f".[{index}]: an object is expected")

    def work() -> JsonObject:
        failed: list[JsonObject] = []
        for item in items:
            try:
                _upsert(state, item)
            except ApiFailure as failure:
                failed.append({"source_id": item.get("source_id"), "reason": str(failure)})
        return {
            "done_count": len(items) - len(failed),
            "failed_count": len(failed),
            "failed": failed,
        }

    polls = state.polls_until_done
    action = state.actions.submit("ORDERS.IMPORT", call.request_id, polls, work)
    return json_reply({"async_action_id": action.id})


def export_orders(state: State, call: Incoming) -> Reply:
    """Order an export of the orders."""
    parameters = mapping("parameters", call.json_object().get("parameters")) or {}
    return order_export(state, call, "order", parameters)
