"""Validations, redemptions, qualifications and orders: requests, answers and refusals."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import httpx
import orjson
import pytest
from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st

from voucherify_async import (
    AmbiguousOutcomeError,
    AsyncVoucherify,
    BadRequestError,
    Customer,
    InvalidArgumentError,
    Order,
    Redeemable,
    Redemption,
    RedemptionRefusedError,
    RedemptionResult,
    RedemptionRollback,
    ResponseValidationError,
    RetryPolicy,
    StackRollback,
    UnreadableAnswerError,
    Validation,
    ValidationRefusedError,
)
from voucherify_async._protocol.routes import (
    CREATE_ORDER,
    GET_ORDER,
    GET_REDEMPTION,
    GET_VOUCHER_REDEMPTIONS,
    REDEEM,
    ROLL_BACK,
    ROLL_BACK_STACK,
    VALIDATE,
)

from .support import MovedClock, Wire

pytestmark = pytest.mark.anyio

VOUCHER = {"object": "voucher", "id": "A"}
APPLIES = {**VOUCHER, "status": "APPLICABLE", "result": {}}
VALID = {"valid": True, "redeemables": [APPLIES]}
REDEMPTION = {"id": "r_1", "object": "redemption", "result": "SUCCESS", "voucher": {"code": "A"}}
REDEEMED = {"redemptions": [REDEMPTION], "order": {"id": "ord_1", "source_id": "o-1"}}
ROLLBACK = {"id": "rr_1", "object": "redemption_rollback", "redemption": "r_1", "result": "SUCCESS"}
ORDER = {"id": "ord_1", "object": "order", "source_id": "o-1", "amount": 500}
TIER = {"object": "promotion_tier", "id": "promo_1"}
STACK = {"object": "promotion_stack", "id": "stack_1"}
CARD = {**VOUCHER, "gift": {"credits": 5}}
POINTS = {**VOUCHER, "reward": {"points": 5}}
LOCK = {"type": "LOCK", "key": "k"}
ITEMS = [{"amount": 5}]

Call = Callable[[AsyncVoucherify], Awaitable[Any]]


@frozen
class Case:
    """A call, the request that it makes, its answer, and what it becomes."""

    call: Call
    request: str
    body: Any
    answer: Any
    model: type[Any]


CASES = {
    "validate": Case(
        lambda c: c.validations.validate(
            redeemables=["A", Redeemable(object="promotion_tier", id="promo_1"), VOUCHER],
            order={"amount": 500},
            customer="cust_1",
            tracking_id="t",
            metadata={"k": 1},
            options={"expand": ["order"]},
        ),
        "POST /v1/validations",
        {
            "redeemables": [VOUCHER, {"object": "promotion_tier", "id": "promo_1"}, VOUCHER],
            "order": {"amount": 500},
            "customer": {"id": "cust_1"},
            "tracking_id": "t",
            "metadata": {"k": 1},
            "options": {"expand": ["order"]},
        },
        {**VALID, "redeemables": [APPLIES, {**TIER, "status": "APPLICABLE"}]},
        Validation,
    ),
    "redeem": Case(
        lambda c: c.redemptions.redeem(
            redeemables=[VOUCHER],
            order=Order(source_id="o-1", amount=500),
            customer=Customer(source_id="c-1"),
            session={"type": "LOCK", "key": "k"},
        ),
        "POST /v1/redemptions",
        {
            "redeemables": [VOUCHER],
            "order": {"source_id": "o-1", "amount": 500},
            "customer": {"source_id": "c-1"},
            "session": {"type": "LOCK", "key": "k"},
        },
        REDEEMED,
        RedemptionResult,
    ),
    "redeem by ids": Case(
        lambda c: c.redemptions.redeem(redeemables=["A"], order="ord_1", customer="c-1"),
        "POST /v1/redemptions",
        {"redeemables": [VOUCHER], "order": {"id": "ord_1"}, "customer": {"source_id": "c-1"}},
        REDEEMED,
        RedemptionResult,
    ),
    "get": Case(
        lambda c: c.redemptions.get("r_1"), "GET /v1/redemptions/r_1", None, REDEMPTION, Redemption
    ),
    "get a rollback": Case(
        lambda c: c.redemptions.get("rr_1"),
        "GET /v1/redemptions/rr_1",
        None,
        ROLLBACK,
        RedemptionRollback,
    ),
    "rollback": Case(
        lambda c: c.redemptions.rollback("r_1", reason="a b", tracking_id="t", order="o-1"),
        "POST /v1/redemptions/r_1/rollback?reason=a+b&tracking_id=t",
        {"order": {"source_id": "o-1"}},
        ROLLBACK,
        RedemptionRollback,
    ),
    "rollback_stack": Case(
        lambda c: c.redemptions.rollback_stack("r_1", metadata={"k": 1}),
        "POST /v1/redemptions/r_1/rollbacks",
        {"metadata": {"k": 1}},
        {"rollbacks": [{**ROLLBACK, "redemption": "r_2"}], "parent_rollback": ROLLBACK},
        StackRollback,
    ),
    "orders.create": Case(
        lambda c: c.orders.create({"source_id": "o-1", "amount": 500}),
        "POST /v1/orders",
        {"source_id": "o-1", "amount": 500},
        ORDER,
        Order,
    ),
    "orders.get": Case(lambda c: c.orders.get("o-1"), "GET /v1/orders/o-1", None, ORDER, Order),
    "orders.update": Case(
        lambda c: c.orders.update("o-1", {"amount": 500}),
        "PUT /v1/orders/o-1",
        {"amount": 500},
        ORDER,
        Order,
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_each_method_sends_its_request_and_reads_its_answer(case: Case) -> None:
    """Keyword names are the body's own keys; the answer becomes its model, without loss."""
    wire = Wire(case.answer)
    async with wire.client() as client:
        result = await case.call(client)
    (request,) = wire.requests
    assert f"{request.method} {wire.targets[0]}" == case.request
    assert (json.loads(request.content) if request.content else None) == case.body
    assert isinstance(result, case.model)


