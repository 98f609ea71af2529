"""The same suite with each HTTP client that can be passed in, and with our own."""

from __future__ import annotations

import socket
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import httpx
import httpx2
import pytest

from tests.transport.wire import read_request, serving
from voucherify_async import (
    AmbiguousOutcomeError,
    APIError,
    AsyncVoucherify,
    BadRequestError,
    ConfigurationError,
    ConflictError,
    NotFoundError,
    RateLimitError,
    ServerError,
    VoucherifyError,
)
from voucherify_async.errors import (
    ConnectError,
    PoolTimeout,
    ProtocolError,
    ReadError,
    ReadTimeout,
    TransportError,
    UnreadableAnswerError,
)
from voucherify_async.testing import FakeVoucherify

from .conftest import MovingClock, policy

pytestmark = [pytest.mark.anyio, pytest.mark.sampled(ways=2)]

CODE = "SECRET-CODE-1"
# Connect, read, write, pool: a form that both libraries take.
BRIEF = httpx.Timeout(5.0, read=0.001)


class InstrumentedClient(httpx.AsyncClient):
    """A subclass that watches what goes through it, as tracing libraries do."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.seen: list[str] = []

    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """Note the request, then send it."""
        self.seen.append(request.method)
        return await super().send(request, **options)


class RenamedReadError(httpx.ReadError):
    """An exception class of an instrumented transport's own."""


class WrappingTransport(httpx.AsyncHTTPTransport):
    """A transport that raises exception classes of its own."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send, and rename what goes wrong."""
        try:
            return await super().handle_async_request(request)
        except httpx.ReadError as error:
            raise RenamedReadError(str(error)) from error


MAKERS: dict[str, Callable[[], Any]] = {
    "our own": lambda: None,
    # Nothing to verify, and loading the authorities takes longer than most of the tests.
    "httpx": lambda: httpx.AsyncClient(verify=False),
    "instrumented": lambda: InstrumentedClient(verify=False),
    "wrapped": lambda: httpx.AsyncClient(transport=WrappingTransport(verify=False)),
    "redirecting": lambda: httpx.AsyncClient(verify=False, follow_redirects=True),
    "httpx2": lambda: httpx2.AsyncClient(verify=False),
}


@pytest.fixture(params=MAKERS.values(), ids=list(MAKERS))
async def any_client(
    request: pytest.FixtureRequest, served: str, clock: MovingClock
) -> AsyncIterator[AsyncVoucherify]:
    """A client over a socket, on one of the HTTP clients."""
    http = request.param()
    async with AsyncExitStack() as stack:
        if http is not None:
            await stack.enter_async_context(http)
        options: dict[str, Any] = {"http_client": http, "clock": clock, "retry": policy()}
        yield await stack.enter_async_context(
            AsyncVoucherify("id", "token", base_url=served, **options)
        )
        if http is not None:
            assert not http.is_closed


async def test_calls_work(any_client: AsyncVoucherify, fake: FakeVoucherify) -> None:
    """Reads, writes, lists, uploads and deletions, with codes that need quoting."""
    made = await any_client.vouchers.create(
        "A/B ?%é", {"type": "GIFT_VOUCHER", "gift": {"amount": 500}}
    )
    assert made.code == "A/B ?%é"
    assert (await any_client.vouchers.get("A/B ?%é")).code == "A/B ?%é"
    assert (await any_client.vouchers.update_balance("A/B ?%é", 5)).balance == 505
    assert len([v async for v in any_client.vouchers.list()]) == 3
    job = await any_client.imports.csv(b"Code,Voucher Type,Value\nX-1,GIFT_VOUCHER,5\n")
    assert job.id
    await any_client.vouchers.delete("A/B ?%é", force=True)
    assert all(r.headers["x-app-token"] == "token" for r in fake.requests)
    assert fake.requests[0].headers["content-type"] == "application/json"


async def test_statuses_become_errors(any_client: AsyncVoucherify, fake: FakeVoucherify) -> None:
    """Each status has its exception."""
    with pytest.raises(NotFoundError):
        await any_client.vouchers.get("NOBODY")
    with pytest.raises(ConflictError):
        await any_client.vouchers.create(CODE, {"type": "GIFT_VOUCHER", "gift": {"amount": 5}})
    fake.faults.html(501)
    with pytest.raises(ServerError):
        await any_client.vouchers.get(CODE)
    fake.faults.rate_limited(60)
    with pytest.raises(RateLimitError) as caught:
        await any_client.vouchers.get(CODE)
    assert caught.value.retry_after == 60


