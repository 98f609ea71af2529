"""The client: its settings, whose connections it uses, and `request()`."""

from __future__ import annotations

import asyncio
import gc
import json
import math
import os
import pickle
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import anyio.from_thread
import httpx
import pytest

import voucherify_async as v
from voucherify_async import AsyncVoucherify, ConfigurationError, InvalidArgumentError
from voucherify_async._calls.call import check_options
from voucherify_async.testing import FakeVoucherify

from .resources.support import KEYS, MovedClock, Wire, settle, until

pytestmark = pytest.mark.anyio

VOUCHER = {"code": "A"}


@pytest.fixture
def fake() -> FakeVoucherify:
    """A server that has a voucher A and takes one pair of keys."""
    fake = FakeVoucherify(app_id="the-id", app_token="the-token")
    fake.add_voucher(code="A")
    return fake


async def test_credentials_of_the_environment(
    fake: FakeVoucherify, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys and address come from the environment where the call names none."""
    with fake.serve() as url:
        monkeypatch.setenv("VOUCHERIFY_APP_ID", "the-id")
        monkeypatch.setenv("VOUCHERIFY_APP_TOKEN", "the-token")
        monkeypatch.setenv("VOUCHERIFY_BASE_URL", url + "/")
        async with AsyncVoucherify() as client:
            assert (await client.vouchers.get("A")).code == "A"
        async with AsyncVoucherify("another", "pair") as client:
            with pytest.raises(v.AuthenticationError):
                await client.vouchers.get("A")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "app_id: is missing"),
        ({"app_id": "id"}, "VOUCHERIFY_APP_TOKEN"),
        ({"app_token": "t"}, "app_id: is missing"),
        ({"app_id": "", "app_token": "t"}, "app_id: is missing"),
        ({"app_id": " ", "app_token": "t"}, "app_id: is empty"),
        ({"app_id": "id", "app_token": "secret\n"}, "app_token: has characters"),
        ({"app_id": "id", "app_token": "secretü"}, "app_token: has characters"),
        ({**KEYS, "auth": v.BearerAuth("t")}, "one or the other"),
        ({"app_token": "t", "auth": v.BearerAuth("t")}, "one or the other"),
        ({**KEYS, "max_concurrency": 0}, "max_concurrency"),
        ({**KEYS, "max_concurrency": True}, "max_concurrency"),
        ({**KEYS, "max_concurrency": 2.5}, "max_concurrency"),
        ({**KEYS, "timeout": 0}, "timeout"),
        ({**KEYS, "timeout": float("nan")}, "timeout"),
        ({**KEYS, "cluster": ""}, "cluster"),
        ({**KEYS, "cluster": "evil.test/"}, "cluster"),
        ({**KEYS, "cluster": "US1"}, "cluster"),
        ({**KEYS, "cluster": None}, "cluster"),
        ({**KEYS, "cluster": "us1"}, r'cluster="us1\.api"'),
        ({**KEYS, "base_url": "api.voucherify.io"}, "base_url"),
        ({**KEYS, "base_url": "ftp://x.test"}, "base_url"),
        ({**KEYS, "base_url": "https://"}, "base_url"),
        ({**KEYS, "base_url": "https://x.test?a=b"}, "base_url"),
        ({**KEYS, "base_url": "https://x.test#a"}, "base_url"),
        ({**KEYS, "base_url": "https://u:secret@x.test:abc"}, "base_url"),
        ({**KEYS, "base_url": "https://x.test:abc"}, "base_url"),
        ({**KEYS, "base_url": "https://x.test:0"}, "base_url"),
        ({**KEYS, "base_url": "https://x.test:99999"}, "base_url"),
        ({**KEYS, "base_url": "http://[::1"}, "base_url"),
        ({**KEYS, "base_url": " https://x.test"}, "base_url"),
        ({**KEYS, "base_url": "https://x.test\n"}, "base_url"),
        ({**KEYS, "base_url": 5}, "base_url"),
        ({**KEYS, "api_version": "v1\r\nX-Evil: 1"}, "api_version"),
        ({**KEYS, "headers": {"X Y": "5"}}, "headers"),
        ({**KEYS, "headers": {"Content-length": "5"}}, "headers: 'Content-length'"),
        ({**KEYS, "headers": ["X"]}, "headers"),
        ({**KEYS, "headers": {"X": "secretü"}}, "headers: 'X'"),
        ({**KEYS, "headers": {"X": 5}}, "headers: 'X'"),
        ({**KEYS, "http_backend": "curl"}, "http_backend"),
        *(
            ({**KEYS, "http_client": Wire, name: value}, rf"^{name}: cannot be combined")
            for name, value in (
                ("http_backend", "auto"),
                ("proxy", "http://user:secret@proxy.test"),
                ("verify", False),
                ("cert", "secret.pem"),
            )
        ),
        *(
            ({**KEYS, "timeout": timeout}, "timeout")
            for timeout in ("5", {}, {"connect": 5}, True, math.nan, math.inf, 10**400, -1)
        ),
        ({**KEYS, "timeout": httpx.Timeout("5")}, r"timeout\.connect"),  # type: ignore[arg-type]
        ({**KEYS, "retry": 5}, "retry"),
        ({**KEYS, "retry": {"max_attempts": 5}}, "retry"),
        ({**KEYS, "max_concurrency": 1.5}, "max_concurrency"),
        ({**KEYS, "max_concurrency": "5"}, "max_concurrency"),
        ({**KEYS, "clock": 5}, "clock"),
        ({"auth": ("id", "secret")}, "auth"),
    ],
    ids=str,
)
def test_settings_that_make_no_sense(options: dict[str, Any], message: str) -> None:
    """A setting that makes no sense is refused by name, and no secret is quoted."""
    with pytest.raises(ConfigurationError, match=message) as caught:
        AsyncVoucherify(**options)
    assert isinstance(caught.value, ValueError)
    assert "secret" not in str(caught.value)
    if set(options) & {"timeout", "retry"}:
        del options["app_id"], options["app_token"]
        with pytest.raises(ConfigurationError, match=message):
            AsyncVoucherify(**KEYS).with_options(**options)
        with pytest.raises(InvalidArgumentError, match=message):
            check_options(options)  # type: ignore[arg-type]


@pytest.mark.parametrize("options", [{"timeout": "5"}, {"retry": 5}], ids=str)
async def test_options_that_make_no_sense(options: dict[str, Any]) -> None:
    """Options of one call are checked before anything is sent, by plain methods and listings."""
    wire = Wire()
    client = wire.client()
    for make in (
        lambda: client.vouchers.get("A", **options),
        lambda: client.vouchers.update_balance("A", 5, **options),
        lambda: client.request("GET", "/v1/x", **options),
        lambda: client.imports.vouchers([{"code": "A"}], **options),
    ):
        with pytest.raises(InvalidArgumentError, match=next(iter(options))):
            await make()
    with pytest.raises(InvalidArgumentError, match=next(iter(options))):
        client.vouchers.list(**options)
    assert wire.requests == []


@pytest.mark.parametrize(
    ("options", "url"),
    [
        ({}, "https://api.voucherify.io/v1/vouchers/A"),
        ({"cluster": "us1.api"}, "https://us1.api.voucherify.io/v1/vouchers/A"),
        ({"cluster": "acme-1"}, "https://acme-1.voucherify.io/v1/vouchers/A"),
        ({"base_url": "http://127.0.0.1:8000/"}, "http://127.0.0.1:8000/v1/vouchers/A"),
        (
            {"base_url": "https://x.test/proxy/", "cluster": "api"},
            "https://x.test/proxy/v1/vouchers/A",
        ),
        ({"base_url": "http://[::1]:8000"}, "http://[::1]:8000/v1/vouchers/A"),
    ],
)
async def test_addresses(options: dict[str, Any], url: str) -> None:
    """Requests go to the cluster's host, or to the address that was given."""
    wire = Wire(VOUCHER)
    await wire.client(**options).vouchers.get("A")
    assert str(wire.requests[0].url) == url


async def test_no_secret_is_shown() -> None:
    """Neither repr, str nor pickle of a client, its auth or its error has a secret in it."""
    wire = Wire(httpx.Response(401, json={"message": "Unauthorized"}))
    client = wire.client(app_id="the-id", app_token="the-token", headers={"X-Key": "the-token"})
    with pytest.raises(v.AuthenticationError) as caught:
        await client.vouchers.get("A")
    auths = [v.ApiKeyAuth("the-id", "the-token"), v.BearerAuth("the-token")]
    texts = [repr(thing) for thing in (client, client._caller.settings, *auths, caught.value)]
    texts += [str(caught.value), repr(vars(caught.value)), str(pickle.dumps(caught.value))]
    for text in texts:
        assert "the-token" not in text
        assert "the-id" not in text
    for thing in (client, *auths):
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(thing)
    assert repr(client) == "AsyncVoucherify(base_url='https://api.voucherify.io')"


async def test_closing(http_backend: Any, fake: FakeVoucherify) -> None:
    """aclose() may be called again; after it every call says that the client is closed."""
    with fake.serve() as url:
        client = AsyncVoucherify("the-id", "the-token", base_url=url, http_backend=http_backend)
        listing = client.vouchers.list()
        await client.vouchers.get("A")
        for _ in range(3):
            await client.aclose()
        for call in (client.vouchers.get("A"), listing.collect(), client.request("GET", "/v1/x")):
            with pytest.raises(v.ClientClosedError, match="closed"):
                await call
        with pytest.raises(v.ClientClosedError):
            await client.with_options(timeout=5).vouchers.get("A")
        with pytest.raises(v.ClientClosedError):
            async with client:
                await client.vouchers.get("A")


async def test_closing_a_client_that_was_never_used() -> None:
    """A client that was never used can be closed, and stays closed."""
    client = AsyncVoucherify(**KEYS)
    await client.aclose()
    with pytest.raises(v.ClientClosedError):
        await client.vouchers.get("A")


async def test_injected_client_is_left_as_it_is() -> None:
    """An injected client is neither closed nor changed, and its own settings take effect."""
    seen: list[str] = []

    async def hook(request: httpx.Request) -> None:
        seen.append(request.url.path)

    wire = Wire(VOUCHER)
    http_client = wire.http_client(
        headers={"X-Own": "1"}, cookies={"own": "1"}, event_hooks={"request": [hook]}, timeout=3
    )

    def state() -> Any:
        return (
            http_client.headers.raw,
            dict(http_client.cookies),
            http_client.event_hooks,
            http_client.timeout,
            http_client.base_url,
            http_client.follow_redirects,
            http_client.auth,
        )

    before = state()
    async with wire.client(http_client=http_client) as client:
        await client.vouchers.get("A")
        await client.with_options(auth=v.BearerAuth("t"), timeout=9).vouchers.get("A")
    assert state() == before
    assert not http_client.is_closed
    assert seen == ["/v1/vouchers/A"] * 2
    assert wire.requests[0].headers["X-Own"] == "1"
    with pytest.raises(v.ClientClosedError):
        await client.vouchers.get("A")
    assert (await http_client.get("https://x.test/")).status_code == 200


async def test_client_of_the_successor_of_httpx(fake: FakeVoucherify) -> None:
    """An injected client of httpx2 works as well, and its errors are ours."""
    httpx2 = pytest.importorskip("httpx2")
    with fake.serve() as url:
        async with httpx2.AsyncClient() as http_client:
            client = AsyncVoucherify(
                "the-id", "the-token", base_url=url, http_client=http_client, retry=None
            )
            assert (await client.vouchers.get("A")).code == "A"
            job = await client.imports.csv(b"Code,Voucher Type,Value\nB,GIFT_VOUCHER,1\n")
            assert (await job.status()).id == job.id
            with pytest.raises(v.NotFoundError):
                await client.vouchers.get("NONE")
            fake.faults.reset()
            with pytest.raises(v.TransportError):
                await client.vouchers.get("A")


async def test_timeouts_reach_the_http_layer() -> None:
    """A timeout of the client, of with_options and of the call holds for each step."""
    wire = Wire(VOUCHER)
    client = wire.client(timeout=7)
    await client.vouchers.get("A")
    await client.vouchers.get("A", timeout=2.5)
    await client.vouchers.get("A", timeout=None)
    await client.with_options(timeout=4).vouchers.get("A")
    await client.vouchers.get("A", timeout=httpx.Timeout(1, read=9))
    await client.request("GET", "/v1/x", timeout=6)
    await wire.client().vouchers.get("A")
    seen = [tuple(r.extensions["timeout"].values()) for r in wire.requests]
    assert [read for _, read, *_ in seen] == [7, 2.5, None, 4, 9, 6, 30.0]
    assert seen[4] == (1, 9, 1, 1)
    assert len(set(seen[0])) == 1


async def test_read_timeout(http_backend: Any, fake: FakeVoucherify) -> None:
    """An answer that does not come in time is a ReadTimeout, also a TimeoutError of Python's."""
    fake.faults.stall(path="/v1/vouchers/A")
    with fake.serve() as url:
        async with AsyncVoucherify(
            "the-id", "the-token", base_url=url, retry=None, http_backend=http_backend
        ) as client:
            with pytest.raises(v.ReadTimeout) as caught:
                # Connecting takes as long as it takes.
                await client.vouchers.get("A", timeout=httpx.Timeout(30, read=0.05))
        fake.faults.clear()
    assert isinstance(caught.value, TimeoutError)
    assert caught.value.sent


async def test_nobody_listens(http_backend: Any, fake: FakeVoucherify) -> None:
    """A port where nobody listens is a ConnectError that names the route and no code."""
    with fake.serve() as url:
        pass
    async with AsyncVoucherify(
        **KEYS, base_url=url, retry=None, http_backend=http_backend
    ) as client:
        with pytest.raises(v.ConnectError) as caught:
            await client.vouchers.get("SECRET-CODE")
    assert not caught.value.sent
    assert (caught.value.method, caught.value.path) == ("GET", "/v1/vouchers/{code}")
    assert "SECRET-CODE" not in str(caught.value)


class Turnstile:
    """An ASGI-like handler that counts how many requests are inside at once."""

    def __init__(self) -> None:
        self.inside = 0
        self.high_water = 0

    async def __call__(self, request: httpx.Request) -> httpx.Response:  # noqa: ARG002
        """Stay inside until every other task had its turn."""
        self.inside += 1
        self.high_water = max(self.high_water, self.inside)
        await settle()
        self.inside -= 1
        return httpx.Response(200, json=VOUCHER)


@pytest.mark.parametrize("bound", [1, 5])
async def test_concurrency_is_bounded(bound: int) -> None:
    """No more than max_concurrency requests are open at once, over all clients of one pool."""
    turnstile = Turnstile()
    http_client = httpx.AsyncClient(transport=httpx.MockTransport(turnstile))
    client = AsyncVoucherify(**KEYS, http_client=http_client, max_concurrency=bound)
    other = client.with_options(timeout=3)
    async with anyio.create_task_group() as group:
        for i in range(40):
            group.start_soon((client if i % 2 else other).vouchers.get, "A")
    assert turnstile.high_water == bound


async def test_concurrency_over_sockets(fake: FakeVoucherify) -> None:
    """The bound holds on the wire: requests past it wait their turn and are not lost."""
    fault = fake.faults.stall(path="/v1/vouchers/A", times=None)
    with fake.serve() as url:
        async with AsyncVoucherify(
            "the-id", "the-token", base_url=url, max_concurrency=3
        ) as client:
            async with anyio.create_task_group() as group:
                for _ in range(9):
                    group.start_soon(client.vouchers.get, "A")
                await until(lambda: fault.waiting == 3)
                await settle()
                assert (fault.waiting, len(fake.requests)) == (3, 3)
                fake.faults.clear()
            assert len(fake.requests) == 9


@pytest.mark.parametrize("count", [300, pytest.param(2_000, marks=pytest.mark.slow)])
async def test_many_at_once(count: int) -> None:
    """Two thousand lookups at once are all answered, over a pool of twenty."""
    fake = FakeVoucherify(record=False)
    fake.add_vouchers({"code": f"A{i}"} for i in range(count))
    found: set[str | None] = set()
    with fake.serve() as url:
        async with AsyncVoucherify(**KEYS, base_url=url, retry=None) as client:

            async def look(code: str) -> None:
                found.add((await client.vouchers.get(code, timeout=5)).code)

            async with anyio.create_task_group() as group:
                for i in range(count):
                    group.start_soon(look, f"A{i}")
    assert len(found) == count


def test_second_event_loop(fake: FakeVoucherify) -> None:
    """A client that is used from a second event loop says what to do, also when it is closed."""
    with fake.serve() as url:
        client = AsyncVoucherify("the-id", "the-token", base_url=url)
        with asyncio.Runner() as first:
            first.run(client.vouchers.get("A"))
            for call in (client.vouchers.get, lambda _: client.aclose()):
                with asyncio.Runner() as second, pytest.raises(v.ClientLoopError, match="per loop"):
                    second.run(call("A"))
            assert first.run(client.vouchers.get("A")).code == "A"
            first.run(client.aclose())


@pytest.mark.parametrize("anyio_backend", ["trio"])
async def test_forked_process(fake: FakeVoucherify, monkeypatch: pytest.MonkeyPatch) -> None:
    """A forked child, to which trio's loop is its parent's, sends nothing over its sockets."""
    with fake.serve() as url:
        async with AsyncVoucherify("the-id", "the-token", base_url=url) as client:
            await client.vouchers.get("A")
            with monkeypatch.context() as child:
                child.setattr(os, "getpid", lambda: -1)
                with pytest.raises(v.ClientLoopError, match="process"):
                    await client.vouchers.update_balance("A", 5)
            assert (await client.vouchers.get("A")).code == "A"
    assert [request.method for request in fake.requests] == ["GET", "GET"]


def test_client_left_open(fake: FakeVoucherify) -> None:
    """A client that is dropped while open warns; one that was never used does not."""
    with fake.serve() as url, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        AsyncVoucherify(**KEYS)
        gc.collect()
        assert caught == []

        async def leave_open() -> None:
            client = AsyncVoucherify("the-id", "the-token", base_url=url)
            await client.vouchers.get("A")

        asyncio.run(leave_open())
        gc.collect()
        told = [(warning.category, str(warning.message)) for warning in caught]
        # A caught warning holds on to what it is about.
        caught.clear()
        gc.collect()
    assert any("was left open" in message for _, message in told)
    assert {category for category, _ in told} == {ResourceWarning}


async def test_with_options_shares_and_does_not_close(fake: FakeVoucherify) -> None:
    """A client of with_options uses the same connections, has its own settings, and closes none."""
    with fake.serve() as url:
        async with AsyncVoucherify(
            "the-id",
            "the-token",
            base_url=url,
            api_version="v1",
            headers={"User-Agent": "shop", "X-A": "1"},
        ) as client:
            async with client.with_options(
                api_version="v2", headers={"x-b": "2"}, retry=None
            ) as other:
                await other.vouchers.get("A")
            await other.with_options(api_version=None).vouchers.get("A")
            await client.vouchers.get("A")
    first, second, third = (request.headers for request in fake.requests)
    names = ("X-Voucherify-API-Version", "User-Agent", "X-A", "X-B")
    assert [first.get(name) for name in names] == ["v2", "shop", "1", "2"]
    assert [second.get(name) for name in names] == [None, "shop", "1", "2"]
    assert [third.get(name) for name in names] == ["v1", "shop", "1", None]


@pytest.mark.parametrize(
    "options",
    [{"timeout": -1}, {"auth": None}, {"headers": {"X": "\n"}}, {"base_url": "https://x.test"}],
    ids=str,
)
def test_bad_options(options: dict[str, Any]) -> None:
    """with_options refuses what makes no sense, and what only another client can have."""
    with pytest.raises(ConfigurationError, match=next(iter(options))):
        AsyncVoucherify(**KEYS).with_options(**options)


async def test_request_speaks_for_every_endpoint() -> None:
    """request() sends any method, path, query, body and headers, and returns the decoded answer."""
    wire = Wire(httpx.Response(201, json={"id": "camp_1"}, headers={"X-Seen": "Yes"}))
    client = wire.client()
    answer = await client.request(
        "post",
        "/v1/campaigns?a=%20b",
        params={"ids": ["1", "2"], "none": None, "created_at": v.TimeRange(after="2024-01-01")},
        json={"name": "C", "voucher": v.Gift(amount=5)},
        headers={"x-trace": "7", "accept": "text/plain"},
    )
    assert (answer.status_code, answer.body) == (201, {"id": "camp_1"})
    assert answer.headers["x-seen"] == "Yes"
    (request,) = wire.requests
    assert request.method == "POST"
    assert wire.targets == ["/v1/campaigns?a=%20b&ids=1&ids=2&created_at%5Bafter%5D=2024-01-01"]
    assert json.loads(request.content) == {"name": "C", "voucher": {"amount": 5}}
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["X-Trace"] == "7"
    assert request.headers.get_list("Accept") == ["text/plain"]
    assert request.headers["X-App-Token"] == "token"


async def test_request_with_files_and_without_a_body() -> None:
    """request() uploads files as multipart, sends null as a body, and none where none is given."""
    wire = Wire(httpx.Response(204))
    client = wire.client()
    assert (await client.request("PUT", "/v1/x", files={"file": b"1"})).body is None
    await client.request("PUT", "/v1/x", json=None)
    await client.request("DELETE", "/v1/x")
    upload, null, nothing = wire.requests
    assert upload.headers["Content-Type"].startswith("multipart/form-data; boundary=")
    assert null.content == b"null"
    assert nothing.content == b""
    assert "Content-Type" not in nothing.headers


async def test_request_cannot_be_signed_by_another() -> None:
    """Headers of a request do not replace the client's credentials."""
    wire = Wire(VOUCHER)
    await wire.client().request("GET", "/v1/x", headers={"x-app-token": "other"})
    assert wire.requests[0].headers.get_list("X-App-Token") == ["token"]


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.test/v1/vouchers",
        "//evil.test/v1",
        "v1/vouchers",
        "",
        "/v1/../v2",
        "/v1/%2e%2E/v2",
        "/v1/a%2F..%2Fb",
        "/v1/./x",
        "/..",
        "/v1/x#y",
        "/v1/x\r\nHost: evil.test",
        "/v1/x\x00",
        "/v1/" + "x" * 70_000,
        5,
        None,
    ],
)
async def test_paths_that_lead_elsewhere(path: Any) -> None:
    """request() takes absolute paths of the API and nothing that leads elsewhere."""
    wire = Wire()
    with pytest.raises(InvalidArgumentError):
        await wire.client().request("GET", path)
    assert wire.requests == []


