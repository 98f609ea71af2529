"""Request models go on the wire as the API documents it, and refuse what it would refuse."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime
from typing import Any

import pytest

from voucherify_async import models as m
from voucherify_async._conversion.converter import from_dict, to_dict, to_json_types
from voucherify_async._unset import UNSET
from voucherify_async.errors import InvalidArgumentError, ResponseValidationError

START = datetime(2025, 1, 1, tzinfo=UTC)
START_TEXT = "2025-01-01T00:00:00Z"
COMMON: dict[str, Any] = {
    "category": "Books",
    "start_date": START_TEXT,
    "expiration_date": "2025-12-31T23:59:59Z",
    "validity_timeframe": {"duration": "PT1H", "interval": "P2D"},
    "validity_day_of_week": [1, 2, 3],
    "active": False,
    "additional_info": "Show it at the till.",
    "metadata": {"test": True, "locale": "de"},
}
COMMON_FIELDS: dict[str, Any] = {
    **COMMON,
    "start_date": START,
    "validity_timeframe": m.ValidityTimeframe(duration="PT1H", interval="P2D"),
}
UNITS = [
    {"unit_off": 1, "unit_type": "prod_1", "effect": "ADD_NEW_ITEMS"},
    {"unit_off": 2, "unit_type": "prod_2", "effect": "ADD_MISSING_ITEMS"},
]
MANY = m.MultipleUnitDiscount(
    units=[
        m.DiscountedUnit(unit_off=1, unit_type="prod_1", effect="ADD_NEW_ITEMS"),
        m.DiscountedUnit(unit_off=2, unit_type="prod_2", effect="ADD_MISSING_ITEMS"),
    ]
)
CONFIG: dict[str, Any] = {
    "pattern": "GIFT-####",
    "prefix": "NEW-",
    "postfix": "0",
    "charset": "0123456789",
}


def _import_item(code: str, **rest: Any) -> dict[str, Any]:
    return {"code": code, "active": False, "redemption": {"quantity": 1}, **rest}


def _import_fields(code: str) -> dict[str, Any]:
    return {"code": code, "active": False, "redemption": m.ImportedRedemption(quantity=1)}


def _discount_import(code: str, discount: m.Discount) -> m.DiscountVoucherImport:
    return m.DiscountVoucherImport(**_import_fields(code), discount=discount)


BODIES: list[Any] = [
    pytest.param(
        m.DiscountVoucherCreate(
            **COMMON_FIELDS,
            code="WELCOME",
            campaign_id="camp_1",
            discount=m.PercentDiscount(percent_off=10, effect="APPLY_TO_ORDER"),
            redemption=m.RedemptionLimit(quantity=10),
            validation_rules=["val_1"],
        ),
        {
            **COMMON,
            "code": "WELCOME",
            "campaign_id": "camp_1",
            "type": "DISCOUNT_VOUCHER",
            "discount": {"type": "PERCENT", "percent_off": 10, "effect": "APPLY_TO_ORDER"},
            "redemption": {"quantity": 10},
            "validation_rules": ["val_1"],
        },
        id="percent voucher with a code",
    ),
    pytest.param(
        m.GiftVoucherCreate(
            gift=m.Gift(amount=10000, effect="APPLY_TO_ORDER"), code_config=m.CodeConfig(**CONFIG)
        ),
        {
            "type": "GIFT_VOUCHER",
            "gift": {"amount": 10000, "effect": "APPLY_TO_ORDER"},
            "code_config": CONFIG,
        },
        id="gift card with a code pattern",
    ),
    pytest.param(
        m.LoyaltyCardCreate(
            campaign="Points",
            loyalty_card=m.LoyaltyCard(points=10000),
            code_config=m.CodeConfig(length=8, initial_count=1),
            validity_hours=m.ValidityHours(
                daily=[m.DailyHours(start_time="09:00", expiration_time="17:00", days_of_week=[1])]
            ),
        ),
        {
            "campaign": "Points",
            "type": "LOYALTY_CARD",
            "loyalty_card": {"points": 10000},
            "code_config": {"length": 8, "initial_count": 1},
            "validity_hours": {
                "daily": [
                    {"start_time": "09:00", "expiration_time": "17:00", "days_of_week": [1]},
                ]
            },
        },
        id="loyalty card",
    ),
    pytest.param(
        m.DiscountVoucherCreate(code="MANY", discount=MANY, redemption=m.RedemptionLimit()),
        {
            "code": "MANY",
            "type": "DISCOUNT_VOUCHER",
            "discount": {"type": "UNIT", "effect": "ADD_MANY_ITEMS", "units": UNITS},
            "redemption": {},
        },
        id="units of several products",
    ),
    pytest.param(
        m.VoucherUpdate(
            **COMMON_FIELDS,
            type="DISCOUNT_VOUCHER",
            discount=m.PercentDiscount(
                percent_off=45,
                percent_off_formula="IF(ORDER_AMOUNT > 100;45;20)",
                amount_limit=1800,
                effect="APPLY_TO_ORDER",
            ),
        ),
        {
            **COMMON,
            "type": "DISCOUNT_VOUCHER",
            "discount": {
                "type": "PERCENT",
                "percent_off": 45,
                "percent_off_formula": "IF(ORDER_AMOUNT > 100;45;20)",
                "amount_limit": 1800,
                "effect": "APPLY_TO_ORDER",
            },
        },
        id="update of a percent voucher",
    ),
    pytest.param(
        m.VoucherUpdate(category="Books", gift=m.Gift(amount=20000), category_id=None),
        {"category": "Books", "gift": {"amount": 20000}, "category_id": None},
        id="update of a gift card",
    ),
    pytest.param(
        m.VoucherUpdate(loyalty_card=m.LoyaltyCard(points=20000), active=False),
        {"loyalty_card": {"points": 20000}, "active": False},
        id="update of a loyalty card",
    ),
    pytest.param(
        m.VoucherUpdate(discount=m.FixedDiscount(fixed_amount=2000, effect="APPLY_TO_ITEMS")),
        {"discount": {"type": "FIXED", "fixed_amount": 2000, "effect": "APPLY_TO_ITEMS"}},
        id="update of a fixed price",
    ),
    pytest.param(
        m.VoucherUpdate(discount=MANY),
        {"discount": {"type": "UNIT", "effect": "ADD_MANY_ITEMS", "units": UNITS}},
        id="update of units",
    ),
    pytest.param(
        m.VoucherMetadataUpdate(code="A", metadata={"lang": "en", "version": 2, "due": START}),
        {"code": "A", "metadata": {"lang": "en", "version": 2, "due": START_TEXT}},
        id="metadata",
    ),
    pytest.param(
        m.VoucherExportCreate(
            parameters=m.VoucherExportParameters(
                order="-created_at",
                fields=["code", "metadata.season"],
                campaign_id="camp_1",
                filters=m.ExportFilters(
                    junction="and",
                    created_at=m.FieldConditions(conditions=m.FilterConditions(after=[START])),
                    extra={
                        "metadata.season": m.FieldConditions(
                            conditions=m.FilterConditions(in_=["autumn"])
                        )
                    },
                ),
            )
        ),
        {
            "exported_object": "voucher",
            "parameters": {
                "order": "-created_at",
                "fields": ["code", "metadata.season"],
                "campaign_id": "camp_1",
                "filters": {
                    "junction": "and",
                    "created_at": {"conditions": {"$after": [START_TEXT]}},
                    "metadata.season": {"conditions": {"$in": ["autumn"]}},
                },
            },
        },
        id="export of vouchers",
    ),
    pytest.param(
        m.RedemptionExportCreate(
            parameters=m.RedemptionExportParameters(order="-voucher_code", fields=["id"])
        ),
        {
            "exported_object": "redemption",
            "parameters": {"order": "-voucher_code", "fields": ["id"]},
        },
        id="export of redemption",
    ),
    pytest.param(
        m.CustomerExportCreate(
            parameters=m.CustomerExportParameters(order="-email", fields=["name"])
        ),
        {"exported_object": "customer", "parameters": {"order": "-email", "fields": ["name"]}},
        id="export of customer",
    ),
    pytest.param(
        m.PublicationExportCreate(
            parameters=m.PublicationExportParameters(order="-channel", fields=["date"])
        ),
        {"exported_object": "publication", "parameters": {"order": "-channel", "fields": ["date"]}},
        id="export of publication",
    ),
    pytest.param(
        m.OrderExportCreate(parameters=m.OrderExportParameters(order="-status", fields=["amount"])),
        {"exported_object": "order", "parameters": {"order": "-status", "fields": ["amount"]}},
        id="export of order",
    ),
    pytest.param(
        m.PointsExpirationExportCreate(
            parameters=m.PointsExpirationExportParameters(order="-expires_at", fields=["points"])
        ),
        {
            "exported_object": "points_expiration",
            "parameters": {"order": "-expires_at", "fields": ["points"]},
        },
        id="export of points_expiration",
    ),
    pytest.param(
        m.TransactionExportCreate(
            parameters=m.TransactionExportParameters(order="-created_at", fields=["balance"])
        ),
        {
            "exported_object": "voucher_transactions",
            "parameters": {"order": "-created_at", "fields": ["balance"]},
        },
        id="export of voucher_transactions",
    ),
    pytest.param(
        m.OrderExportCreate(), {"exported_object": "order"}, id="export with all defaults"
    ),
    pytest.param(
        m.TimeRange(before=START, after="2024-01-01"),
        {"before": START_TEXT, "after": "2024-01-01"},
        id="time range",
    ),
]

IMPORTS: list[Any] = [
    (
        _discount_import("AMOUNT", m.AmountDiscount(amount_off=3000)),
        _import_item("AMOUNT", discount={"type": "AMOUNT", "amount_off": 3000}),
    ),
    (
        _discount_import(
            "PROPORTIONAL",
            m.AmountDiscount(amount_off=30, effect="APPLY_TO_ITEMS_PROPORTIONALLY"),
        ),
        _import_item(
            "PROPORTIONAL",
            discount={
                "type": "AMOUNT",
                "amount_off": 30,
                "effect": "APPLY_TO_ITEMS_PROPORTIONALLY",
            },
        ),
    ),
    (
        _discount_import("FIXED", m.FixedDiscount(fixed_amount=30)),
        _import_item("FIXED", discount={"type": "FIXED", "fixed_amount": 30}),
    ),
    (
        _discount_import("PERCENT", m.PercentDiscount(percent_off=30)),
        _import_item("PERCENT", discount={"type": "PERCENT", "percent_off": 30}),
    ),
    (
        _discount_import(
            "UNIT", m.UnitDiscount(unit_off=1, unit_type="prod_1", effect="ADD_MISSING_ITEMS")
        ),
        _import_item(
            "UNIT",
            discount={
                "type": "UNIT",
                "unit_off": 1,
                "unit_type": "prod_1",
                "effect": "ADD_MISSING_ITEMS",
            },
        ),
    ),
    (
        _discount_import("UNITS", MANY),
        _import_item(
            "UNITS", discount={"type": "UNIT", "effect": "ADD_MANY_ITEMS", "units": UNITS}
        ),
    ),
]


@pytest.mark.parametrize(("model", "documented"), BODIES)
def test_a_model_equals_the_documented_mapping(model: m.Model, documented: Any) -> None:
    """A request model and the mapping of the API's documentation make the same body."""
    assert to_json_types(model, "body") == documented
    assert to_json_types(documented, "body") == documented