async def test_listings_and_exports() -> None:
    """Listings walk their pages; qualifications page by a cursor in the body."""
    page = {"redeemables": {"data": [APPLIES], "has_more": True, "more_starting_after": "2026-01"}}
    last = {"redeemables": {"data": [{**APPLIES, "id": "B"}], "has_more": False}}
    wire = Wire(page, last)
    async with wire.client() as client:
        found = [r.id async for r in client.qualifications.check(order="o-1", options={"limit": 1})]
    assert found == ["A", "B"]
    assert [json.loads(request.content) for request in wire.requests] == [
        {"order": {"source_id": "o-1"}, "options": {"limit": 1}},
        {"order": {"source_id": "o-1"}, "options": {"limit": 1, "starting_after": "2026-01"}},
    ]
    wire = Wire({"redemptions": [REDEMPTION, ROLLBACK], "total": 2})
    async with wire.client() as client:
        entries = await client.redemptions.list(result="SUCCESS", customer="c-1", limit=5)
        assert [type(entry) for entry in entries] == [Redemption, RedemptionRollback]
    assert wire.targets == ["/v1/redemptions?limit=5&page=1&result=SUCCESS&customer=c-1"]
    wire = Wire({"orders": [ORDER], "total": 1})
    async with wire.client() as client:
        assert [o.id async for o in client.orders.list(order="-created_at")] == ["ord_1"]
    assert wire.targets == ["/v1/orders?limit=100&page=1&order=-created_at"]
    wire = Wire({"async_action_id": "aa_1"}, {"id": "exp_1", "object": "export"})
    async with wire.client() as client:
        job = await client.orders.bulk_import([{"source_id": "o-1"}])
        export = await client.orders.export(fields=["id"], order="-created_at")
    assert (job.id, export.id) == ("aa_1", "exp_1")
    assert json.loads(wire.requests[1].content) == {
        "parameters": {"order": "-created_at", "fields": ["id"]}
    }


