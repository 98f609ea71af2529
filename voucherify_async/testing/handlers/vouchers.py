"""Vouchers: get, list, create, generate, update, delete, enable, disable, release a session."""

from __future__ import annotations

from functools import partial

from .._messages import Incoming, JsonObject, Query, Reply, json_reply, no_content
from .._refusals import ApiFailure, invalid_payload, invalid_query, not_found
from .._state.ids import ALPHANUMERIC
from .._state.state import State
from .._state.stored_voucher import StoredVoucher
from .._state.voucher_store import ORDERS, Predicate, Selection
from ._events import tell_voucher
from ._filters import Test, compile_filters, read_object
from ._paging import LAST_PAGE, instant_bounds
from ._voucher_building import apply_changes, build, touch
from ._voucher_fields import mapping, text, whole

_ATTEMPTS = 1000


def get_voucher(state: State, call: Incoming) -> Reply:
    """Serve one voucher, by code or id."""
    return json_reply(state.vouchers.get(call.path_params["code"]).render())


def list_vouchers(state: State, call: Incoming) -> Reply:
    """Serve one page of the vouchers that match."""
    query = call.query
    limit = query.integer("limit", state.page_size, 1, 100)
    number = query.integer("page", 1, 1, LAST_PAGE)
    found, total = state.vouchers.page(_selection(state, call), number, limit)
    vouchers = [voucher.render("listed") for voucher in found]
    body = {"object": "list", "data_ref": "vouchers", "vouchers": vouchers, "total": total}
    return json_reply(body)


def _selection(state: State, call: Incoming) -> Selection:
    query = call.query
    after, before = instant_bounds(query, "created_at", inclusive=state.inclusive_dates)
    predicates = _predicates(state, query)
    rest = [pair for pair in query.pairs if pair[0] not in ("page", "limit", "order")]
    return Selection(
        order=query.choice("order", ORDERS, "-created_at"),
        after=after,
        before=before,
        key=repr((state.inclusive_dates, rest)),
        matches=_conjunction(predicates) if predicates else None,
    )


def _conjunction(predicates: list[Predicate]) -> Predicate:
    if len(predicates) == 1:
        return predicates[0]
    return lambda voucher: all(predicate(voucher) for predicate in predicates)


def _predicates(state: State, query: Query) -> list[Predicate]:
    predicates: list[Predicate] = []
    if (category := query.text("category")) is not None:
        predicates.append(
            lambda voucher: (
                voucher.category is not None
                and category in (voucher.category.id, voucher.category.name)
            )
        )
    campaign = query.text("campaign_id") or query.text("campaign")
    if campaign is not None:
        wanted = state.catalog.find_campaign(campaign)
        predicates.append(lambda voucher: wanted is not None and voucher.campaign is wanted)
    if (customer := query.text("customer")) is not None:
        holds = state.customers.matches
        predicates.append(lambda voucher: holds(customer, voucher.holder_id))
    if (code := query.text("code")) is not None:
        predicates.append(lambda voucher: voucher.code == code)
    if ids := frozenset(query.all("ids")):
        predicates.append(lambda voucher: voucher.id in ids)
    after, before = instant_bounds(query, "updated_at", inclusive=state.inclusive_dates)
    if after is not None or before is not None:
        predicates.append(_updated_within(after, before))
    test = compile_filters(query.deep("filters"), invalid_query)
    if test is not None:
        predicates.append(_filtered(test))
    return predicates


def _updated_within(after: int | None, before: int | None) -> Predicate:
    def within(voucher: StoredVoucher) -> bool:
        return (
            voucher.updated_at is not None
            and (after is None or voucher.updated > after)
            and (before is None or voucher.updated < before)
        )

    return within


def _filtered(test: Test) -> Predicate:
    def matches(voucher: StoredVoucher) -> bool:
        return test(partial(read_object, voucher.render()))

    return matches