@pytest.mark.parametrize(("model", "documented"), BODIES)
def test_a_request_model_can_be_read_back(model: m.Model, documented: Any) -> None:
    """A request model becomes itself again from its JSON, from a pickle and from a copy."""
    assert to_dict(from_dict(type(model), documented)) == documented
    assert pickle.loads(pickle.dumps(model)) == model
    assert copy.deepcopy(model) == model


def test_an_import_body_is_a_list_of_models_or_mappings() -> None:
    """The items of an import go on the wire alike as models and as mappings, also mixed."""
    items = [item for item, _ in IMPORTS]
    documented = [{"type": "DISCOUNT_VOUCHER", **mapping} for _, mapping in IMPORTS]
    assert to_json_types(items, "items") == documented
    assert to_json_types([items[0], *documented[1:]], "items") == documented


def test_an_imported_voucher_may_have_been_redeemed() -> None:
    """An imported gift card says how often it was redeemed elsewhere."""
    item = m.GiftVoucherImport(
        code="GIFT-100",
        gift=m.Gift(amount=10000),
        category="Books",
        start_date="2025-01-01",
        redemption=m.ImportedRedemption(quantity=5, redeemed_quantity=1),
    )
    assert to_dict(item) == {
        "code": "GIFT-100",
        "type": "GIFT_VOUCHER",
        "gift": {"amount": 10000},
        "category": "Books",
        "start_date": "2025-01-01",
        "redemption": {"quantity": 5, "redeemed_quantity": 1},
    }


