"""Models are pydantic fields, FastAPI bodies and responses as they are."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from fastapi import Body, FastAPI
from fastapi.testclient import TestClient
from pydantic import BaseModel, TypeAdapter, ValidationError

import voucherify_async as v
from voucherify_async._conversion.converter import to_dict
from voucherify_async.webhooks import WebhookEvent

from .mutations import examples, lost

VOUCHER = {
    "code": "A",
    "active": None,
    "created_at": "2026-03-04T05:06:07.890Z",
    "discount": {"type": "LOTTERY", "odds": 0.5},
    "type": "TICKET",
    "unknown": [1, None],
}


class Basket(BaseModel):
    """A model of a user's own."""

    voucher: v.Voucher
    discount: v.Discount | None = None
    redeemed: list[v.RedemptionEntry] = []
    qualification: v.Qualification | None = None


app = FastAPI()


@app.get("/voucher")
async def voucher() -> v.Voucher:
    """One model."""
    return v.from_dict(v.Voucher, VOUCHER)


@app.get("/vouchers")
async def vouchers() -> list[v.Voucher]:
    """Many of them."""
    return [v.from_dict(v.Voucher, VOUCHER), v.Voucher(code="B")]


@app.put("/voucher")
async def update(body: Annotated[v.VoucherUpdate, Body()]) -> dict[str, Any]:
    """A request model as a body."""
    return {"active": repr(body.active), "sent": to_dict(body)}


@app.post("/basket")
async def basket(body: Basket) -> Basket:
    """Models inside a user's own."""
    return body


client = TestClient(app)
KEPT = {key: value for key, value in VOUCHER.items() if value is not None}


def test_a_model_is_a_response() -> None:
    """A model goes out as `to_dict` writes it, unknown keys and kinds included."""
    assert client.get("/voucher").json() == KEPT
    assert client.get("/vouchers").json() == [KEPT, {"code": "B"}]


@pytest.mark.parametrize(
    ("body", "active"), [({}, "UNSET"), ({"active": None}, "None"), ({"active": False}, "False")]
)
def test_a_request_model_is_a_body(body: dict[str, Any], active: str) -> None:
    """Unset, null and a value stay three things, and unknown keys are kept."""
    body = {**body, "colour": "red"}
    assert client.put("/voucher", json=body).json() == {"active": active, "sent": body}


@pytest.mark.parametrize(
    ("body", "where", "expected"),
    [
        ({"active": "no"}, ["active"], "true or false"),
        ({"discount": {"type": "UNIT", "unit_off": "5"}}, ["discount", "unit_off"], "a number"),
        ({"validity_day_of_week": [1, "2"]}, ["validity_day_of_week", 1], "an integer"),
        ({"gift": {"balance": 5}}, [], "gift: Gift needs amount, got None"),
        ([], [], "an object"),
    ],
)  # fmt: skip
def test_a_body_that_does_not_fit(body: Any, where: list[Any], expected: str) -> None:
    """FastAPI answers 422 with the place of the value, as for a model of pydantic's own."""
    answer = client.put("/voucher", json=body)
    assert answer.status_code == 422
    (problem,) = answer.json()["detail"]
    assert problem["loc"] == ["body", *where]
    assert problem["msg"] == f"Expected {expected}"


def test_models_are_fields() -> None:
    """Models, unions and models that hold themselves are fields, from JSON and to it."""
    sent = {
        "voucher": KEPT,
        "discount": {"type": "PERCENT", "percent_off": 10},
        "redeemed": list(examples("RedemptionEntry").values()),
        "qualification": examples("Qualification")["a stack"],
    }
    answer = client.post("/basket", json=sent)
    assert answer.status_code == 200
    assert lost(sent, answer.json()) == []
    made = Basket.model_validate(sent)
    assert isinstance(made.discount, v.PercentDiscount)
    assert isinstance(made.voucher.discount, v.UnknownDiscount)
    assert Basket.model_validate_json(made.model_dump_json()) == made
    assert Basket(voucher=v.Voucher(code="A")).voucher.code == "A"
    with pytest.raises(ValidationError, match=r"qualification\.order\.amount"):
        Basket.model_validate({**sent, "qualification": {"order": {"amount": "5"}}})


