from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from voucherify_async.testing import FakeVoucherify, Faults

from .conftest import CARD, KEYS, Now, credit, wired

pytestmark = [pytest.mark.anyio, pytest.mark.sampled(ways=1)]


@pytest.fixture
def api(card_api: httpx.AsyncClient) -> httpx.AsyncClient:
    """Every test here runs in process and over a socket."""
    return card_api


@pytest.mark.parametrize(
    ("add", "error", "applied"),
    [
        (Faults.reset, httpx.ReadError, False),
        (Faults.disconnect, httpx.RemoteProtocolError, False),
        (Faults.refuse, (httpx.ConnectError, httpx.ReadError), False),
        (Faults.lose_answer, httpx.ReadError, True),
        (Faults.reset_after_headers, httpx.ReadError, True),
        (Faults.cut_body, httpx.ReadError, True),
    ],
)
async def test_connection_ends(
    api: httpx.AsyncClient,
    fake: FakeVoucherify,
    add: Callable[[Faults], object],
    error: type[httpx.TransportError],
    applied: bool,
) -> None:
    """A fault ends the connection where it says, and the request is applied or not."""
    add(fake.faults)
    with pytest.raises(error):
        await credit(api)
    assert len(fake.transactions("CARD")) == int(applied)
    assert (await credit(api)).status_code == 200
    assert len(fake.requests) == 2


