"""What checkout's answers say of themselves, and the parts of its requests."""

from __future__ import annotations

from typing import Any

import pytest

from voucherify_async import models as m
from voucherify_async._conversion.converter import from_dict, to_dict

from .mutations import examples

DONE = {"id": "r_1", "result": "SUCCESS"}
FAILED = {"id": "rf_1", "result": "FAILURE", "failure_code": "quantity_exceeded"}
APPLIES = {"id": "A", "status": "APPLICABLE"}
EXCEEDED = {"id": "B", "status": "INAPPLICABLE", "result": {"error": {"key": "quantity_exceeded"}}}
PRECEDED = {
    "id": "C",
    "status": "SKIPPED",
    "result": {"details": {"key": "preceding_validation_failed"}},
}


@pytest.mark.parametrize(
    ("data", "complete"),
    [
        ({"redemptions": [DONE]}, True),
        ({"redemptions": [DONE, DONE], "parent_redemption": DONE}, True),
        ({"redemptions": [DONE], "inapplicable_redeemables": [], "skipped_redeemables": []}, True),
        ({"redemptions": [DONE], "inapplicable_redeemables": [EXCEEDED]}, False),
        ({"redemptions": [DONE], "skipped_redeemables": [PRECEDED]}, False),
        ({"redemptions": [DONE, FAILED]}, False),
        ({"redemptions": [DONE], "parent_redemption": FAILED}, False),
        ({"redemptions": [{**DONE, "result": "LATER"}]}, False),
        ({"redemptions": [{"id": "r_1"}]}, False),
        ({"redemptions": []}, False),
        ({}, False),
    ],
)
def test_a_redemption_is_complete_if_all_was_redeemed(data: Any, *, complete: bool) -> None:
    """Only success of everything that was asked for counts as complete."""
    assert from_dict(m.RedemptionResult, data).is_complete is complete


@pytest.mark.parametrize(
    ("data", "complete", "reasons"),
    [
        ({"valid": True, "redeemables": [APPLIES]}, True, []),
        ({"valid": False, "redeemables": [APPLIES]}, False, []),
        ({"redeemables": [APPLIES]}, False, []),
        ({"valid": True, "redeemables": []}, False, []),
        ({"valid": True, "redeemables": [{"id": "A", "status": "RAFFLED"}]}, False, []),
        ({"valid": False, "redeemables": [EXCEEDED, PRECEDED]}, False,
         ["quantity_exceeded", "preceding_validation_failed"]),
        ({"valid": True, "redeemables": [APPLIES], "inapplicable_redeemables": [EXCEEDED]}, False,
         ["quantity_exceeded"]),
        ({"valid": True, "redeemables": [APPLIES], "skipped_redeemables": [PRECEDED]}, False,
         ["preceding_validation_failed"]),
    ],
)  # fmt: skip
def test_a_validation_says_what_does_not_apply(
    data: Any, *, complete: bool, reasons: list[str]
) -> None:
    """In every mode what does not apply is listed with its reason, and ends completeness."""
    validation = from_dict(m.Validation, data)
    assert validation.is_complete is complete
    found = [redeemable.reason for redeemable in (*validation.inapplicable, *validation.skipped)]
    assert found == reasons


def test_a_result_tells_failures_and_reasons() -> None:
    """Failed redemptions are told with their ids and codes, and reasons by their keys."""
    failed = from_dict(m.RedemptionResult, {"redemptions": [DONE, FAILED]}).failed
    assert [(found.id, found.failure_code) for found in failed] == [("rf_1", "quantity_exceeded")]
    result = from_dict(m.RedemptionResult, examples("RedemptionResult")["stacked"])
    assert [found.reason for found in result.inapplicable] == ["quantity_exceeded"]
    assert [found.reason for found in result.skipped] == ["exclusion_rules_not_met"]
    assert from_dict(m.ValidatedRedeemable, {**EXCEEDED, "status": "APPLICABLE"}).reason is None
    assert from_dict(m.ValidatedRedeemable, {"status": "SKIPPED"}).reason is None


