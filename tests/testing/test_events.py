"""What the embedded server does is told as Voucherify's webhooks would tell it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import anyio.abc
import httpx
import pytest

from voucherify_async import WebhookSignatureError
from voucherify_async.testing import FakeVoucherify
from voucherify_async.webhooks import SIGNATURE_HEADER, WebhookEvent, unwrap

from .conftest import KEYS

pytestmark = pytest.mark.anyio

SECRET = "whsec"
PAID = {"redeemables": [{"object": "voucher", "id": "CARD"}], "order": {"amount": 60}}
PAID_BY_ANN = {**PAID, "customer": {"source_id": "ann"}}
BOTH = {**PAID, "redeemables": [*PAID["redeemables"], {"object": "voucher", "id": "SALE"}]}
NEW = {"type": "GIFT_VOUCHER", "gift": {"amount": 5}}
GIFT = "voucher.gift.transaction.created"
POINTS = "voucher.loyalty_card.transaction.created"
ADDED = "voucher.loyalty_card.points_added"
BY_ANN = (
    f"customer.created {GIFT} customer.order.created customer.order.paid "
    "redemption.succeeded customer.redemption.succeeded"
)


@pytest.fixture
async def shop(fake: FakeVoucherify, api: httpx.AsyncClient) -> httpx.AsyncClient:
    """A client of the server with a gift card, a loyalty card of Bob's and a discount."""
    fake.add_customer(source_id="bob", id="cust_bob")
    fake.add_voucher(code="CARD", id="v_card", gift={"amount": 100}, campaign="Gifts")
    fake.add_voucher(code="LOYAL", loyalty_card={"points": 50}, holder_id="cust_bob")
    fake.add_voucher(code="SALE", discount={"type": "AMOUNT", "amount_off": 10})
    fake.add_voucher(code="OFF", active=False, redemption={"quantity": 0})
    return api


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("POST", "vouchers/NEW", NEW, "voucher.created"),
        ("POST", "vouchers", NEW, "voucher.created"),
        ("PUT", "vouchers/CARD", {"metadata": {"a": 1}}, "voucher.updated"),
        ("POST", "vouchers/CARD/disable", None, "voucher.disabled"),
        ("POST", "vouchers/CARD/enable", None, ""),
        ("POST", "vouchers/OFF/enable", None, "voucher.enabled"),
        ("DELETE", "vouchers/CARD", None, "voucher.deleted"),
        ("DELETE", "vouchers/CARD?force=true", None, "voucher.deleted"),
        ("POST", "vouchers/CARD/balance", {"amount": -7}, GIFT),
        ("POST", "vouchers/CARD/balance", {"amount": 7}, f"{GIFT} voucher.gift.balance_added"),
        ("POST", "vouchers/LOYAL/balance", {"amount": 7}, f"{POINTS} {ADDED} customer.{ADDED}"),
        ("POST", "vouchers/CARD/balance", {"amount": -700}, ""),
        ("GET", "vouchers/CARD", None, ""),
        ("POST", "vouchers/import", [{"code": "A"}], ""),
        ("POST", "redemptions", PAID, f"{GIFT} redemption.succeeded"),
        ("POST", "redemptions", BOTH, f"{GIFT} {' '.join(['redemption.succeeded'] * 3)}"),
        ("POST", "redemptions", PAID_BY_ANN, BY_ANN),
        (
            "POST",
            "redemptions",
            {"redeemables": [{"object": "voucher", "id": "OFF"}]},
            "redemption.failed",
        ),
        ("POST", "orders", {"amount": 5}, ""),
        ("POST", "orders", {"amount": 5, "customer": {"id": "cust_bob"}}, "customer.order.created"),
        (
            "POST",
            "orders",
            {"status": "PAID", "customer": {"source_id": "bob", "name": "Bob"}},
            "customer.updated customer.order.created customer.order.paid",
        ),
    ],
)
async def test_a_change_is_told(
    shop: httpx.AsyncClient,
    fake: FakeVoucherify,
    method: str,
    path: str,
    body: Any,
    expected: str,
) -> None:
    """Each request leaves the documented events, and one that changes nothing leaves none."""
    response = await shop.request(method, f"/v1/{path}", json=body)
    assert [event["type"] for event in fake.events] == expected.split()
    requests = {event["event"]["group_id"] for event in fake.events}
    assert requests <= {response.headers["x-request-id"]}