@pytest.mark.parametrize("name", ["reset", "disconnect", "reset_after_headers", "cut_body"])
async def test_broken_connections_are_mapped(
    any_client: AsyncVoucherify, fake: FakeVoucherify, name: str
) -> None:
    """A read is repeated; a write is not, and its error is behind the ambiguity."""
    getattr(fake.faults, name)()
    assert (await any_client.vouchers.get(CODE)).code == CODE
    getattr(fake.faults, name)()
    with pytest.raises(AmbiguousOutcomeError) as caught:
        await any_client.vouchers.update_balance("CARD", 5)
    assert isinstance(caught.value.__cause__, (ReadError, ProtocolError))
    came = caught.value.__cause__.status_code
    assert came == (200 if name in {"reset_after_headers", "cut_body"} else None)
    assert len(fake.requests) == 3


async def test_timeouts_are_mapped(any_client: AsyncVoucherify, fake: FakeVoucherify) -> None:
    """A read timeout is one, and leaves a write open."""
    fake.faults.timeout("read", times=None)
    with pytest.raises(ReadTimeout):
        await any_client.vouchers.get(CODE, timeout=BRIEF, retry=None)
    with pytest.raises(AmbiguousOutcomeError) as caught:
        await any_client.vouchers.update_balance("CARD", 5, timeout=BRIEF)
    assert isinstance(caught.value.__cause__, ReadTimeout)
    fake.faults.clear()


async def test_confirm_settles(
    any_client: AsyncVoucherify, fake: FakeVoucherify, clock: MovingClock
) -> None:
    """A balance update whose answer was lost is found; one that was not done is so in the end."""
    fake.faults.lose_answer(method="POST")
    assert (await any_client.vouchers.update_balance("CARD", 5, confirm=True)).balance == 1005
    fake.faults.disconnect(method="POST")
    with pytest.raises(AmbiguousOutcomeError, match="still be on its way") as caught:
        await any_client.vouchers.update_balance("CARD", 5, confirm=True)
    clock.move(180)
    assert (await any_client.settle(caught.value)).status == "not_done"


