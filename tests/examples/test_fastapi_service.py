"""The FastAPI service over sockets, whatever Voucherify does to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import httpx
import pytest

from examples import fastapi_service
from voucherify_async import AsyncVoucherify, RetryPolicy, to_dict
from voucherify_async.testing import FakeVoucherify
from voucherify_async.testing._server.faults import Where
from voucherify_async.webhooks import SIGNATURE_HEADER, WebhookEvent, sign

from ..resources.support import MovedClock

CART = {"order_id": "o-1", "amount": 500, "codes": ["GIFT", "SUMMER"]}
POST: Where = {"method": "POST", "path": "redemptions"}


@pytest.fixture
def shop(
    fake: FakeVoucherify,
    served: str,
    clock: MovedClock,
    monkeypatch: pytest.MonkeyPatch,
    serve: Callable[[Any], AbstractContextManager[httpx.Client]],
) -> Iterator[httpx.Client]:
    """The service behind a port, in front of a gift card and a coupon."""
    fake.add_voucher(code="GIFT", gift={"amount": 300})
    fake.add_voucher(code="SUMMER", discount={"type": "AMOUNT", "amount_off": 50})
    monkeypatch.setenv("VOUCHERIFY_WEBHOOK_SECRETS", "new,old")
    monkeypatch.setattr(fastapi_service, "SETTLE_EVERY", 0.01)
    made = partial(AsyncVoucherify, clock=clock, retry=RetryPolicy(max_attempts=2, max_wait=10))
    monkeypatch.setattr(fastapi_service, "AsyncVoucherify", made)
    with serve(fastapi_service.app) as shop:
        yield shop


def balance(fake: FakeVoucherify) -> int:
    """What is left on the card."""
    return int(fake.vouchers["GIFT"]["gift"]["balance"])


def posts(fake: FakeVoucherify) -> list[str]:
    """The redemptions that reached the server."""
    return [r.path for r in fake.requests if r.method == "POST" and "redemptions" in r.path]


def closed(shop: httpx.Client) -> dict[str, Any]:
    """The payment, once it is not open any more."""
    while True:
        payment: dict[str, Any] = shop.get("/checkout/o-1").json()
        if payment["status"] != "open":
            return payment


def test_a_voucher_is_a_response(shop: httpx.Client) -> None:
    """It is answered as Voucherify sent it, and described by name in OpenAPI."""
    assert shop.get("/vouchers/GIFT").json()["gift"]["amount"] == 300
    components = shop.get("/openapi.json").json()["components"]["schemas"]
    assert {"Voucher", "Gift", "Payment", "Cart"} <= set(components)


def test_a_checkout_pays_once(shop: httpx.Client, fake: FakeVoucherify) -> None:
    """Two clicks pay once, and say what is left to pay."""
    paid = [shop.post("/checkout", json=CART) for _ in range(2)]
    assert [answer.status_code for answer in paid] == [200, 200]
    assert paid[0].json() == paid[1].json() == shop.get("/checkout/o-1").json()
    assert (paid[0].json()["status"], paid[0].json()["left_to_pay"]) == ("paid", 150)
    assert (balance(fake), len(posts(fake))) == (0, 1)


@pytest.mark.parametrize("fault", ["lose_answer", "cut_body", "garbage"])
def test_a_lost_answer_is_found(shop: httpx.Client, fake: FakeVoucherify, fault: str) -> None:
    """A payment whose answer was lost is found at once, and not sent again."""
    getattr(fake.faults, fault)(**POST)
    assert shop.post("/checkout", json=CART).json()["status"] == "paid"
    assert (balance(fake), len(posts(fake))) == (0, 1)


def test_a_payment_that_lands_late_is_settled(shop: httpx.Client, fake: FakeVoucherify) -> None:
    """It is open meanwhile, is not sent again, and is paid once it has landed."""
    fake.faults.land_late(seconds=100, **POST)
    for _ in range(2):
        answer = shop.post("/checkout", json=CART)
        assert (answer.status_code, answer.json()["status"]) == (202, "open")
        assert shop.get(answer.headers["Location"]).json()["status"] == "open"
    assert fake.faults.land() == 1
    assert closed(shop)["status"] == "paid"
    assert (balance(fake), len(posts(fake))) == (0, 1)


def test_a_payment_that_never_arrived_is_tried_again(
    shop: httpx.Client, fake: FakeVoucherify, clock: MovedClock
) -> None:
    """After three minutes it is known that it will not be made, and the next click pays."""
    fake.faults.reset(**POST)
    assert shop.post("/checkout", json=CART).status_code == 202
    clock.now += 186
    assert closed(shop)["status"] == "not_paid"
    assert shop.post("/checkout", json=CART).json()["status"] == "paid"
    assert balance(fake) == 0


@pytest.mark.parametrize("status", [200, 400])
def test_where_a_part_applies(shop: httpx.Client, fake: FakeVoucherify, status: int) -> None:
    """What is refused by the redemption alone is not taken for paid, and what was paid is."""
    fake.failed_redemption_status = status
    fake.stacking_rules["redeemables_application_mode"] = "PARTIAL"
    fake.add_voucher(code="WINTER", active=False)

    def pay(*codes: str) -> Any:
        was_fine = [{"object": "voucher", "id": code, "status": "APPLICABLE"} for code in codes]
        body = {"valid": True, "redeemables": was_fine}
        fake.faults.status(200, body=body, path="validations")
        return shop.post("/checkout", json={**CART, "codes": codes}).json()

    refused = pay("WINTER")
    assert refused["status"] == "not_paid" if status == 200 else refused["error"] == "refused"
    assert shop.get("/checkout/o-1").json()["status"] == "not_paid"
    paid = pay("GIFT", "WINTER")
    assert (paid["status"], paid["left_to_pay"], balance(fake)) == ("paid", 200, 0)


def test_what_does_not_apply_is_refused(shop: httpx.Client, fake: FakeVoucherify) -> None:
    """Its reasons are told, and other codes may be tried for the same order."""
    fake.add_voucher(code="WINTER", active=False)
    answer = shop.post("/checkout", json={**CART, "codes": ["WINTER"]})
    assert (answer.status_code, answer.json()["reasons"]) == (409, ["voucher_disabled"])
    assert shop.post("/checkout", json=CART).json()["status"] == "paid"


FAULTS: dict[str, tuple[Callable[[FakeVoucherify], Any], int, dict[str, Any]]] = {
    "not found": (lambda _: None, 404, {"error": "not_found"}),
    "quota": (lambda f: f.faults.rate_limited(77), 429, {"error": "too_many_requests"}),
    "refused": (lambda f: f.faults.status(400), 422, {"error": "bad_request"}),
    "keys": (lambda f: f.faults.status(401), 502, {"error": "voucherify"}),
    "no connection": (lambda f: f.faults.refuse(times=None), 502, {"error": "voucherify"}),
}


@pytest.mark.parametrize(("fault", "status", "told"), FAULTS.values(), ids=list(FAULTS))
def test_an_error_is_told_as_what_it_is(
    shop: httpx.Client,
    fake: FakeVoucherify,
    fault: Callable[[FakeVoucherify], Any],
    status: int,
    told: dict[str, Any],
) -> None:
    """Each has its status, and what is the service's own fault is not explained to the caller."""
    fault(fake)
    answer = shop.get("/vouchers/NONE")
    assert answer.status_code == status
    assert told.items() <= answer.json().items()
    assert ("Retry-After" in answer.headers) == (status == 429)