async def test_an_order_and_its_end_are_told(shop: httpx.AsyncClient, fake: FakeVoucherify) -> None:
    """A paid order is told once as paid, a rollback as its cancellation; a second one fails."""
    order = {"source_id": "o-1", "amount": 60, "customer": {"id": "cust_bob"}}
    await shop.post("/v1/orders", json=order)
    await shop.put("/v1/orders/o-1", json={"amount": 70})
    await shop.put("/v1/orders/o-1", json={"status": "PAID"})
    paid = {**PAID, "order": {"source_id": "o-1"}, "customer": {"id": "cust_bob"}}
    redeemed = (await shop.post("/v1/redemptions", json=paid)).json()["redemptions"][0]
    for _ in range(2):
        await shop.post(f"/v1/redemptions/{redeemed['id']}/rollback", json={})
    assert [event["type"].removeprefix("customer.") for event in fake.events] == [
        *("order.created", "order.updated", "order.updated", "order.paid"),
        *(GIFT, "order.updated", "redemption.succeeded", "redemption.succeeded"),
        *(GIFT, "order.updated", "order.canceled"),
        *("redemption.rollback.succeeded", "redemption.rollback.succeeded"),
        "redemption.rollback.failed",
    ]


async def test_an_event_stays_as_it_was(shop: httpx.AsyncClient, fake: FakeVoucherify) -> None:
    """What an event tells is of its moment, however the state goes on."""
    await shop.post("/v1/vouchers/CARD/balance", json={"amount": 1})
    redeemed = (await shop.post("/v1/redemptions", json=PAID)).json()["redemptions"][0]
    await shop.post(f"/v1/redemptions/{redeemed['id']}/rollback", json={})
    added, paid = (
        next(event["data"] for event in fake.events if event["type"] == name)
        for name in ("voucher.gift.balance_added", "redemption.succeeded")
    )
    assert added["voucher"]["gift"]["balance"] == added["balance"]["balance"] == 101
    assert added["campaign"]["name"] == "Gifts"
    assert added["transaction"] == fake.transactions("CARD")[0]
    assert paid["redemption"]["status"] == "SUCCEEDED"
    assert paid["voucher"]["gift"]["balance"] == 41
    fake.events.clear()
    assert len(fake.events) == 6
    fake.clear_events()
    assert fake.events == []


async def test_a_server_that_records_nothing_keeps_no_event() -> None:
    """Load tests that switch the record off pay for no event."""
    async with FakeVoucherify(record=False) as fake:
        made = await fake.http_client(headers=KEYS).post("/v1/vouchers/A", json=NEW)
        assert (made.status_code, fake.events) == (200, [])


@asynccontextmanager
async def endpoint(status: int) -> AsyncIterator[tuple[str, list[bytes]]]:
    """An endpoint on a socket that answers so and keeps what it was sent."""
    received: list[bytes] = []

    async def answer(stream: anyio.abc.ByteStream) -> None:
        async with stream:
            raw = b""
            while b"\r\n\r\n" not in raw or len(raw) < _length(raw):
                raw += await stream.receive()
            received.append(raw)
            await stream.send(b"HTTP/1.1 %d X\r\ncontent-length: 0\r\n\r\n" % status)

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra(anyio.abc.SocketAttribute.local_port)
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, answer)
        yield f"http://127.0.0.1:{port}/hook", received
        tasks.cancel_scope.cancel()


def _length(raw: bytes) -> int:
    head, _, _ = raw.partition(b"\r\n\r\n")
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    return len(head) + 4 + int(fields[b"content-length"])


