"""Answers that are not the answer to what was asked: never told as success, nor as absence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

import voucherify_async as v
from voucherify_async import AsyncVoucherify

from .support import MovedClock, Wire

pytestmark = [pytest.mark.anyio, pytest.mark.sampled(ways=2, whole=2)]

Call = Callable[[AsyncVoucherify], Any]

ID = "v_0123456789abcdefghij"
OTHER_ID = "v_abcdefghij0123456789"
VOUCHER = {"id": ID, "object": "voucher", "code": "A", "type": "GIFT_VOUCHER"}
BALANCE = {"object": "balance", "amount": 5, "total": 5, "balance": 5}
ACTION = {"object": "async_action", "id": "aa_1", "status": "DONE"}
EXPORT = {"object": "export", "id": "exp_1", "status": "DONE"}
LISTING = {"object": "list", "data_ref": "vouchers", "vouchers": []}
REDEEMED = {"object": "redemption", "id": "r_1", "voucher": {"code": "A"}, "result": "SUCCESS"}
APPLICABLE = {"object": "voucher", "id": "A", "status": "APPLICABLE"}
ROLLED_BACK = {"object": "redemption_rollback", "id": "rr_1", "redemption": "r_1"}
ORDER = {"object": "order", "id": "ord_1", "source_id": "o-1"}


def of_card(id_: str) -> dict[str, Any]:
    """A balance of the card with this id."""
    return {**BALANCE, "related_object": {"type": "voucher", "id": id_}}


GIFT = {"type": "GIFT_VOUCHER", "gift": {"amount": 5}}
CALLS: dict[str, Call] = {
    "get": lambda c: c.vouchers.get("A"),
    "get by id": lambda c: c.vouchers.get(ID),
    "create": lambda c: c.vouchers.create("A", GIFT),
    "generate": lambda c: c.vouchers.generate(GIFT),
    "update": lambda c: c.vouchers.update("A", {"active": True}),
    "enable": lambda c: c.vouchers.enable("A"),
    "disable": lambda c: c.vouchers.disable("A"),
    "balance": lambda c: c.vouchers.update_balance("A", 5),
    "balance by id": lambda c: c.vouchers.update_balance(ID, 5),
    "delete": lambda c: c.vouchers.delete("A"),
    "release": lambda c: c.vouchers.release_session("A", "k"),
    "import": lambda c: c.imports.vouchers([{"code": "A"}]),
    "bulk": lambda c: c.vouchers.update_metadata_in_bulk(["A"], {}),
    "job": lambda c: c.async_actions.get("aa_1"),
    "export": lambda c: c.exports.get("exp_1"),
    "new export": lambda c: c.exports.create({"exported_object": "voucher"}),
    "export of a card": lambda c: c.transactions.export("A"),
    "delete export": lambda c: c.exports.delete("exp_1"),
    "redeem": lambda c: c.redemptions.redeem(redeemables=["A"], order={"source_id": "o-1"}),
    "redemption": lambda c: c.redemptions.get("r_1"),
    "of voucher": lambda c: c.redemptions.of_voucher("A"),
    "rollback": lambda c: c.redemptions.rollback("r_1"),
    "stack rollback": lambda c: c.redemptions.rollback_stack("r_1"),
    "validate": lambda c: c.validations.validate(redeemables=["A"]),
    "order": lambda c: c.orders.get("o-1"),
    "new order": lambda c: c.orders.create({"amount": 5}),
    "same order": lambda c: c.orders.create({"source_id": "o-1"}),
    "pay": lambda c: c.orders.update("o-1", {"status": "PAID"}),
    "list": lambda c: c.vouchers.list().collect(),
    "transactions": lambda c: c.transactions.list("A").collect(),
    "find": lambda c: c.transactions.find("A", source_id="x"),
    "jobs": lambda c: c.async_actions.list().collect(),
    "exports": lambda c: c.exports.list().collect(),
}
READS = {
    "get", "get by id", "job", "export", "list", "transactions", "find", "jobs", "exports",
    "redemption", "of voucher", "validate", "order",
}  # fmt: skip
FITS: dict[str, list[Any]] = {
    "get": [VOUCHER, {"code": "a"}, {**VOUCHER, "object": None}, {**VOUCHER, "code": " A"}],
    "get by id": [VOUCHER, {"id": ID}],
    "create": [VOUCHER, {"code": "a"}],
    "generate": [VOUCHER, {**VOUCHER, "code": "anything"}],
    "update": [VOUCHER],
    "enable": [VOUCHER],
    "disable": [VOUCHER],
    "balance": [
        BALANCE,
        {"amount": 5},
        {"amount": 5.0},
        {"object": "balance", "points": 5, "amount": None},
        of_card(ID),
        of_card("v_1"),
        of_card("a"),
    ],
    "balance by id": [BALANCE, of_card(ID)],
    "import": [{"async_action_id": "aa_1"}],
    "job": [ACTION, {"id": "aa_1"}],
    "export": [EXPORT],
    "new export": [{**EXPORT, "id": "exp_7"}],
    "redeem": [
        {"redemptions": [REDEEMED]},
        {"redemptions": [REDEEMED], "order": ORDER},
        {"redemptions": [], "inapplicable_redeemables": [{**APPLICABLE, "id": "a"}]},
    ],
    "redemption": [REDEEMED, {**ROLLED_BACK, "id": "r_1"}],
    "of voucher": [{"redemption_entries": []}],
    "rollback": [ROLLED_BACK],
    "stack rollback": [
        {"rollbacks": [ROLLED_BACK]},
        {"rollbacks": [], "parent_rollback": ROLLED_BACK},
    ],
    "validate": [{"valid": True, "redeemables": [APPLICABLE]}],
    "new order": [ORDER],
    "same order": [ORDER],
    "pay": [ORDER, {**ORDER, "id": "o-1", "source_id": None}],
    "list": [LISTING, {"vouchers": []}, {"data_ref": "data", "data": []}],
    "find": [{"object": "list", "data_ref": "data", "data": []}],
}
FOREIGN: list[Any] = [{}, [], None, "text", {"code": 400}, {"message": "OK"}]
MISFITS: dict[str, list[Any]] = {
    "get": [
        *FOREIGN,
        BALANCE,
        {**VOUCHER, "code": "B"},
        LISTING,
        {**VOUCHER, "object": "campaign"},
    ],
    "get by id": [{**VOUCHER, "id": OTHER_ID}, {"code": "A"}],
    "create": [*FOREIGN, BALANCE, {**VOUCHER, "code": "B"}],
    "generate": [*FOREIGN, BALANCE, {**VOUCHER, "code": ""}],
    "update": [*FOREIGN, BALANCE, {**VOUCHER, "code": "B"}],
    "enable": [*FOREIGN, BALANCE, {**VOUCHER, "code": "B"}],
    "disable": [*FOREIGN, {**VOUCHER, "code": "B"}],
    "balance": [
        *FOREIGN,
        VOUCHER,
        {**VOUCHER, "amount": 5},
        {**BALANCE, "amount": 6},
        {**BALANCE, "amount": -5},
        {**BALANCE, "amount": None},
        {**BALANCE, "amount": "5"},
        of_card("B"),
    ],
    "balance by id": [of_card(OTHER_ID), of_card("A")],
    "delete": [{}, VOUCHER, "gone"],
    "release": [{}, VOUCHER],
    "import": [*FOREIGN, {"async_action_id": ""}, {"async_action_id": None}],
    "bulk": FOREIGN,
    "job": [*FOREIGN, {**ACTION, "id": "aa_2"}, {**EXPORT, "id": "aa_1"}],
    "export": [*FOREIGN, {**EXPORT, "id": "exp_2"}, {**ACTION, "id": "exp_1"}],
    "new export": [*FOREIGN, ACTION, {**EXPORT, "id": ""}],
    "export of a card": [*FOREIGN, VOUCHER],
    "delete export": [EXPORT],
    "redeem": [
        *FOREIGN,
        {"valid": True, "redeemables": [APPLICABLE]},
        {"redemptions": []},
        {"redemptions": 5},
        {"redemptions": [REDEEMED], "skipped_redeemables": 5},
        {"redemptions": [{**REDEEMED, "voucher": {"code": "B"}}]},
        {"redemptions": [REDEEMED, {**REDEEMED, "voucher": {"code": "B"}}]},
        {"redemptions": [REDEEMED], "order": {**ORDER, "source_id": "o-2"}},
        VOUCHER,
    ],
    "redemption": [*FOREIGN, {**REDEEMED, "id": "r_2"}, {**ORDER, "id": "r_1"}],
    "of voucher": [*FOREIGN, {"redemption_entries": {}}, VOUCHER],
    "rollback": [*FOREIGN, {**ROLLED_BACK, "redemption": "r_2"}, REDEEMED],
    "stack rollback": [
        *FOREIGN,
        {"rollbacks": []},
        {"rollbacks": 5, "parent_rollback": ROLLED_BACK},
        {"rollbacks": [{**ROLLED_BACK, "redemption": "r_2"}]},
        {"rollbacks": [ROLLED_BACK], "parent_rollback": {**ROLLED_BACK, "redemption": "r_2"}},
    ],
    "validate": [*FOREIGN, {"valid": True}, {"redeemables": [APPLICABLE]}],
    "order": [*FOREIGN, {**ORDER, "source_id": "o-2"}, {**ORDER, "id": [], "source_id": {}}],
    "new order": [*FOREIGN, VOUCHER, {"object": "order"}],
    "same order": [{**ORDER, "source_id": "o-2"}, {**ORDER, "id": {}}, {**ORDER, "id": []}],
    "pay": [*FOREIGN, {**ORDER, "source_id": "o-2"}, {**ORDER, "source_id": []}],
    "list": [*FOREIGN, {"object": "list"}, {"vouchers": None}, {"vouchers": {}}, VOUCHER],
    "transactions": [*FOREIGN, {"object": "list", "data_ref": "data"}],
    "find": [*FOREIGN, {"object": "list", "data_ref": "data"}, {"data": None}],
    "jobs": FOREIGN,
    "exports": FOREIGN,
}


def each(table: dict[str, list[Any]]) -> pytest.MarkDecorator:
    """Run a test with each body of each call."""
    cases = [(name, body) for name, bodies in table.items() for body in bodies]
    return pytest.mark.parametrize(
        ("name", "body"), cases, ids=[f"{n} {b!r}"[:60] for n, b in cases]
    )


@each(FITS)
async def test_an_answer_to_the_request_is_taken(name: str, body: Any) -> None:
    """The documented answers, and those that leave out what they may, are no misfits."""
    await CALLS[name](Wire(body).client())


@each(MISFITS)
@pytest.mark.parametrize("status", [200, 202])
async def test_an_answer_to_something_else_is_not_taken(name: str, body: Any, status: int) -> None:
    """A read raises, and a write says that its outcome is unknown; no code stands in the text."""
    wire = Wire(httpx.Response(status, json=body))
    with pytest.raises(v.ResponseValidationError) as caught:
        await CALLS[name](wire.client(clock=MovedClock()))
    error = caught.value
    assert isinstance(error, v.AmbiguousOutcomeError) == (name not in READS)
    assert error.path.startswith("/v1/")
    assert error.json_path.startswith("$")
    assert len([request for request in wire.requests if request.method != "GET"]) <= 1


@pytest.mark.parametrize(
    "name", [name for name in CALLS if "delete" not in name and name != "release"]
)
async def test_an_empty_answer_where_one_is_due(name: str) -> None:
    """A 204 says nothing of what was asked."""
    with pytest.raises(v.ResponseValidationError):
        await CALLS[name](Wire(httpx.Response(204)).client(clock=MovedClock()))


async def test_a_misfit_names_no_code() -> None:
    """What another card's answer holds stays out of the message, and is at hand as `value`."""
    with pytest.raises(v.ResponseValidationError) as caught:
        await Wire({"code": "SECRET-B"}).client().vouchers.get("SECRET-A")
    assert "SECRET" not in str(caught.value)
    assert caught.value.value == {"code": "SECRET-B"}
