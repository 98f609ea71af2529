"""Hooks and spans: what watches a call hears of it, and costs it nothing."""

from __future__ import annotations

import asyncio
import logging
import pickle
import sys
from typing import Any

import httpx
import pytest
from opentelemetry import trace

from tests.resources.support import MovedClock, Wire, settle
from voucherify_async import (
    AmbiguousOutcomeError,
    AsyncVoucherify,
    ConfigurationError,
    Hooks,
    InvalidArgumentError,
    NotFoundError,
    RateLimitError,
    RequestEvent,
    ResponseEvent,
    RetryPolicy,
)
from voucherify_async._calls import logs
from voucherify_async._calls.caller import Caller
from voucherify_async.testing import FakeVoucherify

pytestmark = pytest.mark.anyio

CARD = {
    "id": "v_1",
    "object": "voucher",
    "code": "SECRET-CODE",
    "type": "GIFT_VOUCHER",
    "gift": {"amount": 500, "balance": 200},
}
POLICY = RetryPolicy(backoff=2, random=lambda: 1.0)


class Heard(list[Any]):
    """Hooks that note what they hear; every second one is async."""

    def hooks(self) -> Hooks:
        """Return them."""

        async def later(event: RequestEvent) -> None:
            self.append(event)

        return Hooks(on_request=self.append, on_response=later, on_retry=self.append, on_wait=later)

    @property
    def kinds(self) -> list[str]:
        """What was heard, in order."""
        return [type(event).__name__ for event in self]


def answered(json: Any = None, status: int = 200, **headers: str) -> httpx.Response:
    """An answer with an id of its request."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = CARD if json is None else json
    return httpx.Response(status, json=body, headers={"X-Request-Id": "req_1", **named})


def last_of_a_window(clock: MovedClock, seconds: int) -> httpx.Response:
    """An answer after which the quota is used up for so long."""
    opens_at = str(int(clock.now) + seconds)
    return answered(X_Rate_Limit_Limit="1", X_Rate_Limit_Remaining="0", X_Rate_Limit_Retry=opens_at)


async def test_hooks_hear_each_attempt() -> None:
    """Hooks hear of every attempt and wait, with route, status and time, and never of the code."""
    heard, clock = Heard(), MovedClock()
    wire = Wire(answered({}, 502), _raise, answered())
    async with wire.client(hooks=heard.hooks(), clock=clock, retry=POLICY) as client:
        await client.vouchers.get("SECRET-CODE")
    attempt = ["RequestEvent", "ResponseEvent"]
    assert heard.kinds == [*attempt, "RetryEvent", *attempt, "RetryEvent", *attempt]
    assert [event.attempt for event in heard] == [1, 1, 1, 2, 2, 2, 3, 3]
    assert {event.route for event in heard} == {"/v1/vouchers/{code}"}
    assert [getattr(event, "status_code", "") for event in heard] == [
        *("", 502, 502),
        *("", None, None),
        *("", 200),
    ]
    assert (heard[4].error, heard[2].wait, heard[5].wait) == ("ConnectError", 2, 4)
    assert heard[-1].request_id == "req_1"
    assert heard[-1].headers["x-request-id"] == "req_1"
    assert "SECRET-CODE" not in repr(heard)
    assert "token" not in repr(heard)
    assert pickle.loads(pickle.dumps(heard[0])) == heard[0]


def _raise(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


async def test_a_hook_hears_of_a_wait_for_the_quota() -> None:
    """`on_wait` hears how long the quota stays closed, before the wait."""
    heard, clock = Heard(), MovedClock()
    wire = Wire(last_of_a_window(clock, 7))
    async with wire.client(hooks=heard.hooks(), clock=clock) as client:
        await client.vouchers.get("SECRET-CODE")
        policy = RetryPolicy(max_wait=60)
        await client.vouchers.get("SECRET-CODE", retry=policy)
    waits = [event for event in heard if type(event).__name__ == "WaitEvent"]
    assert [event.wait for event in waits] == [7]


async def test_hooks_hear_the_end_of_what_was_not_sent() -> None:
    """A call that the quota refuses does not wait, and its `on_request` has an `on_response`."""
    heard, clock = Heard(), MovedClock()
    wire = Wire(last_of_a_window(clock, 70))
    async with wire.client(hooks=heard.hooks(), clock=clock) as client:
        await client.vouchers.get("SECRET-CODE")
        heard.clear()
        with pytest.raises(RateLimitError):
            await client.vouchers.get("SECRET-CODE")
    assert heard.kinds == ["RequestEvent", "ResponseEvent"]
    end = heard[-1]
    assert (end.status_code, end.error, end.request_id) == (None, "RateLimitError", None)


async def test_hooks_cannot_change_what_they_hear_of() -> None:
    """The headers that a hook gets are a copy without cookies, and the call goes by its own."""

    def change(event: ResponseEvent) -> None:
        assert isinstance(event.headers, dict)
        seen.append(dict(event.headers))
        event.headers["retry-after"] = "0"

    seen: list[dict[str, str]] = []
    clock = MovedClock()
    wire = Wire(answered({}, 429, Retry_After="7", Set_Cookie="session=secret"), answered())
    async with wire.client(hooks=Hooks(on_response=change), clock=clock, retry=POLICY) as client:
        began = clock.now
        await client.vouchers.get("SECRET-CODE")
    assert clock.now - began == 7
    assert "set-cookie" not in seen[0]


@pytest.mark.parametrize("name", ["on_request", "on_response", "on_retry"])
async def test_a_hook_that_raises_loses_no_answer(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """What a hook raises is logged; a write that was done is told as done."""

    def broken(_: Any) -> None:
        raise RuntimeError("of the hook")

    balance: dict[str, Any] = {
        "object": "balance",
        "amount": 5,
        "total": 5,
        "balance": 5,
        "type": "gift_voucher",
    }
    balance["type"] = "gift_voucher"
    balance["related_object"] = {"type": "voucher", "id": "v_1"}
    wire = Wire(answered({}, 429), answered(balance))
    hooks = Hooks(**{name: broken})
    async with wire.client(hooks=hooks, clock=MovedClock(), retry=POLICY) as client:
        with caplog.at_level(logging.ERROR, "voucherify_async"):
            done = await client.vouchers.update_balance("SECRET-CODE", 5)
    assert done.amount == 5
    assert len(wire.requests) == 2
    assert "A hook failed" in caplog.text


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("name", ["on_request", "on_response"])
async def test_the_cancellation_of_what_a_hook_waits_for_is_not_the_call_s(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A hook may wait for a task that somebody ends; the call's own cancellation still ends it."""

    async def waiting(_: Any) -> None:
        ended = asyncio.create_task(asyncio.sleep(60))
        ended.cancel()
        await ended

    async def stuck(_: Any) -> None:
        await asyncio.sleep(60)

    wire = Wire(answered())
    async with wire.client(hooks=Hooks(**{name: waiting})) as client:
        assert (await client.vouchers.get("SECRET-CODE")).code == "SECRET-CODE"
    assert "A hook failed" in caplog.text
    async with wire.client(hooks=Hooks(**{name: stuck})) as client:
        call = asyncio.create_task(client.vouchers.get("SECRET-CODE"))
        await settle()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call