def read(raw: bytes, secret: str = SECRET) -> WebhookEvent:
    """The event of a delivery as it came over the wire."""
    head, _, body = raw.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    return unwrap(body, headers[SIGNATURE_HEADER], secret)


def newest(fake: FakeVoucherify) -> Any:
    """The newest event."""
    return fake.events[-1]


def by_type(_: FakeVoucherify) -> str:
    """An event that happened, by its type."""
    return "voucher.updated"


@pytest.mark.parametrize("event", [newest, by_type])
@pytest.mark.parametrize("status", [204, 500])
async def test_an_event_is_delivered(
    shop: httpx.AsyncClient,
    fake: FakeVoucherify,
    event: Callable[[FakeVoucherify], Any],
    status: int,
) -> None:
    """An endpoint on a socket gets an event that its secret opens, and no other."""
    for name in ("winter", "sümmer"):
        await shop.put("/v1/vouchers/CARD", json={"metadata": {"season": name}})
    async with endpoint(status) as (url, received):
        assert await fake.deliver(event(fake), url, SECRET) == status
        assert await fake.deliver(event(fake), url, SECRET) == status
    first, second = map(read, received)
    assert first.data.voucher is not None
    assert first.data.voucher.metadata == {"season": "sümmer"}
    assert (first.event_type, first.type) == ("voucher.updated", "voucher.updated")
    assert first.source is not None
    assert first.source.target_url == url
    assert first.event is not None
    assert first.event.entity_id == "v_card"
    # Delivered again it is the same event, by another delivery.
    assert first.dedupe_key == second.dedupe_key
    assert first.id != second.id
    with pytest.raises(WebhookSignatureError):
        read(received[0], "another")


async def test_any_event_can_be_delivered(fake: FakeVoucherify) -> None:
    """A type that the server cannot bring about is made by the test, of a distribution too."""
    made = {
        "type": "My mailing",
        "data": {"campaign": {"name": "Spring"}},
        "source": {"object": "distribution"},
        "event": {"id": "ev_1", "type": "campaign.created"},
    }
    async with endpoint(200) as (url, received):
        assert await fake.deliver(made, url, SECRET) == 200
        assert await fake.deliver({"type": "campaign.created"}, url, SECRET) == 200
    event, bare = map(read, received)
    assert (event.type, event.event_type, event.dedupe_key) == (
        "My mailing",
        "campaign.created",
        "ev_1",
    )
    assert event.data["campaign"] == {"name": "Spring"}
    assert event.source is not None
    assert event.source.object == "distribution"
    assert bare.event_type == "campaign.created"
    assert bare.dedupe_key


async def test_an_endpoint_in_process_is_reached(
    shop: httpx.AsyncClient, fake: FakeVoucherify
) -> None:
    """A client given reaches an application that listens nowhere."""
    got: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        got.append(request)
        return httpx.Response(202)

    await shop.post("/v1/vouchers/CARD/disable")
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        url = "https://shop.test/hook"
        status = await fake.deliver("voucher.disabled", url, SECRET, http_client=client)
    assert status == 202
    assert got[0].headers["content-type"] == "application/json"
    assert unwrap(got[0].content, got[0].headers[SIGNATURE_HEADER], SECRET).id
    assert json.loads(got[0].content)["data"]["voucher"]["active"] is False


async def test_what_has_not_happened_is_not_delivered(
    shop: httpx.AsyncClient, fake: FakeVoucherify
) -> None:
    """The error names what has happened; an event without a type is refused."""
    url = "http://127.0.0.1:9/hook"
    with pytest.raises(LookupError, match="only: nothing"):
        await fake.deliver("voucher.deleted", url, SECRET)
    await shop.put("/v1/vouchers/CARD", json={})
    with pytest.raises(LookupError, match=r"'voucher\.deleted' .* only: voucher\.updated"):
        await fake.deliver("voucher.deleted", url, SECRET)
    with pytest.raises(ValueError, match="'type'"):
        await fake.deliver({"data": {}}, url, SECRET)
