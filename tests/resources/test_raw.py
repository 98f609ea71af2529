"""Raw answers, and headers and queries of one call."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import httpx
import pytest

from voucherify_async import (
    AsyncJob,
    AsyncVoucherify,
    ExportJob,
    InvalidArgumentError,
    NotFoundError,
    RawAnswer,
    ResponseValidationError,
    UnreadableAnswerError,
    Voucher,
)
from voucherify_async.resources._resource import Resource

from . import test_checkout, test_wire
from .support import MovedClock, Wire

pytestmark = pytest.mark.anyio

CARD = {
    "id": "v_1",
    "object": "voucher",
    "code": "A",
    "type": "GIFT_VOUCHER",
    "gift": {"amount": 500, "balance": 200},
}


def answered(json: Any, status: int = 200) -> httpx.Response:
    """An answer with an id of its request."""
    return httpx.Response(status, json=json, headers={"X-Request-Id": "req_1"})


async def test_an_answer_keeps_status_and_headers() -> None:
    """A raw answer has status, headers, request id and time, and parses to the model."""
    clock = MovedClock()

    def slow(_: httpx.Request) -> httpx.Response:
        clock.now += 1.5
        return answered(CARD)

    async with Wire(slow).client(clock=clock) as client:
        raw = await client.vouchers.with_raw_response.get("A")
    assert isinstance(raw, RawAnswer)
    assert (raw.status_code, raw.request_id, raw.elapsed) == (200, "req_1", 1.5)
    assert raw.headers["content-type"] == "application/json"
    parsed = raw.parse()
    assert isinstance(parsed, Voucher)
    assert parsed.code == "A"
    assert b"GIFT_VOUCHER" in raw.content
    assert "GIFT_VOUCHER" not in repr(raw)


async def test_a_listing_gives_its_page_raw() -> None:
    """The raw answer of a listing is that of its first page."""
    async with Wire(answered({"vouchers": [CARD], "total": 1})).client() as client:
        raw = await client.vouchers.with_raw_response.list(limit=5)
    assert raw.request_id == "req_1"
    assert [voucher.code for voucher in raw.parse()] == ["A"]


async def test_what_cannot_be_read_is_still_raw() -> None:
    """A read's answer that contradicts its type is there to look at; a write's is never success."""
    strange = {**CARD, "gift": {"amount": "much"}}
    async with Wire(answered(strange)).client() as client:
        raw = await client.vouchers.with_raw_response.get("A")
        assert raw.status_code == 200
        with pytest.raises(ResponseValidationError, match=r"\$\.gift\.amount"):
            raw.parse()
        with pytest.raises(UnreadableAnswerError):
            await client.vouchers.with_raw_response.enable("A")


async def test_errors_are_raised_as_ever() -> None:
    """An error status raises, with headers on the error; nothing raw hides it."""
    refusal = answered({"code": 404, "key": "not_found", "message": "Not found"}, 404)
    async with Wire(refusal).client() as client:
        with pytest.raises(NotFoundError) as caught:
            await client.vouchers.with_raw_response.get("A")
    assert caught.value.request_id == "req_1"


async def test_callers_do_not_share_a_recorder() -> None:
    """Each raw call holds its own answer, also through the same property."""
    wire = Wire(answered(CARD), answered({**CARD, "code": "B"}, 201))
    async with wire.client() as client:
        raw = client.vouchers.with_raw_response
        first, second = await raw.get("A"), await raw.get("B")
    assert (first.parse().code, first.status_code) == ("A", 200)
    assert (second.parse().code, second.status_code) == ("B", 201)


class _Raw:
    """A client whose namespaces are those of its raw answers."""

    def __init__(self, client: AsyncVoucherify) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name).with_raw_response


SEVERAL = {
    "vouchers": {"get_many", "list_all", "update_in_bulk", "update_metadata_in_bulk"},
    "redemptions": {"list_all"},
    "imports": {"stream"},
    "exports": {"download", "open", "rows", "follow"},
}
"""What sends several requests, downloads, or sends none."""
CALLS: dict[str, tuple[Callable[[Any], Awaitable[Any]], Any, int]] = {
    **{name: (case.call, case.answer, case.status) for name, case in test_wire.CASES.items()},
    **{name: (case.call, case.answer, 200) for name, case in test_checkout.CASES.items()},
}


async def test_every_method_of_one_request_is_there_raw() -> None:
    """Under its own name, in every namespace."""
    async with Wire({}).client() as client:
        attributes = {key: getattr(client, key) for key in dir(client) if not key.startswith("_")}
        namespaces: dict[str, Any] = {
            key: value for key, value in attributes.items() if isinstance(value, Resource)
        }
        assert len(namespaces) >= 9
        for name, namespace in namespaces.items():
            methods = {key for key in dir(namespace) if not key.startswith("_")}
            raw = {key for key in dir(namespace.with_raw_response) if not key.startswith("_")}
            assert methods - raw == SEVERAL.get(name, set()) | {"with_raw_response"}
            for key in raw:
                assert getattr(namespace.with_raw_response, key).__name__ == key


@pytest.mark.sampled(ways=1)
@pytest.mark.parametrize("name", CALLS)
async def test_every_raw_answer_parses_to_what_the_method_returns(name: str) -> None:
    """Its status, headers and body are there, and the request is the same."""
    call, answer, status = CALLS[name]
    wire = Wire(httpx.Response(status, json=answer, headers={"X-Request-Id": "req_1"}))
    async with wire.client() as client:
        plain = await call(client)
        try:
            raw = await call(_Raw(client))
        except AttributeError as error:
            assert error.name in SEVERAL["vouchers"]  # noqa: PT017
            return
    assert isinstance(raw, RawAnswer)
    assert (raw.status_code, raw.request_id) == (status, "req_1")
    assert (json.loads(raw.content) if raw.content else None) == answer
    parsed = raw.parse()
    assert parsed.id == plain.id if isinstance(plain, (AsyncJob, ExportJob)) else parsed == plain
    first, second = wire.requests
    assert (first.method, first.url) == (second.method, second.url)


class _Misspelling:
    """A client or a namespace that adds an option to each call that no method has."""

    def __init__(self, target: Any) -> None:
        self._target = target

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._target, name)
        return partial(found, tiemout=3) if callable(found) else _Misspelling(found)


@pytest.mark.sampled(ways=1)
@pytest.mark.parametrize("kind", [_Raw, lambda client: client], ids=["raw", "plain"])
@pytest.mark.parametrize("name", CALLS)
async def test_a_misspelt_option_raises_everywhere(name: str, kind: Any) -> None:
    """As a misspelt argument does, before anything is sent."""
    call, *_ = CALLS[name]
    wire = Wire({})
    async with wire.client() as client:
        with pytest.raises((TypeError, AttributeError), match=r"tiemout|get_many|_in_bulk"):
            await call(_Misspelling(kind(client)))
    assert not wire.requests


async def test_headers_and_query_of_one_call() -> None:
    """`extra_headers` and `extra_query` go out with one call; the signature stays."""
    wire = Wire({"vouchers": [], "total": 0})
    async with wire.client(headers={"X-Gateway": "own"}) as client:
        await client.vouchers.list(
            limit=5,
            extra_headers={"x-gateway": "other", "X-App-Token": "stolen", "X-Trace": "t"},
            extra_query={"beta": [1, 2], "off": None, "deep": {"a": True}},
        )
        await client.vouchers.list(limit=5)
    first, second = wire.requests
    assert first.headers["X-Gateway"] == "other"
    assert (first.headers["X-App-Token"], first.headers["X-Trace"]) == ("token", "t")
    assert wire.targets == [
        "/v1/vouchers?limit=5&page=1&beta=1&beta=2&deep%5Ba%5D=true",
        "/v1/vouchers?limit=5&page=1",
    ]
    assert second.headers["X-Gateway"] == "own"


@pytest.mark.parametrize(
    "headers", [{"Content-Length": "5"}, {"bad name": "x"}, {"X": "a\nb"}, {"X": 5}, "X: y"]
)
async def test_headers_that_cannot_go_out_are_refused(headers: Any) -> None:
    """A header that would break the request's framing is refused before anything is sent."""
    wire = Wire(CARD)
    async with wire.client() as client:
        with pytest.raises(InvalidArgumentError, match="extra_headers"):
            await client.vouchers.get("A", extra_headers=headers)
        with pytest.raises(TypeError, match="extra_header"):
            await client.vouchers.get("A", extra_header={})  # type: ignore[call-arg]
    assert not wire.requests