async def test_a_hook_may_call_the_client() -> None:
    """Hooks run outside the limits: one that calls the client is not stuck behind its own call."""
    seen: list[str] = []

    async def look(event: RequestEvent) -> None:
        if event.attempt == 1 and not seen:
            seen.append(event.route)
            await client.vouchers.get("OTHER")

    def answer(request: httpx.Request) -> httpx.Response:
        return answered({**CARD, "code": request.url.path.rpartition("/")[2]})

    hooks = Hooks(on_response=look)
    async with Wire(answer).client(hooks=hooks, max_concurrency=1) as client:
        await client.vouchers.get("SECRET-CODE")
    assert seen == ["/v1/vouchers/{code}"]


async def test_other_clients_of_the_same_are_watched_too() -> None:
    """`with_options` and raw answers keep the hooks."""
    heard = Heard()
    async with Wire(answered()).client(hooks=heard.hooks()) as client:
        await client.with_options(timeout=5).vouchers.get("SECRET-CODE")
        await client.vouchers.with_raw_response.get("SECRET-CODE")
    assert heard.kinds == ["RequestEvent", "ResponseEvent"] * 2


def test_hooks_are_checked() -> None:
    """What cannot be called is refused when it is given."""
    with pytest.raises(InvalidArgumentError, match="on_retry"):
        Hooks(on_retry="print")  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="hooks"):
        AsyncVoucherify("id", "token", hooks={"on_retry": print})  # type: ignore[arg-type]


