"""The voucher as plain attrs classes, and the same as msgspec structs: what rivals decode into."""

from __future__ import annotations

from datetime import datetime
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

import attrs


@attrs.frozen(kw_only=True)
class Discount:
    type: str
    amount_off: int | None = None
    percent_off: float | None = None
    unit_off: float | None = None
    fixed_amount: int | None = None
    effect: str | None = None


@attrs.frozen(kw_only=True)
class Gift:
    amount: int | None = None
    balance: int | None = None
    effect: str | None = None


@attrs.frozen(kw_only=True)
class LoyaltyCard:
    points: int | None = None
    balance: int | None = None


@attrs.frozen(kw_only=True)
class Category:
    id: str | None = None
    name: str | None = None
    hierarchy: int | None = None
    object: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


@attrs.frozen(kw_only=True)
class Asset:
    id: str | None = None
    url: str | None = None


@attrs.frozen(kw_only=True)
class Assets:
    qr: Asset | None = None
    barcode: Asset | None = None


@attrs.frozen(kw_only=True)
class Assignment:
    id: str | None = None
    rule_id: str | None = None
    related_object_id: str | None = None
    related_object_type: str | None = None
    created_at: datetime | None = None
    object: str | None = None


@attrs.frozen(kw_only=True)
class Assignments:
    object: str | None = None
    data_ref: str | None = None
    data: list[Assignment] | None = None
    total: int | None = None


@attrs.frozen(kw_only=True)
class Uses:
    quantity: int | None = None
    redeemed_quantity: int | None = None
    count: int | None = None
    object: str | None = None
    url: str | None = None


@attrs.frozen(kw_only=True)
class Voucher:
    id: str | None = None
    code: str | None = None
    campaign: str | None = None
    campaign_id: str | None = None
    category: str | None = None
    category_id: str | None = None
    categories: list[Category] | None = None
    type: str | None = None
    discount: Discount | None = None
    gift: Gift | None = None
    loyalty_card: LoyaltyCard | None = None
    start_date: datetime | None = None
    expiration_date: datetime | None = None
    validity_timeframe: dict[str, Any] | None = None
    validity_day_of_week: list[int] | None = None
    active: bool | None = None
    additional_info: str | None = None
    metadata: dict[str, Any] | None = None
    assets: Assets | None = None
    is_referral_code: bool | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    holder_id: str | None = None
    object: str | None = None
    publish: Uses | None = None
    redemption: Uses | None = None
    validation_rules_assignments: Assignments | None = None


@attrs.frozen(kw_only=True)
class Page:
    vouchers: list[Voucher]
    total: int | None = None


def struct(model: type) -> Any:
    """The msgspec struct with the fields of an attrs class, and so on inside."""
    import msgspec

    hints = get_type_hints(model)
    required, optional = [], []
    for field in attrs.fields(model):
        annotation = _annotation(hints[field.name])
        if field.default is attrs.NOTHING:
            required.append((field.name, annotation))
        else:
            optional.append((field.name, annotation, field.default))
    return msgspec.defstruct(model.__name__, [*required, *optional], frozen=True, kw_only=True)


def _annotation(annotation: Any) -> Any:
    if attrs.has(annotation):
        return struct(annotation)
    if get_origin(annotation) is UnionType:
        inner = next(part for part in get_args(annotation) if part is not NoneType)
        return _annotation(inner) | None
    if get_origin(annotation) is list:
        return list[_annotation(get_args(annotation)[0])]  # type: ignore[misc]
    return annotation