class BreakingStream(httpx.AsyncByteStream):
    """A body that ends as if there had been no connection."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"{"
        raise httpx.ConnectTimeout("")


@pytest.mark.parametrize("is_answered", [False, True])
async def test_a_broken_connection_under_a_wrong_name(is_answered: bool) -> None:
    """Adapters call it a connect timeout, also where the request was written before it broke."""
    sent = 0

    class Adapter(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:  # noqa: ARG002
            nonlocal sent
            sent += 1
            if is_answered:
                return httpx.Response(200, stream=BreakingStream())
            raise httpx.ConnectTimeout("") from ConnectionResetError()

    async with (
        httpx.AsyncClient(transport=Adapter()) as http,
        AsyncVoucherify("id", "token", http_client=http, retry=policy()) as client,
    ):
        with pytest.raises(AmbiguousOutcomeError):
            await client.vouchers.enable(CODE)
    assert sent == 1


async def test_unreadable_answers(any_client: AsyncVoucherify, fake: FakeVoucherify) -> None:
    """Garbage to a write is an ambiguity of its own kind."""
    fake.faults.garbage()
    with pytest.raises(UnreadableAnswerError):
        await any_client.vouchers.enable(CODE)


async def test_redirects_are_not_followed(
    any_client: AsyncVoucherify, fake: FakeVoucherify
) -> None:
    """Also not by a client that was told to."""
    fake.faults.status(307, headers={"Location": "/v1/vouchers/CARD"})
    with pytest.raises(Exception, match="307"):
        await any_client.vouchers.get(CODE)
    assert len(fake.requests) == 1


@pytest.mark.parametrize("library", [httpx, httpx2])
@pytest.mark.parametrize(
    ("name", "ours", "sent"),
    [
        ("ConnectError", ConnectError, False),
        ("ConnectTimeout", TransportError, False),
        ("PoolTimeout", PoolTimeout, False),
        ("ReadTimeout", ReadTimeout, True),
        ("WriteTimeout", TransportError, True),
        ("ReadError", ReadError, True),
        ("WriteError", TransportError, True),
        ("RemoteProtocolError", ProtocolError, True),
        ("LocalProtocolError", ProtocolError, True),
        ("ProxyError", ConnectError, False),
        ("UnsupportedProtocol", ConnectError, False),
        ("DecodingError", ProtocolError, True),
        ("TooManyRedirects", TransportError, True),
    ],
)
async def test_every_exception_is_mapped(
    library: Any, name: str, ours: type[TransportError], sent: bool
) -> None:
    """Each exception of either library becomes ours, and says whether anything was sent."""

    def fail(request: Any) -> Any:
        raise getattr(library, name)("it broke", request=request)

    async with library.AsyncClient(transport=library.MockTransport(fail)) as http:
        client = AsyncVoucherify("id", "token", http_client=http, retry=None)
        with pytest.raises(TransportError) as caught:
            await client.vouchers.get(CODE)
        assert isinstance(caught.value, ours)
        assert caught.value.sent is sent
        assert CODE not in str(caught.value)
        with pytest.raises(AmbiguousOutcomeError if sent else ours):
            await client.vouchers.update_balance(CODE, 5)
        await client.aclose()
        assert not http.is_closed


async def fail_to_connect(response: Any) -> None:
    """A hook with a request of its own."""
    raise httpx.ConnectError("it broke", request=httpx.Request("POST", "https://audit.test"))


async def fail_without_request(response: Any) -> None:
    """A hook whose request is not told."""
    raise httpx.PoolTimeout("it is full")


async def fail_to_read(response: Any) -> None:
    """A hook that reads what is not text."""
    b"\xff".decode()


@pytest.mark.parametrize(
    ("hooks", "headers"),
    [
        ([fail_to_connect], {}),
        ([fail_without_request], {}),
        ([fail_to_read], {}),
        ([], {"Location": "http://xn--a/"}),
    ],
    ids=["connect", "pool", "text", "redirect"],
)
async def test_an_error_after_the_answer_does_not_tell_a_write_as_unsent(
    hooks: list[Any], headers: dict[str, str]
) -> None:
    """An error that is not about sending the write may come when it is done."""
    seen = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(302, headers=headers)

    transport = httpx.MockTransport(answer)
    async with httpx.AsyncClient(transport=transport, event_hooks={"response": hooks}) as http:
        client = AsyncVoucherify("id", "token", http_client=http)
        with pytest.raises(AmbiguousOutcomeError) as caught:
            await client.vouchers.update_balance(CODE, 5)
    assert getattr(caught.value.__cause__, "sent", True)
    assert not isinstance(caught.value.__cause__, (ConnectError, PoolTimeout))
    assert len(seen) == 1


async def refuse_unread(response: Any) -> None:
    """A hook as httpx's documentation has it; the client then closes the answer."""
    response.raise_for_status()


async def refuse_read(response: Any) -> None:
    """A hook that has read the answer before."""
    await response.aread()
    response.raise_for_status()


async def refuse_streamed(response: Any) -> None:
    """A hook that has read the answer and kept nothing of it."""
    async for _ in response.aiter_bytes():
        pass
    response.raise_for_status()


def raising_client(library: Any) -> Any:
    """A client that refuses answers itself, and leaves them open."""

    class Raising(library.AsyncClient):  # type: ignore[misc]
        async def send(self, *args: Any, **options: Any) -> Any:
            response = await super().send(*args, **options)
            response.raise_for_status()
            return response

    return Raising(verify=False)


def hooked_client(library: Any, hook: Any) -> Any:
    """A client with a hook."""
    return library.AsyncClient(verify=False, event_hooks={"response": [hook]})


REFUSING: dict[str, Callable[[Any], Any]] = {
    "unread": lambda library: hooked_client(library, refuse_unread),
    "read": lambda library: hooked_client(library, refuse_read),
    "open": raising_client,
}
STATUSES: dict[int, type[Exception]] = {
    400: BadRequestError,
    404: NotFoundError,
    429: RateLimitError,
    502: ServerError,
}


