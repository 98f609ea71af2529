"""The example of a checkout, over sockets: whatever is lost on the way, it charges once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient

from examples.checkout import create_app
from voucherify_async.testing import FakeVoucherify

from ..resources.support import MovedClock

CART = {"order_id": "o-1", "amount": 500, "codes": ["GIFT", "SUMMER"]}


@pytest.fixture
def clock() -> MovedClock:
    """A clock that moves when somebody sleeps."""
    return MovedClock()


@pytest.fixture
def fake(clock: MovedClock) -> FakeVoucherify:
    """A server with a gift card and a coupon."""
    fake = FakeVoucherify(now=lambda: datetime.fromtimestamp(clock.time(), UTC))
    fake.add_voucher(code="GIFT", gift={"amount": 300})
    fake.add_voucher(code="SUMMER", discount={"type": "AMOUNT", "amount_off": 50})
    return fake


@pytest.fixture
def shop(fake: FakeVoucherify, clock: MovedClock) -> Iterator[TestClient]:
    """The shop, whose client has a server of its own behind a port."""
    with fake.serve() as url:
        app = create_app(app_id=fake.app_id, app_token=fake.app_token, base_url=url, clock=clock)
        with TestClient(app) as shop:
            yield shop


def balance(fake: FakeVoucherify) -> int:
    """What is left on the card."""
    return int(fake.vouchers["GIFT"]["gift"]["balance"])


def test_a_quote_a_payment_and_a_refund(shop: TestClient, fake: FakeVoucherify) -> None:
    """A quote takes nothing, two clicks pay once, and two refunds give back once."""
    assert shop.post("/quote", json=CART).json() == {"left_to_pay": 150}
    assert balance(fake) == 300
    paid = [shop.post("/pay", json=CART).json() for _ in range(2)]
    assert paid[0] == paid[1]
    assert (paid[0]["status"], paid[0]["left_to_pay"], balance(fake)) == ("paid", 150, 0)
    for _ in range(2):
        assert shop.post("/payments/o-1/refund").json()["status"] == "refunded"
    assert balance(fake) == 300


@pytest.mark.parametrize("fault", ["lose_answer", "cut_body", "garbage"])
def test_a_lost_answer_charges_once(shop: TestClient, fake: FakeVoucherify, fault: str) -> None:
    """The answer to the payment, then that to the refund, is lost: each is found, and done once."""
    getattr(fake.faults, fault)(path="redemptions", method="POST")
    assert shop.post("/pay", json=CART).json()["status"] == "paid"
    assert balance(fake) == 0
    getattr(fake.faults, fault)(path="rollbacks", method="POST")
    assert shop.post("/payments/o-1/refund").json()["status"] == "refunded"
    assert balance(fake) == 300
    posts = [request.path for request in fake.requests if request.method == "POST"]
    assert len(posts) == 2


def test_a_payment_that_lands_late(shop: TestClient, fake: FakeVoucherify) -> None:
    """It stays open, pays nothing more meanwhile, and is known once it has landed."""
    fake.faults.land_late(seconds=100, path="redemptions", method="POST")
    for _ in range(2):
        assert shop.post("/pay", json=CART).json()["status"] == "open"
    assert shop.post("/payments/o-1/refund").status_code == 409
    assert fake.faults.land() == 1
    assert shop.get("/payments/o-1").json()["status"] == "paid"
    assert balance(fake) == 0


def test_what_does_not_apply(shop: TestClient, fake: FakeVoucherify) -> None:
    """The reasons are told, and another code may be tried for the same order."""
    wrong: dict[str, Any] = {**CART, "codes": ["WINTER"]}
    fake.add_voucher(code="WINTER", active=False)
    for path in ("/quote", "/pay"):
        answer = shop.post(path, json=wrong)
        assert (answer.status_code, answer.json()) == (409, {"refused": ["voucher_disabled"]})
    assert shop.get("/payments/o-1").status_code == 404
    assert shop.post("/pay", json=CART).json()["status"] == "paid"


def test_a_refund_that_lands_late(shop: TestClient, fake: FakeVoucherify) -> None:
    """Asked for again it gives nothing back twice, and is known to be done."""
    shop.post("/pay", json=CART)
    fake.faults.land_late(seconds=100, path="rollbacks", method="POST")
    assert shop.post("/payments/o-1/refund").status_code == 503
    assert shop.get("/payments/o-1").json()["status"] == "paid"
    assert fake.faults.land() == 1
    assert shop.post("/payments/o-1/refund").json()["status"] == "refunded"
    assert balance(fake) == 300


@pytest.mark.parametrize("status", [200, 400])
def test_where_a_part_applies(shop: TestClient, fake: FakeVoucherify, status: int) -> None:
    """What applied is paid and can be refunded; where nothing did, another code may be tried."""
    fake.failed_redemption_status = status
    fake.stacking_rules["redeemables_application_mode"] = "PARTIAL"
    fake.add_voucher(code="WINTER", active=False)
    assert shop.post("/pay", json={**CART, "codes": ["WINTER"]}).status_code == 409
    paid = shop.post("/pay", json={**CART, "codes": ["GIFT", "WINTER"]}).json()
    assert (paid["status"], paid["left_to_pay"], balance(fake)) == ("paid", 200, 0)
    assert shop.post("/payments/o-1/refund").json()["status"] == "refunded"
    assert balance(fake) == 300


def test_what_was_not_sent_may_be_tried_again(
    shop: TestClient, fake: FakeVoucherify, clock: MovedClock
) -> None:
    """After three minutes it is known that a payment which never arrived will not be made."""
    fake.faults.reset(path="redemptions", method="POST")
    assert shop.post("/pay", json=CART).json()["status"] == "open"
    clock.now += 186
    assert shop.get("/payments/o-1").status_code == 404
    assert shop.post("/pay", json=CART).json()["status"] == "paid"