@pytest.mark.parametrize(
    "call",
    [
        lambda c: c.validations.validate(redeemables=[]),
        lambda c: c.validations.validate(redeemables="A"),
        lambda c: c.validations.validate(redeemables=["A"] * 31),
        lambda c: c.redemptions.redeem(redeemables=[7]),
        lambda c: c.redemptions.redeem(redeemables=[" "]),
        lambda c: c.redemptions.redeem(redeemables=["A"], customer=""),
        lambda c: c.redemptions.redeem(redeemables=["A"], order={"amount": float("nan")}),
        lambda c: c.orders.bulk_import([{}] * 2_001),
        lambda c: c.orders.create("o-1"),
    ],
)
async def test_bad_input_is_refused_before_it_is_sent(call: Call) -> None:
    """What Voucherify cannot take is refused with its place, and nothing is sent."""
    wire = Wire({})
    async with wire.client() as client:
        with pytest.raises(InvalidArgumentError):
            await call(client)
        with pytest.raises(TypeError, match="tiemout"):
            await client.redemptions.redeem(redeemables=["A"], tiemout=1)  # type: ignore[call-arg]
    assert not wire.requests


async def test_a_success_is_not_yet_complete() -> None:
    """`is_complete` and `raise_on_inapplicable` tell what a 200 does not."""
    error = {"key": "not_found", "message": "m", "details": "d"}
    refused = {"object": "voucher", "id": "B", "status": "INAPPLICABLE", "result": {"error": error}}
    half = {**REDEEMED, "inapplicable_redeemables": [refused]}
    async with Wire(half).client() as client:
        done = await client.redemptions.redeem(redeemables=["A", "B"])
        assert not done.is_complete
        with pytest.raises(RedemptionRefusedError) as caught:
            await client.redemptions.redeem(redeemables=["A", "B"], raise_on_inapplicable=True)
    assert caught.value.result == done
    assert [(r.id, r.key, r.details) for r in caught.value.reasons] == [("B", "not_found", "d")]
    assert "B" not in str(caught.value).split()
    async with Wire({"valid": False, "redeemables": [refused]}).client() as client:
        with pytest.raises(ValidationRefusedError, match="not_found"):
            await client.validations.validate(redeemables=["B"], raise_on_inapplicable=True)


async def test_a_failed_redemption_is_a_refusal() -> None:
    """A 400 with a failed redemption on record has its id; another 400 stays what it is."""
    refusal: dict[str, Any] = {"code": 400, "key": "quantity_exceeded", "message": "m"}
    failed = {**refusal, "resource_id": "rf_1", "resource_type": "redemption"}
    async with Wire(httpx.Response(400, json=failed)).client() as client:
        with pytest.raises(RedemptionRefusedError) as caught:
            await client.redemptions.redeem(redeemables=["A"])
    assert (caught.value.redemption_id, caught.value.key) == ("rf_1", "quantity_exceeded")
    assert isinstance(caught.value.__cause__, BadRequestError)
    async with Wire(httpx.Response(400, json=refusal)).client() as client:
        with pytest.raises(BadRequestError):
            await client.redemptions.redeem(redeemables=["A"])
    # A gateway's error may quote one; what it stands before may have gone on.
    async with Wire(httpx.Response(502, json=failed)).client() as client:
        with pytest.raises(AmbiguousOutcomeError):
            await client.redemptions.redeem(redeemables=["A"])


SKIPPED = {**VOUCHER, "status": "SKIPPED", "result": {"details": {"key": "no_effect"}}}
FAILED = {**REDEMPTION, "id": "rf_1", "result": "FAILURE", "failure_code": "quantity_exceeded"}


@pytest.mark.parametrize(
    ("answer", "redemption_id", "keys"),
    [
        ({"redemptions": [FAILED]}, "rf_1", [("A", "quantity_exceeded")]),
        (
            {"redemptions": [FAILED], "parent_redemption": {**FAILED, "id": "rf_0"}},
            "rf_0",
            [("A", "quantity_exceeded")],
        ),
        (
            {"redemptions": [], "parent_redemption": FAILED, "skipped_redeemables": [SKIPPED]},
            "rf_1",
            [("A", "no_effect")],
        ),
    ],
)
async def test_a_failed_redemption_that_answers_200(
    answer: Any, redemption_id: str, keys: list[tuple[str, str]]
) -> None:
    """It is not complete, and with `raise_on_inapplicable` the same error as a 400."""
    async with Wire(answer).client() as client:
        done = await client.redemptions.redeem(redeemables=["A"])
        assert not done.is_complete
        with pytest.raises(RedemptionRefusedError) as caught:
            await client.redemptions.redeem(redeemables=["A"], raise_on_inapplicable=True)
    error = caught.value
    assert (error.status_code, error.redemption_id, error.result) == (200, redemption_id, done)
    assert [(reason.id, reason.key) for reason in error.reasons] == keys
    assert error.key == keys[0][1]


