"""Answers, and every small change of them, become models and come back with nothing lost."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, date, datetime, timedelta
from typing import Any

import attrs
import pytest

from voucherify_async import models
from voucherify_async._conversion.converter import from_dict, to_dict
from voucherify_async.errors import ResponseValidationError
from voucherify_async.models import Model
from voucherify_async.models._index import MODULES

from ..queues import as_an_argument
from .mutations import contradictions, examples, json_path, lost, tolerated

MODELS = (
    "AsyncAction",
    "AsyncActionAccepted",
    "BalanceUpdate",
    "Campaign",
    "Export",
    "FilterConditions",
    "LoyaltyPendingPoints",
    "OAuthToken",
    "Order",
    "Publication",
    "Qualification",
    "RedemptionEntry",
    "RedemptionResult",
    "StackRollback",
    "Validation",
    "Voucher",
    "VoucherRedemptions",
    "VoucherTransaction",
)
EXAMPLES = [
    pytest.param(getattr(models, name), example, id=f"{name}: {title}")
    for name in MODELS
    for title, example in examples(name).items()
]


@pytest.mark.parametrize(("model", "example"), EXAMPLES)
def test_an_example_fills_typed_fields_only(model: type[Model], example: Any) -> None:
    """Each key of an example has a field; what is in `extra` is what no schema knows."""
    unknown = {"metadata.season", "odds", "prizes"}
    assert _keys_in_extra(from_dict(model, example)) <= unknown


@pytest.mark.parametrize(("model", "example"), EXAMPLES)
def test_an_example_comes_back(model: type[Model], example: Any) -> None:
    """An example's JSON and the JSON of its model say the same, in both directions."""
    structured = from_dict(model, example)
    assert lost(example, to_dict(structured)) == []
    assert lost(to_dict(structured), example) == []


@pytest.mark.parametrize(("model", "example"), EXAMPLES)
def test_a_changed_example_comes_back(model: type[Model], example: Any) -> None:
    """A null, a missing key, an unknown enum value and an unknown key lose nothing."""
    for changed in tolerated(example):
        structured = from_dict(model, changed)
        written = to_dict(structured)
        assert lost(changed, written) == []
        assert from_dict(model, written) == structured


@pytest.mark.parametrize(("model", "example"), EXAMPLES)
def test_a_contradiction_is_refused_where_it_is(model: type[Model], example: Any) -> None:
    """A value of another JSON type raises, and the error names its path."""
    for path, changed in contradictions(example):
        with pytest.raises(ResponseValidationError) as caught:
            from_dict(model, changed)
        assert caught.value.json_path == json_path(path)


@pytest.mark.parametrize(("model", "example"), EXAMPLES)
def test_a_model_survives_pickle_and_copy(model: type[Model], example: Any) -> None:
    """Pickle, copy and deepcopy give an equal model."""
    structured = from_dict(model, example)
    assert pickle.loads(pickle.dumps(structured)) == structured
    assert copy.copy(structured) == structured
    assert copy.deepcopy(structured) == structured


@pytest.mark.parametrize(("model", "example"), EXAMPLES)
def test_a_model_travels_as_an_argument_of_a_task(model: type[Model], example: Any) -> None:
    """What `to_dict` gives goes through a queue's JSON as it is, and is the same model again."""
    structured = from_dict(model, example)
    told = as_an_argument(to_dict(structured))
    assert told == to_dict(structured)
    assert from_dict(model, told) == structured


@pytest.mark.parametrize(
    ("data", "path"),
    [
        ({"gift": {"balance": 12.7}}, "$.gift.balance"),
        ({"gift": {"amount": float("nan")}}, "$.gift.amount"),
        ({"gift": {"amount": True}}, "$.gift.amount"),
        ({"gift": {"amount": "1270"}}, "$.gift.amount"),
        ({"active": "false"}, "$.active"),
        ({"active": 0}, "$.active"),
        ({"code": 5}, "$.code"),
        ({"type": 5}, "$.type"),
        ({"discount": {"type": "PERCENT", "percent_off": "10"}}, "$.discount.percent_off"),
        ({"discount": {"type": 1}}, "$.discount.type"),
        ({"discount": {"type": ["UNIT"]}}, "$.discount.type"),
        ({"discount": "AMOUNT"}, "$.discount"),
        ({"categories": {}}, "$.categories"),
        ({"categories": [{"hierarchy": 1}, {"hierarchy": "1"}]}, "$.categories[1].hierarchy"),
        ({"metadata": "season"}, "$.metadata"),
    ],
)
def test_primitives_are_strict(data: dict[str, Any], path: str) -> None:
    """No value is bent into the type of its field."""
    with pytest.raises(ResponseValidationError) as caught:
        from_dict(models.Voucher, data)
    assert caught.value.json_path == path


