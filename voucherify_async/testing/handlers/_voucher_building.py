"""Vouchers made from request bodies, from CSV rows and from a test's seeds."""

from __future__ import annotations

from typing import Any

from .._messages import JsonObject
from .._refusals import invalid_payload, invalid_voucher
from .._state.catalog import MEMBER_TYPES, StoredCampaign
from .._state.server_time import iso, micros, parse_instant
from .._state.state import State
from .._state.stored_voucher import VALUE_KEYS, StoredVoucher
from ._voucher_fields import (
    COMMON,
    implied_type,
    mapping,
    names,
    text,
    voucher_type,
    voucher_value,
    whole,
)

_SEEDED = frozenset(
    (
        "id",
        "code",
        "campaign",
        "campaign_id",
        "category",
        "category_id",
        "categories",
        "type",
        "discount",
        "gift",
        "loyalty_card",
        "metadata",
        "assets",
        "is_referral_code",
        "created_at",
        "updated_at",
        "holder_id",
        "redemption",
        "publish",
        "object",
        "validation_rules",
        "validation_rules_assignments",
        "redemptions_per_customer",
        "discounted_products",
    )
)
_DEFAULT_VALUES: dict[str, JsonObject] = {
    "DISCOUNT_VOUCHER": {"type": "AMOUNT", "amount_off": 1000, "effect": "APPLY_TO_ORDER"},
    "GIFT_VOUCHER": {"amount": 10000},
    "LOYALTY_CARD": {"points": 100},
}


def build(
    state: State,
    code: str,
    body: JsonObject,
    *,
    campaign: StoredCampaign | None = None,
) -> StoredVoucher:
    """Return the voucher that a body describes, or raise the API's 400."""
    kind = voucher_type(body, campaign.member_type if campaign else None)
    if campaign is not None and kind != campaign.member_type:
        raise invalid_payload(f".type: the campaign takes {campaign.member_type} alone")
    now = state.clock.now()
    voucher = StoredVoucher(
        id=state.ids.long("v", 32),
        code=code,
        type=kind,
        value=voucher_value(kind, body, campaign.template if campaign else None),
        created=micros(now),
        created_at=iso(now),
        campaign=campaign,
        metadata=dict(mapping("metadata", body.get("metadata")) or {}),
        rules=names("validation_rules", body.get("validation_rules")),
    )
    set_common(state, voucher, body)
    set_redeemed(voucher, body)
    return voucher


def set_common(state: State, voucher: StoredVoucher, body: JsonObject) -> None:
    """Set the properties that a creation and an update share, or raise the API's 400."""
    checked = {name: check(name, body[name]) for name, check in COMMON.items() if name in body}
    if "category" in body or "category_id" in body:
        name = text("category", body.get("category")) or text(
            "category_id", body.get("category_id")
        )
        created_at = iso(state.clock.now())
        voucher.category = state.catalog.category(name, created_at) if name else None
    for name, value in checked.items():
        setattr(voucher, name, value)


def set_redeemed(voucher: StoredVoucher, body: JsonObject) -> None:
    """Set how often a voucher may be redeemed, how often it was and what of it is spent."""
    redemption = mapping("redemption", body.get("redemption")) or {}
    spent = "redeemed_points" if voucher.type == "LOYALTY_CARD" else "redeemed_amount"
    for key, name in (
        ("quantity", "quantity"),
        ("redeemed_quantity", "redeemed_quantity"),
        (spent, "redeemed"),
    ):
        if redemption.get(key) is not None:
            setattr(voucher, name, whole(f"redemption.{key}", redemption[key]))


def seed(state: State, data: JsonObject) -> StoredVoucher:
    """Return the voucher of a test's seed: any served properties, the rest filled in.

    A missing type follows from the value that is there. A campaign is made if its name is unknown.
    Properties that the server doesn't know are served as they are.
    """
    code = str(data.get("code") or state.ids.text(8))
    kind = data.get("type") or implied_type(data) or "DISCOUNT_VOUCHER"
    body: JsonObject = {"validation_rules": _rules(data), **data, "type": kind}
    campaign = _seeded_campaign(state, data, kind)
    if body.get(VALUE_KEYS[kind]) is None and (campaign is None or campaign.template is None):
        body[VALUE_KEYS[kind]] = dict(_DEFAULT_VALUES[kind])
    voucher = build(state, code, body, campaign=campaign)
    _set_served(voucher, data)
    return voucher


def _rules(data: JsonObject) -> list[str] | None:
    assignments = (data.get("validation_rules_assignments") or {}).get("data")
    return [assignment["rule_id"] for assignment in assignments] if assignments else None


def _seeded_campaign(state: State, data: JsonObject, kind: str) -> StoredCampaign | None:
    identifier, name = data.get("campaign_id"), data.get("campaign")
    found = state.catalog.find_campaign(str(identifier or name))
    if found is not None or not (identifier or name):
        return found
    campaign_type = next(key for key, member in MEMBER_TYPES.items() if member == kind)
    return state.catalog.add_campaign(
        str(name or identifier),
        iso(state.clock.now()),
        campaign_type=campaign_type,
        id=identifier,
    )


def _set_served(voucher: StoredVoucher, data: JsonObject) -> None:
    voucher.id = data.get("id", voucher.id)
    voucher.holder_id = data.get("holder_id")
    voucher.is_referral_code = data.get("is_referral_code", False)
    voucher.published = (data.get("publish") or {}).get("count", 0)
    voucher.per_customer = data.get("redemptions_per_customer")
    voucher.targets = tuple(data.get("discounted_products") or ())
    for name in ("created_at", "updated_at"):
        stamp: Any = data.get(name)
        if stamp is not None:
            setattr(voucher, name.removesuffix("_at"), micros(parse_instant(stamp)))
            setattr(voucher, name, stamp)
    extra = {key: data[key] for key in data.keys() - _SEEDED - COMMON.keys()}
    voucher.extra = extra or None


def apply_changes(state: State, voucher: StoredVoucher, body: JsonObject) -> None:
    """Apply the body of an update to a voucher, or raise the API's 400 and change nothing."""
    metadata = mapping("metadata", body.get("metadata"))
    value = _changed_value(voucher, body)
    set_common(state, voucher, body)
    if metadata is not None:
        voucher.metadata = {**voucher.metadata, **metadata}
    elif "metadata" in body:
        voucher.metadata = {}
    voucher.value = value
    touch(state, voucher)


def touch(state: State, voucher: StoredVoucher) -> None:
    """Note that a voucher changed now."""
    now = state.clock.now()
    state.vouchers.touch(voucher, micros(now), iso(now))


def _changed_value(voucher: StoredVoucher, body: JsonObject) -> JsonObject | None:
    key = VALUE_KEYS[voucher.type]
    change = mapping(key, body.get(key))
    change = change and {name: item for name, item in change.items() if item is not None}
    if change is None or voucher.value is None:
        return voucher.value
    if voucher.type == "DISCOUNT_VOUCHER":
        kind = voucher.value["type"]
        if change.get("type", kind) != kind:
            raise invalid_voucher("The type of a discount is fixed at its creation")
        merged = {"type": kind, **change}
    else:
        total = "amount" if voucher.type == "GIFT_VOUCHER" else "points"
        if total in change:
            change = {"balance": whole(f"{key}.{total}", change[total]), **change}
        merged = {**voucher.value, **change}
    return voucher_value(voucher.type, {key: merged}, None)