@pytest.mark.parametrize(
    ("item", "documented"),
    [
        (m.CampaignVoucherImport(code="A"), {"code": "A"}),
        (
            m.CampaignVoucherImport(code="A", gift=m.Gift(amount=500)),
            {"code": "A", "gift": {"amount": 500}},
        ),
        (
            m.CampaignVoucherImport(code="A", loyalty_card=m.LoyaltyCard(points=300)),
            {"code": "A", "loyalty_card": {"points": 300}},
        ),
        (
            m.LoyaltyCardImport(code="A", loyalty_card=m.LoyaltyCard(points=300)),
            {"code": "A", "type": "LOYALTY_CARD", "loyalty_card": {"points": 300}},
        ),
    ],
)
def test_an_item_of_a_campaign_need_not_say_its_kind(item: m.Model, documented: Any) -> None:
    """The campaign decides the kind of an imported code; a value of its own is optional."""
    assert to_dict(item) == documented


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (UNSET, {}),
        (None, {"expiration_date": None}),
        (START, {"expiration_date": START_TEXT}),
        ("2025-01-01", {"expiration_date": "2025-01-01"}),
    ],
)
def test_unset_null_and_a_value_are_three_things(value: Any, sent: dict[str, Any]) -> None:
    """An unset field is left out, None is sent as null, and a value as itself."""
    update = m.VoucherUpdate(expiration_date=value)
    assert to_dict(update) == sent
    assert to_dict(from_dict(m.VoucherUpdate, sent)) == sent