async def test_cut_body_arrives_in_part(api: httpx.AsyncClient, fake: FakeVoucherify) -> None:
    """A cut answer delivers its head and the part that is kept."""
    whole = (await api.get(CARD)).content
    fake.faults.cut_body(keep=0.25)
    received = bytearray()

    async def read(response: httpx.Response) -> None:
        async for chunk in response.aiter_raw():
            received.extend(chunk)

    async with api.stream("GET", CARD) as response:
        assert response.status_code == 200
        assert response.headers["content-length"] == str(len(whole))
        with pytest.raises(httpx.ReadError):
            await read(response)
    assert received == whole[: len(whole) // 4]


async def test_script_is_played_in_order(api: httpx.AsyncClient, fake: FakeVoucherify) -> None:
    """Entries hit in the order in which they were added, as often as they say."""
    fake.faults.status(503, times=2)
    fake.faults.ok()
    fake.faults.status(500)
    statuses = [(await api.get(CARD)).status_code for _ in range(5)]
    assert statuses == [503, 503, 200, 500, 200]
    assert fake.faults.fired == ["status", "status", "ok", "status"]
    assert fake.faults.pending == []


async def test_entries_choose_their_requests(api: httpx.AsyncClient, fake: FakeVoucherify) -> None:
    """An entry hits its method and path alone, after letting as many pass as it says."""
    fault = fake.faults.status(503, method="post", path=r"/balance$", times=None, after=1)
    assert (await api.get(f"{CARD}/transactions")).status_code == 200
    assert (await api.post(f"{CARD}/enable")).status_code == 200
    statuses = [(await credit(api)).status_code for _ in range(4)]
    assert statuses == [200, 503, 503, 503]
    assert (fault.fired, fault.times) == (3, None)
    assert fake.faults.pending == [fault]
    fault.release()
    fake.faults.clear()
    assert (await credit(api)).status_code == 200
    with pytest.raises(ValueError, match="times"):
        fake.faults.reset(times=0)


async def test_status_with_its_own_headers_and_body(
    api: httpx.AsyncClient, fake: FakeVoucherify
) -> None:
    """A status has the headers and body that are given, else an error body and no quota."""
    fake.faults.status(503, headers={"Retry-After": "7"})
    fake.faults.status(418, body={"a": 1})
    fake.faults.status(599, body="text")
    fake.faults.status(500, body=b"", applied=True)
    first = await credit(api)
    assert first.headers["retry-after"] == "7"
    assert "x-rate-limit-limit" not in first.headers
    assert first.json()["key"] == "service_unavailable"
    assert (await credit(api)).json() == {"a": 1}
    third = await credit(api)
    assert (third.status_code, third.text) == (599, "text")
    assert fake.transactions("CARD") == []
    assert (await credit(api)).content == b""
    assert len(fake.transactions("CARD")) == 1


async def test_rate_limit_in_every_form(
    api: httpx.AsyncClient, fake: FakeVoucherify, now: Now
) -> None:
    """A 429 tells the wait in seconds, as a date, as an instant, or not at all."""
    fake.clock_skew = 10.0
    for form in ("seconds", "date", "reset", "none"):
        fake.faults.rate_limited(2.5, form=form)
    seconds, date, reset, none = [await api.get(CARD) for _ in range(4)]
    assert {seconds.status_code, date.status_code, reset.status_code, none.status_code} == {429}
    assert seconds.headers["retry-after"] == "3"
    assert date.headers["retry-after"] == "Tue, 17 Mar 2026 15:50:13 GMT"
    assert date.headers["date"] == "Tue, 17 Mar 2026 15:50:10 GMT"
    assert reset.headers["x-rate-limit-retry"] == str(int(now().timestamp()) + 14)
    assert "retry-after" not in reset.headers
    assert not {"retry-after", "x-rate-limit-retry"} & set(none.headers)


async def test_garbled_answers(api: httpx.AsyncClient, fake: FakeVoucherify) -> None:
    """Garbage, HTML and nothing at all come instead of the answer."""
    fake.faults.garbage()
    fake.faults.html()
    fake.faults.empty()
    fake.faults.empty(502, applied=False)
    fake.faults.garbage(b"[", applied=False)
    garbage = await credit(api)
    assert garbage.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        garbage.json()
    html = await credit(api)
    assert (html.status_code, html.headers["content-type"]) == (502, "text/html")
    empty = await credit(api)
    assert (empty.status_code, empty.content) == (200, b"")
    assert (await credit(api)).status_code == 502
    assert (await credit(api)).content == b"["
    assert len(fake.transactions("CARD")) == 2


async def test_truncated_gzip_is_no_json(api: httpx.AsyncClient, fake: FakeVoucherify) -> None:
    """A gzip answer that ends too early never gives the whole body."""
    fake.faults.truncated_gzip()
    response = await api.get(CARD)
    assert response.headers["content-encoding"] == "gzip"
    with pytest.raises((json.JSONDecodeError, UnicodeDecodeError)):
        response.json()


async def test_drip_arrives_whole(api: httpx.AsyncClient, fake: FakeVoucherify) -> None:
    """A dripping answer is complete, in however many pieces the network hands it over."""
    whole = (await api.get(CARD)).content
    fake.faults.drip(chunk=16)
    async with api.stream("GET", CARD) as response:
        pieces = [chunk async for chunk in response.aiter_raw()]
    assert b"".join(pieces) == whole
    assert fake.faults.fired == ["drip"]


async def test_token_ends_early(fake: FakeVoucherify, api: httpx.AsyncClient) -> None:
    """A token that ends early answers 401, and opens nothing from then on."""
    fake.add_token("mine")
    fake.faults.end_token(after=1)
    api.headers = httpx.Headers({"authorization": "Bearer mine"})
    statuses = [(await api.get(CARD)).status_code for _ in range(3)]
    assert statuses == [200, 401, 401]


async def test_server_without_httptools(
    fake: FakeVoucherify, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server resets connections on h11, too, where httptools is not installed."""
    monkeypatch.setitem(sys.modules, "uvicorn.protocols.http.httptools_impl", None)
    fake.add_voucher(code="CARD")
    fake.faults.reset()
    async with wired(fake, "loopback") as api:
        with pytest.raises(httpx.ReadError):
            await api.get(CARD)
        assert (await api.get(CARD)).status_code == 200


async def test_other_asgi_servers_see_a_reset(fake: FakeVoucherify) -> None:
    """Under an ASGI server that cannot reset, a lost connection is an error of the application."""
    fake.faults.reset()
    transport = httpx.ASGITransport(fake.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://x", headers=KEYS) as api:
        with pytest.raises(ConnectionResetError):
            await api.get(CARD)
        assert (await api.get("/v1/vouchers")).json()["total"] == 0


async def test_fault_of_ones_own(api: httpx.AsyncClient, fake: FakeVoucherify) -> None:
    """A test can bring a behaviour of its own."""

    async def shout(call: Any, execute: Callable[[], Any]) -> Any:
        reply = execute()
        reply.headers["x-shout"] = call.method
        return reply

    fake.faults.add("shout", shout, path="CARD")
    assert (await api.get(CARD)).headers["x-shout"] == "GET"