async def test_one_span_a_call(spans: Any) -> None:
    """A call is one span with its route, status and resends, whatever it took."""
    wire = Wire(answered({}, 502), answered())
    async with wire.client(clock=MovedClock(), retry=POLICY) as client:
        with trace.get_tracer("shop").start_as_current_span("checkout"):
            await client.vouchers.get("SECRET-CODE")
    span, outer = spans()
    assert (span.name, span.kind) == ("vouchers.get", trace.SpanKind.CLIENT)
    assert span.parent is not None
    assert span.parent.span_id == outer.context.span_id
    assert dict(span.attributes) == {
        "http.request.method": "GET",
        "url.template": "/v1/vouchers/{code}",
        "server.address": "api.voucherify.io",
        "http.request.resend_count": 1,
        "http.response.status_code": 200,
        "voucherify.request_id": "req_1",
    }
    assert span.status.is_ok


async def test_every_backend_is_watched_alike(
    served: str, fake: FakeVoucherify, http_backend: Any, spans: Any
) -> None:
    """Over sockets too a call is one span, and each of its attempts is told to the hooks."""
    fake.faults.status(502, headers={"Retry-After": "0"})
    heard = Heard()
    async with AsyncVoucherify(
        "id", "token", base_url=served, hooks=heard.hooks(), http_backend=http_backend
    ) as client:
        await client.vouchers.get("CARD")
    attempt = ["RequestEvent", "ResponseEvent"]
    assert heard.kinds == [*attempt, "RetryEvent", *attempt]
    assert [event.status_code for event in heard[1::3]] == [502, 200]
    (span,) = spans()
    assert span.name == "vouchers.get"
    assert span.attributes["http.request.resend_count"] == 1
    assert span.attributes["voucherify.request_id"] == heard[-1].request_id


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (answered({"code": 404, "key": "not_found", "message": "SECRET-CODE"}, 404), NotFoundError),
        (answered({"code": 429, "key": "too_many", "message": "SECRET-CODE"}, 429), RateLimitError),
        (answered(b"SECRET-CODE".decode(), 502), AmbiguousOutcomeError),
    ],
)
async def test_a_span_tells_an_error_by_its_class(
    spans: Any, answer: httpx.Response, error: type[Exception]
) -> None:
    """A failed call marks its span with the class of the error, and shows no code and no token."""
    async with Wire(answer).client() as client:
        with pytest.raises(error) as caught:
            await client.vouchers.enable("SECRET-CODE")
    (span,) = spans()
    assert not span.status.is_ok
    assert span.attributes["error.type"] == type(caught.value).__name__
    assert span.attributes["http.response.status_code"] == answer.status_code
    assert "SECRET-CODE" not in span.to_json()
    assert "token" not in span.to_json()


async def test_nobody_watches_for_nothing() -> None:
    """Without hooks and OpenTelemetry a client has the plain caller."""
    async with Wire(answered()).client() as client:
        assert isinstance(client._caller, Caller)
        with pytest.MonkeyPatch.context() as patch:
            patch.delitem(sys.modules, "opentelemetry.trace")
            async with Wire(answered()).client() as plain:
                assert type(plain._caller) is Caller


@pytest.mark.parametrize(("level", "lines"), [("debug", 3), ("info", 1), ("INFO", 1), ("", 0)])
@pytest.mark.parametrize("is_set_up", [False, True])
async def test_the_environment_switches_the_log_on(
    level: str,
    lines: int,
    is_set_up: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """`VOUCHERIFY_LOG` writes attempts (debug) or just repetitions (info), each once, no code."""
    logger = logging.getLogger("voucherify_async")
    monkeypatch.setenv("VOUCHERIFY_LOG", level)
    monkeypatch.setattr(logger, "handlers", [])
    monkeypatch.setattr(logging.root, "handlers", [logging.StreamHandler()] if is_set_up else [])
    monkeypatch.setattr(logger, "level", logging.NOTSET)
    for _ in range(2):  # a second client adds no second handler
        client = Wire(answered({}, 502), answered()).client(clock=MovedClock(), retry=POLICY)
        await client.aclose()
    async with Wire(answered({}, 502), answered()).client(
        clock=MovedClock(), retry=POLICY
    ) as client:
        await client.vouchers.get("SECRET-CODE")
    logger._cache.clear()  # type: ignore[attr-defined]
    written = capsys.readouterr().err
    assert len(written.splitlines()) == lines
    assert "SECRET-CODE" not in written


def test_a_level_that_there_is_not_is_ignored_with_a_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It says once which levels there are, and the client works."""
    logs._note_ignored.cache_clear()
    monkeypatch.setenv("VOUCHERIFY_LOG", "loud")
    for _ in range(2):
        AsyncVoucherify("id", "token")
    assert [r.getMessage() for r in caplog.records] == [
        "VOUCHERIFY_LOG: expected debug or info, got 'loud', which is ignored"
    ]