def test_null_lifts_the_redemption_limit() -> None:
    """A quantity of None is sent, because null is without limit."""
    limit = m.RedemptionLimit(quantity=None)
    voucher = m.GiftVoucherCreate(gift=m.Gift(amount=1), redemption=limit)
    assert to_dict(voucher)["redemption"] == {"quantity": None}


def test_a_part_of_an_answer_can_be_sent_back() -> None:
    """A discount from an answer, known or not, goes into an update as it came."""
    for discount in (
        {"type": "PERCENT", "percent_off": 10, "note": "new"},
        {"type": "LOTTERY", "odds": 0.5},
    ):
        voucher = from_dict(m.Voucher, {"discount": discount})
        assert to_dict(m.VoucherUpdate(discount=voucher.discount)) == {"discount": discount}


def test_keys_that_the_library_does_not_know_can_be_sent() -> None:
    """What is in `extra` is sent too."""
    assert to_dict(m.VoucherUpdate(extra={"colour": "red"})) == {"colour": "red"}


@pytest.mark.parametrize(
    ("create", "message"),
    [
        (
            lambda: m.GiftVoucherCreate(gift=m.Gift(balance=5)),
            "gift: Gift needs amount, got None",
        ),
        (
            lambda: m.GiftVoucherImport(code="A", gift=m.Gift()),
            "gift: Gift needs amount, got None",
        ),
        (
            lambda: m.CampaignVoucherImport(code="A", loyalty_card=m.LoyaltyCard()),
            "loyalty_card: LoyaltyCard needs points, got None",
        ),
        (
            lambda: m.VoucherUpdate(discount=m.AmountDiscount()),
            "discount: AmountDiscount needs amount_off, got None",
        ),
        (
            lambda: m.DiscountVoucherCreate(discount=m.PercentDiscount()),
            "discount: PercentDiscount needs percent_off, got None",
        ),
        (
            lambda: m.DiscountVoucherCreate(discount=m.FixedDiscount()),
            "discount: FixedDiscount needs fixed_amount, got None",
        ),
        (
            lambda: m.DiscountVoucherCreate(discount=m.UnitDiscount(unit_off=1)),
            "discount: UnitDiscount needs unit_type, got None",
        ),
        (
            lambda: m.DiscountVoucherCreate(discount=m.MultipleUnitDiscount()),
            "discount: MultipleUnitDiscount needs units, got None",
        ),
        (
            lambda: m.DiscountVoucherCreate(
                discount=m.MultipleUnitDiscount(units=[m.DiscountedUnit(effect="ADD_NEW_ITEMS")])
            ),
            "discount.units[0]: DiscountedUnit needs unit_type, got None",
        ),
        (
            lambda: m.LoyaltyCardCreate(loyalty_card=m.LoyaltyCard(points=1)),
            "LoyaltyCardCreate: needs campaign or campaign_id",
        ),
        (
            lambda: m.LoyaltyCardCreate(loyalty_card=m.LoyaltyCard(points=1), campaign_id=None),
            "LoyaltyCardCreate: needs campaign or campaign_id",
        ),
        (
            lambda: m.GiftVoucherCreate(
                gift=m.Gift(amount=1), code="A", code_config=m.CodeConfig(length=8)
            ),
            "GiftVoucherCreate: code and code_config exclude each other",
        ),
        (
            lambda: m.VoucherUpdate(
                gift=m.Gift(amount=1), discount=m.PercentDiscount(percent_off=1)
            ),
            "VoucherUpdate: discount, gift and loyalty_card exclude each other",
        ),
    ],
)
def test_an_incomplete_or_contradictory_request_is_refused(create: Any, message: str) -> None:
    """What the API would refuse raises when the model is made, and names the field."""
    with pytest.raises(InvalidArgumentError) as caught:
        create()
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("model", "where"),
    [
        (m.Gift(balance=12.7), "Gift.balance: expected an integer"),  # type: ignore[arg-type]
        (m.Gift(balance=True), "Gift.balance: expected an integer"),
        (m.Gift(amount=True), "Gift.amount: expected a number"),
        (m.VoucherUpdate(active="false"), "VoucherUpdate.active: expected true or false"),  # type: ignore[arg-type]
        (
            m.VoucherUpdate(start_date=datetime(2025, 1, 1)),  # noqa: DTZ001 - that is the mistake
            "VoucherUpdate.start_date: expected a datetime with a time zone",
        ),
        (
            m.VoucherUpdate(metadata={"due": datetime(2025, 1, 1)}),  # noqa: DTZ001
            "VoucherUpdate.metadata.due: expected a datetime with a time zone",
        ),
        (
            m.VoucherUpdate(discount=m.PercentDiscount(percent_off="10")),  # type: ignore[arg-type]
            "VoucherUpdate.discount.percent_off: expected a number",
        ),
        (
            m.GiftVoucherCreate(gift=m.Gift(amount=1), validation_rules="val_1"),
            "GiftVoucherCreate.validation_rules: expected a list",
        ),
    ],
)
def test_a_wrong_type_is_refused_before_it_is_sent(model: m.Model, where: str) -> None:
    """A value that JSON or the field cannot take raises with its place."""
    with pytest.raises(InvalidArgumentError) as caught:
        to_dict(model)
    assert str(caught.value).startswith(where)


def test_a_required_key_that_is_missing_is_named() -> None:
    """Reading a request from JSON that lacks a required key says which."""
    with pytest.raises(ResponseValidationError, match="the required key 'gift'"):
        from_dict(m.GiftVoucherCreate, {"type": "GIFT_VOUCHER"})
