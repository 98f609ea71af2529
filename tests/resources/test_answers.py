"""Answers that are errors, or that cannot be read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

import voucherify_async as v
from voucherify_async import AsyncVoucherify

from .support import Wire

pytestmark = [pytest.mark.anyio, pytest.mark.sampled(ways=1)]

CLASSES: dict[int, type[v.APIError]] = {
    300: v.APIError,
    304: v.APIError,
    400: v.BadRequestError,
    401: v.AuthenticationError,
    402: v.PaymentRequiredError,
    403: v.PermissionDeniedError,
    404: v.NotFoundError,
    405: v.MethodNotAllowedError,
    406: v.NotAcceptableError,
    409: v.ConflictError,
    413: v.PayloadTooLargeError,
    415: v.UnsupportedMediaTypeError,
    418: v.APIError,
    422: v.APIError,
    423: v.LockedError,
    429: v.RateLimitError,
    500: v.ServerError,
    502: v.ServerError,
    503: v.ServerError,
    504: v.ServerError,
    599: v.ServerError,
}
FULL = {
    "code": 404,
    "key": "not_found",
    "message": "Resource not found",
    "details": "Cannot find voucher with id A",
    "request_id": "v-1",
    "resource_id": "A",
    "resource_type": "voucher",
}
HTML = "<html><body>502 Bad Gateway</body></html>"


async def error_of(response: httpx.Response) -> v.APIError:
    """Return the error that a response to a GET becomes."""
    with pytest.raises(v.APIError) as caught:
        await Wire(response).client().vouchers.get("A")
    return caught.value


@pytest.mark.parametrize(("status", "cls"), CLASSES.items())
@pytest.mark.parametrize("content", [b"", b'{"code": 404, "key": "not_found"}', HTML.encode()])
async def test_status_alone_decides_the_class(
    status: int, cls: type[v.APIError], content: bytes
) -> None:
    """Whatever the body says, the class of an error goes by the HTTP status."""
    error = await error_of(httpx.Response(status, content=content))
    assert type(error) is cls
    assert error.status_code == status


async def test_documented_body() -> None:
    """Every field of the documented body is an attribute, and the text says what one needs."""
    error = await error_of(httpx.Response(404, json=FULL, headers={"X-Other": "1"}))
    for name in ("key", "message", "details", "request_id", "resource_id", "resource_type"):
        assert getattr(error, name) == FULL[name]
    assert error.body == FULL
    assert error.headers["x-other"] == "1"
    assert str(error) == (
        "404 (not_found): Resource not found: Cannot find voucher with id A [request v-1]"
    )
    assert error.retry_after is None


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            {"statusCode": 413, "error": "Request Entity Too Large", "message": "too large"},
            "too large",
        ),
        ({"key": "k", "error": {"message": "nested"}}, "nested"),
        ({"message": None, "error": {"message": None}, "key": None}, "Bad Request"),
        ({"message": 5, "key": [], "details": {}, "request_id": 1}, "Bad Request"),
        ({"message": ""}, "Bad Request"),
        ([1, 2], "Bad Request"),
        ("text", "Bad Request"),
        (None, "Bad Request"),
    ],
)
async def test_other_bodies(body: Any, message: str) -> None:
    """Other bodies, and fields that are null or of another type, make the same kind of error."""
    error = await error_of(httpx.Response(400, json=body))
    assert error.message == message
    assert error.body == body
    assert {error.details, error.request_id, error.resource_id, error.resource_type} == {None}


@pytest.mark.parametrize(
    ("content", "body"),
    [
        (HTML.encode(), HTML),
        (b"", None),
        (b"  \n", None),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"[" * 100_000, "[" * 100_000),
        (b'\xef\xbb\xbf{"message": "bom"}', {"message": "bom"}),
    ],
    ids=["html", "empty", "blank", "bytes", "deep", "byte order mark"],
)
async def test_bodies_that_are_no_json(content: bytes, body: Any) -> None:
    """A proxy's HTML, an empty body and any other bytes are kept for the reader."""
    response = httpx.Response(502, content=content, headers={"X-Request-Id": "r-1"})
    error = await error_of(response)
    assert error.body == body
    assert error.request_id == "r-1"
    assert str(error).endswith("[request r-1]")


async def test_status_without_a_name() -> None:
    """A status that HTTP does not know has its number for a message."""
    assert str(await error_of(httpx.Response(599))) == "599: HTTP status 599"


async def test_details_are_not_said_twice() -> None:
    """Details that repeat the message are left out of the text."""
    error = await error_of(httpx.Response(400, json={"message": "No", "details": "No"}))
    assert str(error) == "400: No"


WRITES: dict[str, Callable[[AsyncVoucherify], Any]] = {
    "delete": lambda c: c.vouchers.delete("A"),
    "release_session": lambda c: c.vouchers.release_session("A", "k"),
    "enable": lambda c: c.vouchers.enable("A"),
    "request": lambda c: c.request("POST", "/v1/x"),
}