@pytest.mark.parametrize(
    ("data", "complete"),
    [
        ({"rollbacks": [DONE, DONE], "parent_rollback": DONE}, True),
        ({"parent_rollback": DONE}, True),
        ({"rollbacks": [DONE, FAILED], "parent_rollback": DONE}, False),
        ({"rollbacks": [DONE], "parent_rollback": FAILED}, False),
        ({}, False),
    ],
)
def test_a_stack_is_rolled_back_as_a_whole(data: Any, *, complete: bool) -> None:
    """A rollback of a stack is complete if each of its redemptions was undone."""
    assert from_dict(m.StackRollback, data).is_complete is complete


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        ({"object": "redemption", "id": "r_1"}, m.Redemption),
        ({"object": "redemption_rollback", "id": "rr_1"}, m.RedemptionRollback),
        ({"object": "lottery_draw", "id": "rx_1"}, m.UnknownRedemption),
        ({"object": None, "id": "rx_1"}, m.UnknownRedemption),
        ({"id": "rx_1"}, m.UnknownRedemption),
    ],
)
def test_the_object_decides_the_kind_of_entry(data: Any, kind: type[m.Model]) -> None:
    """Redemptions and rollbacks are told apart by `object`; an unknown kind keeps its fields."""
    found = from_dict(m.VoucherRedemptions, {"redemption_entries": [data]}).redemption_entries
    assert found is not None
    entry = found[0]
    assert type(entry) is kind
    assert entry.id == data["id"]
    assert to_dict(entry) == {key: value for key, value in data.items() if value is not None}


@pytest.mark.parametrize(
    ("model", "documented"),
    [
        (m.Redeemable(id="TEA-10"), {"object": "voucher", "id": "TEA-10"}),
        (
            m.Redeemable(id="GIFT-1", gift=m.GiftSpend(credits=500)),
            {"object": "voucher", "id": "GIFT-1", "gift": {"credits": 500}},
        ),
        (
            m.Redeemable(id="LOYAL-1", reward=m.RewardSpend(id="rew_1", points=70)),
            {"object": "voucher", "id": "LOYAL-1", "reward": {"id": "rew_1", "points": 70}},
        ),
        (
            m.Order(source_id="cart-5", items=[m.OrderItem(product_id="prod_1", quantity=2)]),
            {"source_id": "cart-5", "items": [{"product_id": "prod_1", "quantity": 2}]},
        ),
        (
            m.ValidationSession(type="LOCK", ttl=30, ttl_unit="MINUTES"),
            {"type": "LOCK", "ttl": 30, "ttl_unit": "MINUTES"},
        ),
        (m.CheckoutOptions(expand=["order"]), {"expand": ["order"]}),
        (
            m.QualificationOptions(
                limit=5,
                starting_after="2026-03-04T05:06:07.890Z",
                filters=m.QualificationFilters(
                    junction="and",
                    campaign_type=m.FieldConditions(
                        conditions=m.FilterConditions(is_=["PROMOTION"])
                    ),
                ),
                sorting_rule="BEST_DEAL",
            ),
            {
                "limit": 5,
                "starting_after": "2026-03-04T05:06:07.890Z",
                "filters": {
                    "junction": "and",
                    "campaign_type": {"conditions": {"$is": ["PROMOTION"]}},
                },
                "sorting_rule": "BEST_DEAL",
            },
        ),
    ],
)  # fmt: skip
def test_a_part_of_a_request_is_what_the_api_documents(model: m.Model, documented: Any) -> None:
    """A part of a checkout request is written as documented, and read back as itself."""
    assert to_dict(model) == documented
    assert to_dict(from_dict(type(model), documented)) == documented


def test_an_order_of_an_answer_goes_into_a_request() -> None:
    """The order of a validation is a redemption's `order` as it is: one class for all."""
    validation = from_dict(m.Validation, examples("Validation")["refused"])
    assert isinstance(validation.order, m.Order)
    assert to_dict(validation.order)["items"] == examples("Validation")["refused"]["order"]["items"]