def create_voucher(state: State, call: Incoming) -> Reply:
    """Create a voucher under the code in the path."""
    code = call.path_params["code"]
    return _create(state, code, call.json_object(), generated=False)


def generate_voucher(state: State, call: Incoming) -> Reply:
    """Create a voucher under a code of the body or a random one."""
    body = call.json_object()
    code = text("code", body.get("code"))
    if code is not None:
        return _create(state, code, body, generated=False)
    config = mapping("code_config", body.get("code_config")) or {}
    return _create(state, _fresh_code(state, config), body, generated=True)


def _create(state: State, code: str, body: JsonObject, *, generated: bool) -> Reply:
    identifier = text("campaign_id", body.get("campaign_id")) or text(
        "campaign", body.get("campaign")
    )
    if identifier is None and body.get("type") == "LOYALTY_CARD":
        raise invalid_payload(".campaign: a LOYALTY_CARD needs its campaign")
    campaign = state.catalog.open_campaign(identifier, generated=generated) if identifier else None
    voucher = build(state, code, body, campaign=campaign)
    if campaign is not None and campaign.members >= state.campaign_capacity:
        details = f"A campaign has at most {state.campaign_capacity} codes"
        raise ApiFailure(400, "campaign_limit_exceeded", "Campaign limit exceeded", details)
    state.vouchers.add(voucher)
    tell_voucher(state, "created", voucher)
    return json_reply(voucher.render("created"))


def _fresh_code(state: State, config: JsonObject) -> str:
    charset = text("code_config.charset", config.get("charset")) or ALPHANUMERIC
    length = whole("code_config.length", config.get("length") or 8)
    pattern = text("code_config.pattern", config.get("pattern")) or "#" * length
    prefix = text("code_config.prefix", config.get("prefix")) or ""
    postfix = text("code_config.postfix", config.get("postfix")) or ""
    for _ in range(_ATTEMPTS):
        middle = "".join(state.ids.text(1, charset) if char == "#" else char for char in pattern)
        code = f"{prefix}{middle}{postfix}"
        if code not in state.vouchers:
            return code
    raise ApiFailure(
        400, "invalid_code_config", "Invalid code config", "The codes of this pattern are used up"
    )


def update_voucher(state: State, call: Incoming) -> Reply:
    """Change what the body names; null clears a property, metadata is merged."""
    voucher = state.vouchers.get(call.path_params["code"])
    apply_changes(state, voucher, call.json_object())
    tell_voucher(state, "updated", voucher)
    return json_reply(voucher.render())


def delete_voucher(state: State, call: Incoming) -> Reply:
    """Delete a voucher, to the bin unless ``force`` is true."""
    force = call.query.flag("force")
    voucher = state.vouchers.get(call.path_params["code"])
    state.vouchers.remove(voucher)
    if not force:
        state.bin[voucher.code] = voucher
    tell_voucher(state, "deleted", voucher)
    return no_content()


def enable_voucher(state: State, call: Incoming) -> Reply:
    """Switch a voucher on."""
    return _switch(state, call, active=True)


def disable_voucher(state: State, call: Incoming) -> Reply:
    """Switch a voucher off."""
    return _switch(state, call, active=False)


def _switch(state: State, call: Incoming, *, active: bool) -> Reply:
    voucher = state.vouchers.get(call.path_params["code"])
    changed = voucher.active is not active
    voucher.active = active
    touch(state, voucher)
    if changed:
        tell_voucher(state, "enabled" if active else "disabled", voucher)
    return json_reply(voucher.render())


def release_session(state: State, call: Incoming) -> Reply:
    """End a validation session of a voucher."""
    voucher = state.vouchers.get(call.path_params["code"])
    key = call.path_params["session"]
    if not state.locks.is_open(key, voucher.id, state.clock.now()):
        raise not_found("session", key)
    state.locks.release(key, voucher.id)
    return no_content()