@pytest.mark.parametrize(
    "options",
    [
        {"json": {}, "files": {"file": b"x"}},
        {"json": {"a": object()}},
        {"json": "x" * 11_000_000},
        {"headers": {"X": "a\r\nY: b"}},
        {"headers": {"ü": "a"}},
        {"params": {"a": object()}},
        {"params": {"a": "x" * 70_000}},
        {"timeout": 0},
    ],
    ids=lambda options: next(iter(options)),
)
async def test_arguments_of_request_that_make_no_sense(options: dict[str, Any]) -> None:
    """request() refuses what it cannot send, before it sends anything."""
    wire = Wire()
    with pytest.raises(InvalidArgumentError):
        await wire.client().request("POST", "/v1/x", **options)
    for method in ("", "GET /v1", "G\r\n", 5):
        with pytest.raises(InvalidArgumentError, match="method"):
            await wire.client().request(method, "/v1/x")  # type: ignore[arg-type]
    assert wire.requests == []


async def test_secrets_stay_out_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """The log names method, route, status and request id, and neither code nor secret."""
    answer = httpx.Response(200, json={"code": "secret-code"}, headers={"X-Request-Id": "r-1"})
    wire = Wire(answer)
    with caplog.at_level("DEBUG", logger="voucherify_async"):
        await wire.client(app_token="the-token", clock=MovedClock()).vouchers.get("SECRET-CODE")
    for told in ("GET /v1/vouchers/{code}: 200", "0.0 ms", "r-1"):
        assert told in caplog.text
    assert "the-token" not in caplog.text
    assert "SECRET-CODE" not in caplog.text