KEYS = (
    "code,gift,credits,key,parent_rollback,promotion_tier,redeemables,redemption,"
    "redemption_entries,rollbacks,session"
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from([*REDEEMED, *REDEMPTION, *KEYS.split(",")]), inner, max_size=4
        )
    ),
    max_leaves=12,
)
ASKED = orjson.dumps(
    {"redeemables": [CARD, POINTS, TIER], "order": {"source_id": "o", "amount": 5}, "session": LOCK}
)


@given(body=JSON)
def test_no_answer_breaks_what_holds_it(body: Any) -> None:
    """Whatever JSON comes, it fits or it is refused, and nothing else."""
    for target in (
        VALIDATE(),
        REDEEM(),
        ROLL_BACK(id="r"),
        ROLL_BACK_STACK(id="r"),
        CREATE_ORDER(),
        GET_REDEMPTION(id="r"),
        GET_VOUCHER_REDEMPTIONS(code="A"),
        GET_ORDER(id="o"),
    ):
        with suppress(ResponseValidationError):
            target.received(ASKED, body)


def check_out(method: str, *items: Any, **rest: Any) -> Case:
    """A call whose answer is held against what it sends."""
    redeemables = list(items) or ["A"]
    calls: dict[str, Call] = {
        "redeem": lambda c: c.redemptions.redeem(redeemables=redeemables, **rest),
        "validate": lambda c: c.validations.validate(redeemables=redeemables, **rest),
        "create": lambda c: c.orders.create(rest),
        "of_voucher": lambda c: c.redemptions.of_voucher("A"),
    }
    writes = method in {"redeem", "create"} or "session" in rest
    return Case(calls[method], "POST" if writes else "GET", None, None, object)


def made(**changes: Any) -> dict[str, Any]:
    """The answer of one redemption."""
    return {"redemptions": [{**REDEMPTION, **changes}]}


def applies(**changes: Any) -> dict[str, Any]:
    """The answer of one validation."""
    return {**VALID, "redeemables": [{**APPLIES, **changes}]}


FITTING = [
    (check_out("redeem"), made(voucher={"code": " a "})),
    (check_out("redeem"), made(voucher={"code": "OTHER", "id": "A"})),
    (check_out("redeem"), made(voucher=None)),
    (check_out("redeem", TIER), made(voucher=None, promotion_tier={"id": "promo_1"})),
    (check_out("redeem", "A", TIER), {"redemptions": [REDEMPTION, {"id": "r_2"}]}),
    (check_out("redeem", "A", TIER), made(result="FAILURE")),
    (
        check_out("redeem", "A", TIER),
        {**made(), "inapplicable_redeemables": [{**TIER, "status": "INAPPLICABLE"}]},
    ),
    (check_out("validate", "A", TIER), {**VALID, "valid": False}),
    (check_out("redeem", STACK), made(voucher=None, promotion_tier={"id": "promo_7"})),
    (check_out("redeem", CARD), made(gift={"amount": 5})),
    (check_out("redeem", POINTS), made(loyalty_card={"points": 5})),
    (check_out("redeem", session=LOCK), made(session={"key": "k"})),
    (check_out("redeem", order={"amount": 5}), {**made(), "order": {"amount": 5}}),
    (
        check_out("redeem", order={"amount": 5}),
        {**made(), "order": {"amount": 9, "initial_amount": 5}},
    ),
    (check_out("redeem", order={"amount": 5}), {**made(), "order": {"amount": 9, "items": ITEMS}}),
    (check_out("redeem", order={"amount": 5, "items": ITEMS}), {**made(), "order": {"amount": 9}}),
    (
        check_out("redeem", order={"amount": 5, "source_id": "o"}),
        {**made(), "order": {"amount": 9}},
    ),
    (check_out("redeem", order={"amount": 5}), {**made(), "order": {"amount": None}}),
    (check_out("validate", session=LOCK), {**VALID, "session": LOCK}),
    (check_out("validate", CARD), applies(result={"gift": {"credits": 5}})),
    (check_out("create", amount=5), {**ORDER, "amount": 5}),
    (check_out("of_voucher"), {"redemption_entries": [REDEMPTION]}),
    (check_out("of_voucher"), {"redemption_entries": []}),
]


