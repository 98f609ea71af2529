"""The aiohttp service over sockets, on aiohttp both as server and as client."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from examples import aiohttp_service
from voucherify_async import AsyncVoucherify, RetryPolicy
from voucherify_async.testing import FakeVoucherify
from voucherify_async.webhooks import SIGNATURE_HEADER, WebhookEvent, sign

from ..resources.support import MovedClock

CREDIT = {"id": "refund-1", "amount": 500}
Shop = Callable[[], TestClient[Any, Any]]


@pytest.fixture(params=["asyncio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Aiohttp runs on asyncio only."""
    return str(request.param)


pytestmark = pytest.mark.anyio


@pytest.fixture
def shop(
    fake: FakeVoucherify, served: str, clock: MovedClock, monkeypatch: pytest.MonkeyPatch
) -> Shop:
    """Makes the service behind a port, in front of a gift card."""
    fake.add_voucher(code="CARD", gift={"amount": 300})
    monkeypatch.setenv("VOUCHERIFY_WEBHOOK_SECRETS", "new,old")
    made = partial(AsyncVoucherify, clock=clock, retry=RetryPolicy(max_attempts=2, max_wait=10))
    monkeypatch.setattr(aiohttp_service, "AsyncVoucherify", made)
    return lambda: TestClient(TestServer(aiohttp_service.create_app()))


async def credited(client: TestClient[Any, Any], body: Any = CREDIT) -> tuple[int, str]:
    """Ask for a credit: its status of HTTP, and its own."""
    async with client.post("/cards/CARD/credits", json=body) as answer:
        return answer.status, (await answer.json())["status"]


async def became(client: TestClient[Any, Any]) -> tuple[int, str]:
    """What became of it."""
    async with client.get("/credits/refund-1") as answer:
        return answer.status, (await answer.json())["status"]


def balance(fake: FakeVoucherify) -> int:
    """What is on the card."""
    return int(fake.vouchers["CARD"]["gift"]["balance"])


async def test_a_credit_is_made_once(shop: Shop, fake: FakeVoucherify) -> None:
    """However often it is asked for, and where its answer is lost."""
    fake.faults.lose_answer(path="balance", method="POST")
    async with shop() as client:
        assert [await credited(client) for _ in range(2)] == [(200, "done")] * 2
        assert await became(client) == (200, "done")
        assert (await client.get("/credits/other")).status == 404
    assert balance(fake) == 800


async def test_a_credit_that_lands_late_is_made_once(shop: Shop, fake: FakeVoucherify) -> None:
    """It is open meanwhile, is not sent again, and is done once it has landed."""
    fake.faults.land_late(seconds=100, path="balance", method="POST")
    async with shop() as client:
        assert [await credited(client) for _ in range(2)] == [(202, "open")] * 2
        assert await became(client) == (202, "open")
        assert fake.faults.land() == 1
        assert await became(client) == (200, "done")
    assert balance(fake) == 800


async def test_a_credit_that_never_arrived_is_made_later(
    shop: Shop, fake: FakeVoucherify, clock: MovedClock
) -> None:
    """Once it is known that it will not be made, it may be asked for again."""
    fake.faults.reset(path="balance", method="POST")
    async with shop() as client:
        assert await credited(client) == (202, "open")
        clock.now += 186
        assert await became(client) == (200, "not_done")
        assert await credited(client) == (200, "done")
    assert balance(fake) == 800


@pytest.mark.parametrize("body", [[], {}, {"id": "x"}])
async def test_a_credit_that_makes_no_sense_is_refused(shop: Shop, body: Any) -> None:
    """Before it is written down or sent."""
    async with shop() as client:
        assert (await client.post("/cards/CARD/credits", json=body)).status == 422


FAULTS: dict[str, tuple[Callable[[FakeVoucherify], Any], str, int]] = {
    "found": (lambda _: None, "/vouchers/CARD", 200),
    "not found": (lambda _: None, "/vouchers/NONE", 404),
    "no code": (lambda _: None, "/vouchers/%20", 422),
    "refused": (lambda f: f.faults.status(400), "/vouchers/CARD", 422),
    "quota": (lambda f: f.faults.rate_limited(77), "/vouchers/CARD", 429),
    "keys": (lambda f: f.faults.status(401), "/vouchers/CARD", 502),
    "a listing": (lambda f: f.faults.status(401), "/vouchers", 502),
    "no connection": (lambda f: f.faults.refuse(times=None), "/vouchers/CARD", 502),
}


@pytest.mark.parametrize(("fault", "path", "status"), FAULTS.values(), ids=list(FAULTS))
async def test_an_error_is_told_as_what_it_is(
    shop: Shop,
    fake: FakeVoucherify,
    fault: Callable[[FakeVoucherify], Any],
    path: str,
    status: int,
) -> None:
    """Each has its status, a wait its seconds."""
    fault(fake)
    async with shop() as client, client.get(path) as answer:
        assert answer.status == status
        assert ("Retry-After" in answer.headers) == (status == 429)


async def test_a_listing_is_streamed(shop: Shop, fake: FakeVoucherify) -> None:
    """A line a voucher; where the caller leaves, no further page is read."""
    filler = {"text": "x" * 20_000}
    fake.add_vouchers({"code": f"C-{n}", "category": "x", "metadata": filler} for n in range(1000))
    async with shop() as client:
        async with client.get("/vouchers?category=x") as answer:
            lines = (await answer.text()).splitlines()
        assert len({json.loads(line)["code"] for line in lines}) == 1000
        async with client.get("/vouchers?category=none") as answer:
            assert await answer.text() == ""
        fake.clear_requests()
        async with client.get("/vouchers?category=x") as answer:
            await answer.content.readany()
            answer.close()
        for _ in range(3):  # the service has had its turns since
            assert (await client.get("/vouchers/CARD")).status == 200
    pages = [request for request in fake.requests if request.path == "/v1/vouchers"]
    assert len(pages) < 6


async def test_a_webhook_is_handled_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often it is delivered, signed by the new secret or the old; forged ones are not."""
    handled: list[WebhookEvent] = []
    monkeypatch.setattr(aiohttp_service, "handle", handled.append)
    body = json.dumps({"id": "whs_1", "event": {"id": "ev_1"}, "data": {}}).encode()
    async with shop() as client:

        async def deliver(body: bytes, signature: str = "") -> int:
            headers = {SIGNATURE_HEADER: signature}
            answer = await client.post("/webhooks/voucherify", data=body, headers=headers)
            return answer.status

        assert [await deliver(body, sign(body, secret)) for secret in ("old", "new")] == [204, 204]
        forged = [await deliver(body), await deliver(body, sign(body, "other"))]
        assert [*forged, await deliver(b"{}", sign(body, "new"))] == [401, 401, 401]
        assert await deliver(b"[]", sign(b"[]", "new")) == 400
    assert [event.id for event in handled] == ["whs_1"]