async def test_lifespan_of_an_application(fake: FakeVoucherify) -> None:
    """A client made in an application's lifespan serves every request until its end."""
    state: dict[str, AsyncVoucherify] = {}

    @asynccontextmanager
    async def lifespan(url: str) -> AsyncIterator[None]:
        async with AsyncVoucherify("the-id", "the-token", base_url=url) as client:
            state["client"] = client
            yield

    async def endpoint(code: str) -> str | None:
        return (await state["client"].vouchers.get(code)).code

    with fake.serve() as url:
        async with lifespan(url), anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(endpoint, "A")
        with pytest.raises(v.ClientClosedError):
            await endpoint("A")
    assert len(fake.requests) == 5


async def test_proxy_of_the_environment(
    fake: FakeVoucherify, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy from the environment is used for a client of our own, unless the host is exempt."""
    with fake.serve() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy)
        url = "http://voucherify.test"
        options: dict[str, Any] = {"base_url": url, "retry": None, "allow_http": True}
        async with AsyncVoucherify("the-id", "the-token", **options) as client:
            with pytest.raises(v.VoucherifyError):
                await client.vouchers.get("NONE")
            assert len(fake.requests) == 1
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        async with AsyncVoucherify("the-id", "the-token", base_url=proxy) as client:
            assert (await client.vouchers.get("A")).code == "A"


def test_a_named_cluster_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """VOUCHERIFY_BASE_URL stands in for what is left out, and for nothing that was said."""
    monkeypatch.setenv("VOUCHERIFY_BASE_URL", "https://environment.test")
    assert "https://environment.test" in repr(AsyncVoucherify("id", "token"))
    assert "https://us1.api.voucherify.io" in repr(
        AsyncVoucherify("id", "token", cluster="us1.api")
    )