@pytest.mark.parametrize(("case", "answer"), FITTING)
async def test_what_an_answer_may_say_otherwise(case: Case, answer: Any) -> None:
    """Codes in another case, ids, tiers of a stack, amounts that the API calculates."""
    async with Wire(answer).client() as client:
        await case.call(client)


ANOTHER = [
    (check_out("redeem"), made(voucher={"code": "B", "id": "v_b"})),
    (check_out("redeem"), {**made(), "skipped_redeemables": [{**APPLIES, "id": "B"}]}),
    (check_out("redeem"), {**made(), "inapplicable_redeemables": 7}),
    (check_out("redeem", "A", TIER), made(voucher={"code": "B"})),
    (check_out("redeem", "A", TIER), made()),
    (check_out("redeem", "A", STACK), made(voucher=None, promotion_tier={"id": "promo_7"}, id="")),
    (check_out("redeem"), {"redemptions": [{}]}),
    (check_out("redeem"), {"redemptions": [None]}),
    (check_out("redeem", "STRASSE"), made(voucher={"code": "straße"})),
    (check_out("validate", "A", TIER), VALID),
    (check_out("redeem", TIER), made(voucher=None, promotion_tier={"id": "promo_2"})),
    (check_out("redeem", CARD), made(gift={"amount": 6})),
    (check_out("redeem", POINTS), made(loyalty_card={"points": 6})),
    (check_out("redeem", session=LOCK), made(session={"key": "other"})),
    (check_out("redeem", order={"amount": 5}), {**made(), "order": {"amount": 9}}),
    (check_out("redeem", order={"id": "ord_1"}), {**made(), "order": {"id": "ord_2"}}),
    (check_out("validate"), applies(id="B")),
    (check_out("validate", CARD), applies(result={"gift": {"credits": 6}})),
    (check_out("validate", POINTS), applies(result={"loyalty_card": {"points": 6}})),
    (check_out("validate", session=LOCK), {**VALID, "session": {**LOCK, "key": "other"}}),
    (check_out("create", amount=5), {**ORDER, "amount": 9}),
    (check_out("create", source_id="o-1"), {**ORDER, "id": ["ord_1"], "source_id": {}}),
    (check_out("of_voucher"), {"redemption_entries": [{**REDEMPTION, "voucher": {"code": "B"}}]}),
    (check_out("of_voucher"), {"redemption_entries": None}),
    (check_out("of_voucher"), {}),
    (CASES["redeem"], [REDEEMED]),
    (CASES["rollback"], {**ROLLBACK, "redemption": None}),
    (CASES["rollback_stack"], {"rollbacks": [ROLLBACK, ROLLBACK]}),
    (CASES["rollback_stack"], {"rollbacks": [{**ROLLBACK, "redemption": "r_2"}]}),
    (
        CASES["rollback_stack"],
        {"rollbacks": [], "parent_rollback": {**ROLLBACK, "redemption": "r_2"}},
    ),
    (CASES["redeem"], {**REDEEMED, "redemptions": [{**REDEMPTION, "voucher": {"code": "B"}}]}),
    (CASES["redeem"], {**REDEEMED, "order": {"id": "ord_2", "source_id": "o-2"}}),
    (CASES["redeem"], {}),
    (CASES["redeem"], {"code": 400}),
    (CASES["redeem"], VALID | {"redeemables": None}),
    (CASES["rollback"], {**ROLLBACK, "redemption": "r_2"}),
    (CASES["rollback"], REDEMPTION),
    (CASES["rollback_stack"], {"rollbacks": []}),
    (CASES["rollback_stack"], {"rollbacks": [], "parent_rollback": {**ROLLBACK, "redemption": ""}}),
    (CASES["orders.create"], {**ORDER, "source_id": "o-2", "id": "ord_2"}),
    (CASES["orders.update"], {**ORDER, "source_id": "o-2", "id": "ord_2"}),
    (CASES["get"], {**REDEMPTION, "id": "r_2"}),
    (CASES["get"], {**REDEMPTION, "object": "voucher"}),
    (CASES["orders.get"], {**ORDER, "source_id": "o-2", "id": "ord_2"}),
    (CASES["validate"], {"valid": True}),
]