@pytest.mark.parametrize("library", [httpx, httpx2])
@pytest.mark.parametrize("refusing", REFUSING.values(), ids=list(REFUSING))
@pytest.mark.parametrize("is_write", [False, True], ids=["read", "write"])
@pytest.mark.parametrize("status", list(STATUSES))
async def test_an_answer_that_a_client_refuses_is_an_answer(
    library: Any, refusing: Any, is_write: bool, status: int, clock: MovingClock
) -> None:
    """Its status counts as it does without the hook, and so does its body where that was read."""
    seen = []

    def handle(connection: socket.socket) -> None:
        while request := read_request(connection):
            seen.append(request)
            refusal = b'{"code":%d,"key":"refused","message":"No","details":"No"}' % status
            head = [b"HTTP/1.1 %d No" % status, b"Content-Length: %d" % len(refusal)]
            connection.sendall(b"\r\n".join([*head, b"X-Request-Id: r1", b"", refusal]))

    with serving(handle) as address:
        async with refusing(library) as http:
            options: dict[str, Any] = {"http_client": http, "clock": clock, "retry": policy()}
            client = AsyncVoucherify("id", "token", base_url=f"http://{address}", **options)
            call = client.vouchers.update_balance if is_write else client.vouchers.get
            with pytest.raises(VoucherifyError) as caught:
                await call(CODE, *((5,) if is_write else ()))
    error, is_read = caught.value, refusing is not REFUSING["unread"]
    # Only by its body can a 4xx be told from that of a proxy which passed the request on.
    is_open = is_write and (status == 502 or (status != 429 and not is_read))
    assert isinstance(error, AmbiguousOutcomeError) is is_open
    refused = error.__cause__ if is_open and not isinstance(error, ServerError) else error
    assert isinstance(refused, STATUSES[status])
    assert isinstance(refused, APIError)
    assert (refused.status_code, refused.request_id) == (status, "r1")
    assert refused.key == ("refused" if is_read else None)
    assert len(seen) == (policy().max_attempts if status > 404 and not is_open else 1)


class Refusal(httpx.AsyncByteStream):
    """A body in pieces."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b'{"code": 404'
        yield b"}"


async def test_a_hook_that_keeps_nothing_of_an_answer_leaves_a_write_open() -> None:
    """There is a status then, and nothing to hold it against."""
    transport = httpx.MockTransport(lambda _: httpx.Response(404, stream=Refusal()))
    hooks = {"response": [refuse_streamed]}
    async with httpx.AsyncClient(transport=transport, event_hooks=hooks) as http:
        client = AsyncVoucherify("id", "token", http_client=http)
        with pytest.raises(AmbiguousOutcomeError):
            await client.vouchers.update_balance(CODE, 5)


async def test_a_refusal_of_another_request_is_not_the_answer() -> None:
    """A hook may call elsewhere, and what fails there is its own."""

    async def audit(_: Any) -> None:
        request = httpx.Request("POST", "https://audit.test")
        httpx.Response(429, request=request).raise_for_status()

    transport = httpx.MockTransport(lambda _: httpx.Response(200, json={}))
    async with httpx.AsyncClient(transport=transport, event_hooks={"response": [audit]}) as http:
        client = AsyncVoucherify("id", "token", http_client=http)
        with pytest.raises(httpx.HTTPStatusError):
            await client.vouchers.update_balance(CODE, 5)


@pytest.mark.parametrize("library", [httpx, httpx2])
async def test_a_cookie_that_is_not_ascii_is_refused_before_it_is_sent(library: Any) -> None:
    """It is the client's, which says so; it is not shown."""

    def never(request: Any) -> Any:
        raise AssertionError(request)

    transport = library.MockTransport(never)
    async with library.AsyncClient(transport=transport, cookies={"session": "secr\u00e9t"}) as http:
        client = AsyncVoucherify("id", "token", http_client=http)
        with pytest.raises(
            ConfigurationError, match="a cookie or a header of the client"
        ) as caught:
            await client.vouchers.update_balance(CODE, 5)
    assert "secr" not in "".join(traceback.format_exception(caught.value))


async def test_what_is_no_transport_error_is_left_alone() -> None:
    """A bug in an injected client is not dressed up as a network failure."""

    def fail(request: Any) -> Any:
        raise ZeroDivisionError

    async with httpx.AsyncClient(transport=httpx.MockTransport(fail)) as http:
        client = AsyncVoucherify("id", "token", http_client=http)
        with pytest.raises(ZeroDivisionError):
            await client.vouchers.get(CODE)


async def test_a_synchronous_client_is_refused() -> None:
    """A client whose answers cannot be awaited is refused before it can send a write."""
    with httpx.Client() as http, pytest.raises(ConfigurationError) as caught:
        AsyncVoucherify("id", "token", http_client=http)
    assert str(caught.value).startswith("http_client: expected an asynchronous client")


async def test_an_instrumented_client_sees_each_attempt(
    served: str, fake: FakeVoucherify, clock: MovingClock
) -> None:
    """Nothing goes past the client that was passed in."""
    async with InstrumentedClient() as http:
        client = AsyncVoucherify("id", "t", base_url=served, http_client=http, clock=clock)
        fake.faults.status(502)
        await client.vouchers.get(CODE)
        assert http.seen == ["GET", "GET"]