@pytest.mark.parametrize("data", [{}, {"id": None, "code": None, "type": None}])
def test_what_every_answer_has_is_never_none(data: dict[str, Any]) -> None:
    """A voucher without id, code or type has empty texts for them, and is not written with them."""
    voucher = from_dict(models.Voucher, data)
    assert (voucher.id, voucher.code, voucher.type) == ("", "", "")
    assert to_dict(voucher) == {}
    assert voucher == models.Voucher()
    assert from_dict(models.Redemption, data).id == ""
    assert repr(voucher) == "Voucher()"


def test_null_is_never_text() -> None:
    """A null is None in a text, a number, a flag, an instant, a list and a nested model."""
    names = ("category", "active", "created_at", "categories", "gift", "discount", "metadata")
    voucher = from_dict(models.Voucher, dict.fromkeys(names))
    assert [getattr(voucher, name) for name in names] == [None] * len(names)
    assert from_dict(models.Gift, {"amount": None}).amount is None


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2025-03-17T15:50:00.786Z", datetime(2025, 3, 17, 15, 50, 0, 786000, UTC)),
        ("2025-03-17T15:50:00.786+00:00", datetime(2025, 3, 17, 15, 50, 0, 786000, UTC)),
        ("2025-03-17T17:50:00+02:00", datetime(2025, 3, 17, 15, 50, tzinfo=UTC)),
        ("2025-01-02T09:43:23.941000Z", datetime(2025, 1, 2, 9, 43, 23, 941000, UTC)),
        ("2025-01-02", datetime(2025, 1, 2, tzinfo=UTC)),
    ],
)
def test_instants_are_aware(text: str, instant: datetime) -> None:
    """Each way in which the API writes an instant becomes an aware datetime."""
    created_at = from_dict(models.Voucher, {"created_at": text}).created_at
    assert created_at == instant
    assert created_at is not None
    assert created_at.utcoffset() in {timedelta(0), timedelta(hours=2)}


def test_bare_dates_stay_dates() -> None:
    """The day on which points expire is a date without a time."""
    card = from_dict(models.LoyaltyCard, {"next_expiration_date": "2025-12-31"})
    assert card.next_expiration_date == date(2025, 12, 31)
    assert to_dict(card) == {"next_expiration_date": "2025-12-31"}


def test_an_expired_date_with_a_time_keeps_it() -> None:
    """A field for a bare date takes an instant too, and gives it back."""
    data = {"next_expiration_date": "2025-12-31T23:59:59Z"}
    assert to_dict(from_dict(models.LoyaltyCard, data)) == data


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        ({"type": "AMOUNT", "amount_off": 100}, models.AmountDiscount),
        ({"type": "PERCENT", "percent_off": 10}, models.PercentDiscount),
        ({"type": "FIXED", "fixed_amount": 100}, models.FixedDiscount),
        ({"type": "UNIT", "unit_off": 1, "unit_type": "prod_1"}, models.UnitDiscount),
        ({"type": "UNIT", "units": []}, models.MultipleUnitDiscount),
        ({"type": "UNIT", "effect": "ADD_MANY_ITEMS"}, models.MultipleUnitDiscount),
        ({"type": "UNIT", "units": [], "effect": "ELSE"}, models.MultipleUnitDiscount),
        ({"type": "UNIT", "units": None}, models.UnitDiscount),
        ({"type": "UNIT", "unit_type": "p", "effect": "ADD_MANY_ITEMS"}, models.UnitDiscount),
        ({"type": "LOTTERY", "odds": 0.5}, models.UnknownDiscount),
        ({"type": None, "amount_off": 100}, models.UnknownDiscount),
        ({"amount_off": 100}, models.UnknownDiscount),
        ({}, models.UnknownDiscount),
    ],
)
def test_the_tag_decides_the_kind_of_discount(data: dict[str, Any], kind: type[Model]) -> None:
    """The type, and for units their number, decide the class; an unknown type keeps all."""
    discount = from_dict(models.Voucher, {"discount": data}).discount
    assert type(discount) is kind
    assert lost(data, to_dict(discount)) == []


@pytest.mark.parametrize(
    "data",
    [
        {"type": "UNIT", "units": [{"unit_off": 1}]},
        {"type": "UNIT", "units": [{"unit_off": 1}], "effect": "ADD_MANY_ITEMS"},
        {"type": "UNIT", "unit_off": 1, "unit_type": "prod_1"},
        {"type": "UNIT", "unit_off": 1, "unit_type": "prod_1", "effect": "ADD_MANY_ITEMS"},
        {"type": "AMOUNT", "amount_off": 99.5},
        {"type": "FIXED", "fixed_amount": 99.5},
        {"type": "PERCENT", "percent_off": 10, "amount_limit": 99.5},
    ],
)
def test_a_discount_comes_back_to_the_key(data: dict[str, Any]) -> None:
    """Nothing is added to a discount that was read, and its fractions are kept."""
    assert to_dict(from_dict(models.Voucher, {"discount": data})) == {"discount": data}


def test_a_discount_in_a_model_stays_itself() -> None:
    """Structuring data that holds a discount already leaves it as it is."""
    discount = models.AmountDiscount(amount_off=5)
    assert from_dict(models.Voucher, {"discount": discount}).discount is discount