def test_openapi_names_the_models() -> None:
    """Each model is a component of its own name, with its fields and its docstring."""
    schema = client.get("/openapi.json").json()
    components = schema["components"]["schemas"]
    assert {"Voucher", "VoucherUpdate", "PercentDiscount", "Order", "OrderItem"} <= set(components)
    described = components["Voucher"]
    assert described["title"] == "Voucher"
    assert described["description"] == v.Voucher.__doc__
    assert described["additionalProperties"] is True
    properties = described["properties"]
    assert properties["created_at"]["anyOf"][0] == {"type": "string", "format": "date-time"}
    assert properties["gift"]["anyOf"][0] == {"$ref": "#/components/schemas/Gift"}
    answer = schema["paths"]["/voucher"]["get"]["responses"]["200"]["content"]["application/json"]
    assert answer["schema"] == {"$ref": "#/components/schemas/Voucher"}


MADE = FastAPI()
FOUND = v.FoundVoucher("A", v.from_dict(v.Voucher, VOUCHER))
FAILED = v.FailedLookup("B", v.NotFoundError("gone", status_code=404, key="not_found"))
MISSED = {"code": "B", "ok": False, "error": "NotFoundError", "message": "404 (not_found): gone"}


@MADE.get("/page")
async def page() -> v.Page[v.Voucher]:
    """One page of a listing."""
    return v.Page([FOUND.voucher], 7, has_more=True, query={}, next_query=None)


@MADE.get("/lookups")
async def lookups() -> list[v.VoucherLookup]:
    """What became of many codes."""
    return [FOUND, FAILED]


@MADE.get("/missed")
async def missed() -> v.VoucherLookup:
    """What became of one."""
    return FAILED


@MADE.get("/settled")
async def settled() -> v.Settled[v.Voucher]:
    """What became of a write."""
    return v.Settled("done", FOUND.voucher, ("GET /v1/vouchers/{code}",))


@MADE.post("/event")
async def event(body: Annotated[WebhookEvent, Body()]) -> WebhookEvent:
    """A webhook, from a queue for one."""
    assert body.data.voucher is not None
    return body


def test_what_the_client_returns_is_a_response() -> None:
    """Pages, lookups and webhooks are, each as a component of its own name."""
    client = TestClient(MADE)
    assert client.get("/page").json() == {"items": [KEPT], "total": 7, "has_more": True}
    found = {"code": "A", "ok": True, "voucher": KEPT}
    assert client.get("/lookups").json() == [found, MISSED]
    assert client.get("/missed").json() == MISSED
    assert client.get("/settled").json() == {"status": "done", "result": KEPT, "why": ""}
    sent = {"id": "whs_1", "data": {"voucher": KEPT, "new": [1]}, "unknown": None}
    assert client.post("/event", json=sent).json() == sent
    components = client.get("/openapi.json").json()["components"]["schemas"]
    assert {
        "FoundVoucher",
        "FailedLookup",
        "WebhookEvent",
        "Page_Voucher_",
        "Settled_Voucher_",
    } <= set(components)
    assert components["FailedLookup"]["properties"]["ok"]["const"] is False
    items = components["Page_Voucher_"]["properties"]["items"]
    assert items["items"] == {"$ref": "#/components/schemas/Voucher"}


@pytest.mark.parametrize("made", [v.Page[v.Voucher], v.VoucherLookup, v.Page, v.Settled])
def test_what_the_client_returns_is_no_request(made: Any) -> None:
    """Only the client makes pages and lookups: JSON that looks like one is refused."""
    with pytest.raises(ValidationError, match="that the client returned"):
        TypeAdapter(made).validate_python({"items": [], **MISSED})


@pytest.mark.parametrize("model", [v.Voucher, v.Qualification, v.Discount, v.AsyncAction])
def test_every_model_has_one_schema_for_both_directions(model: Any) -> None:
    """What is read and what is written have the same JSON schema."""
    adapter = TypeAdapter(model)
    reading, writing = (adapter.json_schema(mode=mode) for mode in ("validation", "serialization"))
    assert reading == writing