@pytest.mark.parametrize("call", WRITES.values(), ids=WRITES.keys())
@pytest.mark.parametrize("status", [301, 302, 303, 304, 307, 308])
async def test_redirect_is_no_success(call: Callable[[AsyncVoucherify], Any], status: int) -> None:
    """A redirect is not followed, and leaves a write open, also with a client that follows."""
    wire = Wire(httpx.Response(status, headers={"Location": "https://elsewhere.test/"}))
    http_client = wire.http_client(follow_redirects=True)
    with pytest.raises(v.AmbiguousOutcomeError, match=str(status)):
        await call(wire.client(http_client=http_client))
    assert [request.url.host for request in wire.requests] == ["api.voucherify.io"]


MISFITS: list[tuple[Any, str]] = [
    ({"gift": {"balance": 12.7}}, "$.gift.balance"),
    ({"active": "false"}, "$.active"),
    ({"code": 5}, "$.code"),
    ({"categories": [{}, {"hierarchy": "1"}]}, "$.categories[1].hierarchy"),
    ([], "$"),
    ("text", "$"),
    (None, "$"),
]


@pytest.mark.parametrize(("body", "path"), MISFITS)
async def test_misfit_of_a_read(body: Any, path: str) -> None:
    """An answer that contradicts its types raises with the JSON path."""
    shown = {"code": "A", **body} if isinstance(body, dict) else body
    with pytest.raises(v.ResponseValidationError) as caught:
        await Wire(shown).client().vouchers.get("A")
    assert caught.value.json_path == path
    assert path in str(caught.value)
    assert not isinstance(caught.value, v.AmbiguousOutcomeError)


@pytest.mark.parametrize("content", [HTML.encode(), b"", b"{", b"[" * 100_000])
async def test_success_that_is_no_json(content: bytes) -> None:
    """A success without JSON raises: of a read plainly, of a write as an unknown outcome."""
    wire = Wire(httpx.Response(200, content=content))
    with pytest.raises(v.ResponseValidationError) as read:
        await wire.client().vouchers.get("A")
    assert type(read.value) is v.ResponseValidationError
    with pytest.raises(v.UnreadableAnswerError) as written:
        await wire.client().vouchers.update("A", {"active": True})
    error = written.value
    assert isinstance(error, v.ResponseValidationError)
    assert (error.method, error.path) == ("PUT", "/v1/vouchers/{code}")
    assert error.sent == b'{"active":true}'
    assert error.how_to_check
    assert isinstance(error.__cause__, v.ResponseValidationError)


async def test_success_of_request_that_is_no_json() -> None:
    """request() says of a read that it is no JSON, and of a write that its outcome is unknown."""
    wire = Wire(httpx.Response(200, content=HTML.encode()))
    with pytest.raises(v.ResponseValidationError) as read:
        await wire.client().request("GET", "/v1/x")
    assert type(read.value) is v.ResponseValidationError
    with pytest.raises(v.UnreadableAnswerError) as written:
        await wire.client().request("POST", "/v1/x/SECRET-CODE", json={"a": 1})
    assert written.value.sent == b'{"a":1}'
    assert "SECRET-CODE" not in f"{written.value} {written.value.path}"


JOBS: dict[str, Callable[[AsyncVoucherify], Any]] = {
    "imports.vouchers": lambda c: c.imports.vouchers([{"code": "A"}]),
    "imports.csv": lambda c: c.imports.csv(b"Code\nA\n"),
    "update_in_bulk": lambda c: c.vouchers.update_in_bulk([{"code": "A", "metadata": {}}]),
    "update_metadata_in_bulk": lambda c: c.vouchers.update_metadata_in_bulk(["A"], {}),
    "exports.create": lambda c: c.exports.create({"exported_object": "voucher"}),
    "transactions.export": lambda c: c.transactions.export("A"),
}


@pytest.mark.parametrize("call", JOBS.values(), ids=JOBS.keys())
async def test_job_without_an_id(call: Callable[[AsyncVoucherify], Any]) -> None:
    """Work that was accepted under no id cannot be followed: its outcome is unknown."""
    with pytest.raises(v.UnreadableAnswerError, match="expected a value"):
        await call(Wire({}).client())


async def test_rate_limit_is_remembered() -> None:
    """The quota of the last answer that states one is at hand, also after an error."""
    stated = {
        "X-Rate-Limit-Limit": "100",
        "X-Rate-Limit-Remaining": "42",
        "X-Rate-Limit-Retry": "1700000000",
        "X-Rate-Limit-Type": "api_calls",
    }
    voucher = {"code": "A"}
    wire = Wire(voucher, httpx.Response(404, headers=stated), voucher)
    client = wire.client()
    assert client.rate_limit is None
    await client.vouchers.get("A")
    assert client.rate_limit is None
    with pytest.raises(v.NotFoundError):
        await client.vouchers.get("A")
    await client.vouchers.get("A")
    limit = client.rate_limit
    assert limit is not None
    assert (limit.limit, limit.remaining, limit.type) == (100, 42, "api_calls")
    assert limit.resets_at is not None
    assert limit.resets_at.isoformat() == "2023-11-14T22:13:20+00:00"
    assert client.with_options(timeout=5).rate_limit == limit
    assert client.with_options(auth=v.BearerAuth("other")).rate_limit is None