@pytest.mark.parametrize(("case", "answer"), ANOTHER)
async def test_an_answer_to_something_else_is_no_success(case: Case, answer: Any) -> None:
    """Answers are held against what was asked: a write's is unknown, a read's is an error."""
    async with Wire(answer).client() as client:
        with pytest.raises(ResponseValidationError) as caught:
            await case.call(client)
    is_write = case.request.startswith(("POST", "PUT")) and "validations" not in case.request
    assert isinstance(caught.value, UnreadableAnswerError) == is_write


@pytest.mark.parametrize("order", [{"id": "ord_1"}, {"source_id": "o-1"}])
async def test_confirm_adds_nothing_to_an_order_that_has_a_name(order: Any) -> None:
    """What is known by its id or source id goes out as it was given."""
    wire = Wire(REDEEMED)
    async with wire.client() as client:
        await client.redemptions.redeem(redeemables=["A"], order=order, confirm=True)
    assert json.loads(wire.requests[0].content)["order"] == order


async def test_codes_are_compared_without_case() -> None:
    """Voucherify answers with a code as it is stored."""
    answer = {**REDEEMED, "redemptions": [{**REDEMPTION, "voucher": {"code": "SUMMER"}}]}
    async with Wire(answer).client() as client:
        assert (await client.redemptions.redeem(redeemables=["summer"])).is_complete


REPEATED = {
    "validate": (lambda c: c.validations.validate(redeemables=["A"]), VALID, True),
    "lock": (
        lambda c: c.validations.validate(redeemables=["A"], session={"type": "LOCK"}),
        VALID,
        True,
    ),
    "qualify": (lambda c: c.qualifications.check(), {"redeemables": {"data": []}}, True),
    "upsert": (lambda c: c.orders.create({"source_id": "o-1"}), ORDER, True),
    "change": (lambda c: c.orders.update("o-1", {"amount": 5}), ORDER, True),
    "order": (lambda c: c.orders.create({"amount": 5}), ORDER, False),
    "paid": (lambda c: c.orders.create({"source_id": "o-1", "status": "PAID"}), ORDER, False),
    "fulfilled": (
        lambda c: c.orders.create({"source_id": "o-1", "status": "FULFILLED"}),
        ORDER,
        False,
    ),
    "pay": (lambda c: c.orders.update("o-1", {"status": "PAID"}), ORDER, False),
    "redeem": (lambda c: c.redemptions.redeem(redeemables=["A"]), REDEEMED, False),
    "rollback": (lambda c: c.redemptions.rollback("r_1"), ROLLBACK, False),
    "stack": (
        lambda c: c.redemptions.rollback_stack("r_1"),
        {"rollbacks": [ROLLBACK]},
        False,
    ),
}


@pytest.mark.parametrize(("call", "answer", "repeated"), REPEATED.values(), ids=REPEATED)
async def test_only_what_does_no_harm_is_repeated(call: Call, answer: Any, repeated: bool) -> None:
    """Redemptions, rollbacks and payments are sent once; a lock is repeated with the same key."""
    wire = Wire(httpx.Response(502), answer)
    policy = RetryPolicy(backoff=0)
    async with wire.client(retry=policy, clock=MovedClock()) as client:
        if repeated:
            await call(client)
        else:
            with pytest.raises(AmbiguousOutcomeError):
                await call(client)
    assert len(wire.requests) == (2 if repeated else 1)
    assert len({request.content for request in wire.requests}) == 1
    if b"LOCK" in wire.requests[0].content:
        assert json.loads(wire.requests[0].content)["session"]["key"].startswith("ssn_")