def test_unit_numbers_may_be_fractions() -> None:
    """Percentages and units take fractions, and whole numbers come back whole."""
    for number in (10, 12.5):
        data = {"type": "PERCENT", "percent_off": number}
        assert repr(to_dict(from_dict(models.PercentDiscount, data))) == repr(data)


def test_a_transfer_names_the_other_card() -> None:
    """The other card of a transfer is a voucher with typed fields."""
    example = examples("VoucherTransaction")["POINTS_TRANSFER_IN"]
    details = from_dict(models.VoucherTransaction, example).details
    assert details is not None
    assert details.source_voucher is not None
    assert details.source_voucher.loyalty_card is not None
    assert details.source_voucher.loyalty_card.balance == 400


def test_a_single_failure_is_a_list_of_one() -> None:
    """An import's refused item may come without an array around it; errors show its real path."""
    result = from_dict(models.AsyncActionResult, {"failed": {"code": "A", "reason": "No."}})
    assert result.failed == (models.AsyncActionFailure(code="A", reason="No."),)
    assert to_dict(result) == {"failed": {"code": "A", "reason": "No."}}
    again = pickle.loads(pickle.dumps(result))
    assert to_dict(copy.deepcopy(again)) == to_dict(result)
    with pytest.raises(ResponseValidationError) as caught:
        from_dict(models.AsyncActionResult, {"failed": {"code": 5}})
    assert caught.value.json_path == "$.failed.code"


@pytest.mark.parametrize(
    ("data", "finished", "failures"),
    [
        ({"status": "ENQUEUED"}, False, False),
        ({"status": "IN_PROGRESS", "result": {"failed_count": 1}}, False, True),
        ({"status": "DONE"}, True, False),
        ({"status": "DONE", "result": {}}, True, False),
        (
            {"status": "DONE", "result": {"failed_count": 0, "failed": [], "errors": []}},
            True,
            False,
        ),
        ({"status": "DONE", "result": {"failed_count": 2}}, True, True),
        ({"status": "DONE", "result": {"failed": [{"code": "A"}]}}, True, True),
        ({"status": "DONE", "result": {"errors": [{"key": "not_found"}]}}, True, True),
        ({"status": "DONE", "operation_status": "FAILED"}, True, True),
        ({"status": "FAILED"}, True, True),
        ({"status": "PAUSED"}, False, False),
        ({}, False, False),
    ],
)
def test_a_job_knows_how_it_went(data: dict[str, Any], *, finished: bool, failures: bool) -> None:
    """DONE with items that failed is finished and has failures."""
    action = from_dict(models.AsyncAction, data)
    assert action.is_finished is finished
    assert action.has_failures is failures


@pytest.mark.parametrize(
    ("status", "finished"),
    [("SCHEDULED", False), ("IN_PROGRESS", False), ("DONE", True), ("ERROR", True), (None, False)],
)
def test_an_export_knows_whether_it_ended(status: str | None, *, finished: bool) -> None:
    """An export has ended when it is done or failed."""
    assert from_dict(models.Export, {"status": status}).is_finished is finished


@pytest.mark.parametrize("operand", ["", "autumn", 5, 2.5, True, ["a", 1], [], {"unit": "day"}])
def test_an_operator_compares_with_anything(operand: Any) -> None:
    """A filter's operand comes back as it was, in an array or alone."""
    data = {"conditions": {"$is": operand}}
    assert to_dict(from_dict(models.FieldConditions, data)) == data


def test_secrets_stay_out_of_the_repr() -> None:
    """Neither an access token nor the token in a download address is shown."""
    assert "TOKEN-1" not in repr(from_dict(models.OAuthToken, {"access_token": "TOKEN-1"}))
    export = from_dict(models.Export, {"result": {"url": "https://example.com/?token=TOKEN-1"}})
    assert "TOKEN-1" not in repr(export)


def test_the_repr_shows_what_is_set() -> None:
    """A repr names the fields that have a value, and the unknown keys last."""
    voucher = from_dict(models.Voucher, {"new": 1, "code": "A", "gift": {"amount": 5}})
    assert repr(voucher) == "Voucher(code='A', gift=Gift(amount=5), extra={'new': 1})"
    assert repr(models.VoucherUpdate(active=False)) == "VoucherUpdate(active=False)"


_CLASSES = [m for m in (getattr(models, n) for n in MODULES) if isinstance(m, type)]


@pytest.mark.parametrize("model", _CLASSES)
def test_models_are_frozen_and_slotted(model: type[Any]) -> None:
    """No model can be changed, and none has room for a misspelt attribute."""
    assert issubclass(model, Model)
    assert all(attribute.kw_only for attribute in attrs.fields(model))
    assert "__dict__" not in dir(model)


def _keys_in_extra(value: Any) -> set[str]:
    if isinstance(value, tuple):
        return {key for item in value for key in _keys_in_extra(item)}
    if not isinstance(value, Model):
        return set()
    nested = (getattr(value, a.name) for a in attrs.fields(type(value)) if a.name != "extra")
    return set(value.extra).union(*map(_keys_in_extra, nested))