def test_a_listing_is_streamed(shop: httpx.Client, fake: FakeVoucherify) -> None:
    """A line a voucher, none of a listing without any; what fails at first has its status."""
    fake.add_vouchers({"code": f"C-{n}", "category": "many"} for n in range(250))
    answer = shop.get("/vouchers", params={"category": "many"})
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert len({json.loads(line)["code"] for line in answer.iter_lines()}) == 250
    assert shop.get("/vouchers", params={"category": "none"}).text == ""
    fake.faults.status(401)
    assert shop.get("/vouchers").status_code == 502


def test_a_listing_that_nobody_reads_any_more_ends(
    shop: httpx.Client, fake: FakeVoucherify
) -> None:
    """Where the caller has left, no further page is read."""
    filler = {"text": "x" * 20_000}
    fake.add_vouchers({"code": f"C-{n}", "category": "x", "metadata": filler} for n in range(1000))
    with shop.stream("GET", "/vouchers", params={"category": "x"}) as answer:
        next(answer.iter_raw())
    for _ in range(3):  # the service has had its turns since
        assert shop.get("/vouchers/GIFT").is_success
    pages = [request for request in fake.requests if request.path == "/v1/vouchers"]
    assert len(pages) < 6


EVENT = {"id": "whs_1", "event": {"id": "ev_1", "type": "voucher.updated"}, "data": {}}


def test_a_webhook_is_handled_once(shop: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often it is delivered, signed by the new secret or the old; forged ones are not."""
    handled: list[WebhookEvent] = []
    monkeypatch.setattr(fastapi_service, "handle", handled.append)
    body = json.dumps(EVENT).encode()

    def deliver(body: bytes, *signature: str) -> int:
        headers = [(SIGNATURE_HEADER, text) for text in signature]
        return shop.post("/webhooks/voucherify", content=body, headers=headers).status_code

    assert deliver(body, sign(body, "old")) == 204
    assert deliver(body, sign(body, "new")) == 204
    assert [to_dict(event)["id"] for event in handled] == ["whs_1"]
    assert [
        deliver(body),
        deliver(body, sign(body, "other")),
        deliver(b"{}", sign(body, "new")),
    ] == [
        401,
        401,
        401,
    ]
    assert deliver(b"[]", sign(b"[]", "new")) == 400
    assert len(handled) == 1
