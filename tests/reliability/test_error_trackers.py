"""What the real Sentry SDK writes out of an error, the variables of every frame included."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from typing import Any

import httpx
import pytest
import sentry_sdk
from attrs import asdict
from opentelemetry.sdk.trace import ReadableSpan
from sentry_sdk.envelope import Envelope
from sentry_sdk.scrubber import EventScrubber
from sentry_sdk.transport import Transport

from voucherify_async import (
    ApiKeyAuth,
    AsyncVoucherify,
    BearerAuth,
    Hooks,
    OAuthClientCredentials,
    RetryPolicy,
    VoucherifyError,
)
from voucherify_async.testing import FakeVoucherify
from voucherify_async.webhooks import sign, unwrap, verify

from .conftest import MovingClock

pytestmark = [pytest.mark.anyio, pytest.mark.sampled(ways=2)]

# Put together here, so that the lines of source in an event do not hold them.
ID, TOKEN, BEARER, GATEWAY = (f"s3cr3t-{name}" for name in ("id", "token", "bearer", "gateway"))
SECRET, OTHER = (f"s3cr3t-{name}" for name in ("webhook", "signer"))
OWN = {"Authorization": f"Bearer {BEARER}"}
KEYS: dict[str, Any] = {"app_id": ID, "app_token": TOKEN}


class Kept(Transport):
    """Keeps the events that would go to Sentry."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[Any] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        """Keep one."""
        self.events.append(envelope.get_event())


class Unscrubbed(EventScrubber):
    """Keeps Sentry from masking what is called `token`, as other trackers do not."""

    def scrub_event(self, event: Any) -> None:
        """Leave it as it is."""


@pytest.fixture
def report() -> Iterator[Callable[[BaseException], str]]:
    """Reports an error to Sentry, and returns the event as it would be sent."""
    transport = Kept()
    tracker = sentry_sdk.Client(
        dsn="http://key@127.0.0.1:9/1",
        transport=transport,
        include_local_variables=True,
        event_scrubber=Unscrubbed(),
        max_value_length=1_000_000,
        default_integrations=False,
    )

    def capture(error: BaseException) -> str:
        with sentry_sdk.new_scope() as scope:
            scope.set_client(tracker)
            scope.capture_exception(error)
        return json.dumps(transport.events.pop())

    yield capture
    tracker.close()


class Careless:
    """An auth of a user's own that signs with a plain mapping, and with what it was made of."""

    def __init__(self, headers: Any) -> None:
        self._headers = headers

    async def headers(self, *_: Any) -> Any:
        """The headers as they are."""
        return self._headers

    def rejected(self, headers: Any) -> bool:  # noqa: ARG002
        """No more tries."""
        return False


AUTHS: dict[str, Callable[[], Any]] = {
    "keys": lambda: ApiKeyAuth(ID, TOKEN),
    "bearer": lambda: BearerAuth(BEARER),
    "oauth": lambda: OAuthClientCredentials(ID, TOKEN),
    "service key": lambda: OAuthClientCredentials(ID, TOKEN, project_id="p"),
    "a user's own": lambda: Careless({"X-App-Id": ID, "X-App-Token": TOKEN}),
}
FAULTS: dict[str, Callable[[FakeVoucherify], Any]] = {
    "connect failure": lambda f: f.faults.refuse(times=None),
    "reset": lambda f: f.faults.reset(times=None),
    "cut answer": lambda f: f.faults.cut_body(times=None),
    "no answer in time": lambda f: f.faults.timeout("read", times=None),
    "401": lambda f: f.faults.status(401, times=None),
    "500": lambda f: f.faults.status(500, times=None),
    "garbage": lambda f: f.faults.garbage(times=None),
    "closed quota": lambda f: f.faults.rate_limited(99, times=None),
}


def is_secret_in(event: str) -> bool:
    """Whether an event holds a secret; it must hold the variables of our frames."""
    assert "voucherify_async" in event
    assert '"vars"' in event
    return "s3cr3t" in event


async def caught(awaitable: Awaitable[Any]) -> BaseException:
    """What something ends with."""
    try:
        await awaitable
    except Exception as error:  # noqa: BLE001
        return error
    raise AssertionError


@pytest.mark.parametrize("fault", FAULTS.values(), ids=list(FAULTS))
async def test_no_event_of_a_failed_call_holds_a_credential(
    served: str,
    fake: FakeVoucherify,
    http_backend: Any,
    report: Callable[[BaseException], str],
    fault: Callable[[FakeVoucherify], Any],
) -> None:
    """Whatever a call meets, signed in whatever way, on every backend."""
    fake.add_token(BEARER)
    body = {"access_token": BEARER, "expires_in": 900}
    fake.faults.status(200, body=body, path="oauth", times=None)
    fault(fake)
    for auth in AUTHS.values():
        async with AsyncVoucherify(
            auth=auth(),
            base_url=served,
            retry=None,
            timeout=0.05 if fault is FAULTS["no answer in time"] else 5,
            http_backend=http_backend,
            headers={"X-Gateway": GATEWAY},
        ) as client:
            error = await caught(client.vouchers.update_balance("CARD", 5))
        assert not is_secret_in(report(error))


@pytest.mark.parametrize("fault", FAULTS.values(), ids=list(FAULTS))
async def test_no_event_of_a_failed_token_request_holds_one(
    served: str,
    fake: FakeVoucherify,
    report: Callable[[BaseException], str],
    fault: Callable[[FakeVoucherify], Any],
) -> None:
    """The secret that a token is asked for with stands in none."""
    fault(fake)
    auth = OAuthClientCredentials(ID, TOKEN)
    timeout = 0.05 if fault is FAULTS["no answer in time"] else 5
    async with AsyncVoucherify(auth=auth, base_url=served, retry=None, timeout=timeout) as client:
        error = await caught(client.vouchers.get("CARD"))
    assert not is_secret_in(report(error))


@pytest.mark.parametrize("name", ["connect failure", "reset", "401", "500"])
async def test_no_event_of_a_failed_revocation_holds_the_token(
    fake: FakeVoucherify, report: Callable[[BaseException], str], name: str
) -> None:
    """A token that cannot be revoked stands in a form, and stays good."""
    auth = OAuthClientCredentials(ID, TOKEN)
    fake.add_token(BEARER)
    body = {"access_token": BEARER, "expires_in": 900}
    fake.faults.status(200, body=body, path="oauth")
    async with fake, fake.client(auth=auth, retry=None) as client:
        await client.vouchers.get("CARD")
        FAULTS[name](fake)
        error = await caught(auth.revoke())
    assert not is_secret_in(report(error))


@pytest.mark.parametrize(
    "body",
    [
        b'{"access_token": "' + BEARER.encode(),
        b'{"access_token": ["' + BEARER.encode() + b'"]}',
        b'{"access_token": "' + BEARER.encode() + b'\\r\\nX-Evil: 1"}',
        b'{"access_token": "' + BEARER.encode() + b'", "expires_in": "x"}',
    ],
    ids=["cut", "of another type", "none that a header can carry", "with a strange life"],
)
async def test_no_event_of_a_strange_token_answer_holds_a_token(
    fake: FakeVoucherify,
    clock: MovingClock,
    report: Callable[[BaseException], str],
    body: bytes,
) -> None:
    """What came in place of a token may hold one."""
    fake.faults.status(200, body=body, path="oauth", times=None)
    auth = OAuthClientCredentials(ID, TOKEN)
    async with fake, fake.client(auth=auth, clock=clock, retry=None) as client:
        error = await caught(client.vouchers.get("CARD"))
    assert not is_secret_in(report(error))


@pytest.mark.parametrize(
    "headers",
    [
        {"X-App-Token": TOKEN + "\r\nX-Evil: 1"},
        {"X-App-Token": TOKEN + "ü"},
        {"X-App-Token": TOKEN.encode()},
        {TOKEN + " ": "x"},
        [("X-App-Token", TOKEN)],
        TOKEN,
    ],
    ids=["line break", "letter", "bytes", "name", "list", "text"],
)
async def test_no_event_of_a_header_that_cannot_be_sent_holds_one(
    fake: FakeVoucherify,
    clock: MovingClock,
    report: Callable[[BaseException], str],
    headers: Any,
) -> None:
    """A header that HTTP cannot carry is refused before any HTTP library sees and quotes it."""
    async with fake, fake.client(auth=Careless(headers), clock=clock) as client:
        error = await caught(client.vouchers.get("CARD"))
        assert not is_secret_in(report(error))
    async with fake, fake.client(clock=clock) as client:
        error = await caught(client.request("GET", "/v1/x", headers=headers))
        assert not is_secret_in(report(error))


@pytest.mark.parametrize("where", ["transport", "hook", "auth"])
async def test_no_event_of_an_error_inside_an_injected_client_holds_one(
    clock: MovingClock, report: Callable[[BaseException], str], where: str
) -> None:
    """Foreign errors pass through our frames with their own trace."""

    async def fail(*_: Any) -> Any:
        raise RuntimeError("a bug")

    class Failing(Careless):
        async def headers(self, *_: Any) -> Any:
            raise RuntimeError("a bug")

    class FailingTransport(httpx.AsyncBaseTransport):
        handle_async_request = fail  # type: ignore[assignment]

    transport = FailingTransport() if where == "transport" else None
    hooks = {"request": [fail]} if where == "hook" else {}
    auth: Any = Failing({}) if where == "auth" else ApiKeyAuth(ID, TOKEN)
    async with httpx.AsyncClient(transport=transport, event_hooks=hooks) as http:
        client = AsyncVoucherify(
            auth=auth, clock=clock, http_client=http, headers={"X-Gateway": GATEWAY}
        )
        error = await caught(client.vouchers.get("CARD"))
    assert str(error) == "a bug"
    assert not is_secret_in(report(error))


SETTINGS: dict[str, Callable[[], Any]] = {
    "address": lambda: AsyncVoucherify(**KEYS, base_url="ftp://x"),
    "password": lambda: AsyncVoucherify(**KEYS, base_url=f"https://user:{TOKEN}@host"),
    "concurrency": lambda: AsyncVoucherify(**KEYS, max_concurrency=0),
    "timeout": lambda: AsyncVoucherify(**KEYS, timeout=-1),
    "header": lambda: AsyncVoucherify(**KEYS, headers={"X-Gateway": GATEWAY + "\n"}),
    "another header": lambda: AsyncVoucherify(**KEYS, headers={"X-G": GATEWAY, "X Y": "1"}),
    "version": lambda: AsyncVoucherify(**KEYS, headers={"X-G": GATEWAY}, api_version="\n"),
    "id": lambda: AsyncVoucherify("", TOKEN),
    "token": lambda: AsyncVoucherify(ID, TOKEN + "\n"),
    "both": lambda: AsyncVoucherify(ID, TOKEN, auth=ApiKeyAuth(ID, TOKEN)),
    "keys": lambda: ApiKeyAuth(ID, TOKEN + "\n"),
    "no id": lambda: ApiKeyAuth("", TOKEN),
    "bearer": lambda: BearerAuth(BEARER + "\n"),
    "scope": lambda: OAuthClientCredentials(ID, TOKEN, scope=[]),
    "client": lambda: OAuthClientCredentials(ID, TOKEN + "\n"),
    "options": lambda: AsyncVoucherify(**KEYS).with_options(headers={"X-Gateway": GATEWAY + "\n"}),
}


@pytest.mark.parametrize("make", SETTINGS.values(), ids=list(SETTINGS))
def test_no_event_of_a_wrong_setting_holds_one(
    report: Callable[[BaseException], str], make: Callable[[], Any]
) -> None:
    """The arguments of our own functions are variables too."""
    with pytest.raises(ValueError) as raised:  # noqa: PT011
        make()
    assert not is_secret_in(report(raised.value))


def test_no_event_holds_one_of_the_environment(
    report: Callable[[BaseException], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token of the environment is not shown where its id is missing."""
    monkeypatch.setenv("VOUCHERIFY_APP_TOKEN", TOKEN)
    with pytest.raises(ValueError, match="app_id") as raised:
        AsyncVoucherify()
    assert not is_secret_in(report(raised.value))


BODY = b'{"id": "whs_1"}'
WEBHOOKS: dict[str, Callable[[], Any]] = {
    "wrong signature": lambda: unwrap(BODY, sign(BODY, OTHER), SECRET),
    "wrong signature, several secrets": lambda: verify(BODY, "0" * 64, [SECRET, OTHER]),
    "a signature that is no text": lambda: unwrap(BODY, b"0" * 64, SECRET),  # type: ignore[arg-type]
    "missing header": lambda: unwrap(BODY, None, SECRET),
    "one empty secret": lambda: verify(BODY, "0" * 64, [SECRET, ""]),
    "bytes for a secret": lambda: unwrap(BODY, "0" * 64, SECRET.encode()),  # type: ignore[arg-type]
    "a mapping for secrets": lambda: verify(BODY, "0" * 64, {"secret": SECRET}),  # type: ignore[arg-type]
    "a signer's empty secret": lambda: sign(BODY, ["", SECRET]),  # type: ignore[arg-type]
    "not bytes": lambda: unwrap(BODY.decode(), "0" * 64, SECRET),  # type: ignore[arg-type]
    "not bytes to sign": lambda: sign({"id": "whs_1"}, SECRET),  # type: ignore[arg-type]
    "not JSON": lambda: unwrap(b"{", sign(b"{", SECRET), SECRET),
    "not an event": lambda: unwrap(b"[]", sign(b"[]", SECRET), SECRET),
    "not the data of one": lambda: unwrap(b'{"data":7}', sign(b'{"data":7}', SECRET), [SECRET]),
    "not the type of one": lambda: unwrap(b'{"type":7}', sign(b'{"type":7}', SECRET), [SECRET]),
}


@pytest.mark.parametrize("check", WEBHOOKS.values(), ids=list(WEBHOOKS))
def test_no_event_of_a_refused_webhook_holds_the_secret(
    report: Callable[[BaseException], str], check: Callable[[], Any]
) -> None:
    """Nor the signature that the secret would have made: whoever knows it can forge the webhook."""
    with pytest.raises(VoucherifyError) as raised:
        check()
    event = report(raised.value)
    assert not is_secret_in(event)
    assert sign(BODY, SECRET) not in event


Callers = dict[str, Callable[[AsyncVoucherify], Awaitable[Any]]]


async def _items() -> AsyncIterator[Any]:
    yield {"code": "CARD", "metadata": {}}
    raise RuntimeError("of the caller's own")


TWICE = RetryPolicy(max_attempts=2, max_wait=1)
WATCHED: Callers = {
    "a read": lambda c: c.vouchers.get("CARD", extra_headers=OWN),
    "a write": lambda c: c.vouchers.update_balance("CARD", 5, extra_headers=OWN),
    "a redemption": lambda c: c.redemptions.redeem(
        redeemables=["CARD"], order={"amount": 5}, confirm=True, extra_headers=OWN
    ),
    "a raw answer": lambda c: c.vouchers.with_raw_response.enable("CARD", extra_headers=OWN),
    "a listing": lambda c: c.vouchers.list_all(extra_headers=OWN, retry=TWICE).collect(),
    "a search": lambda c: c.transactions.find("CARD", source_id="x", extra_headers=OWN),
    "any request": lambda c: c.request("POST", "/v1/x", headers=OWN, extra_headers=OWN),
    "lookups": lambda c: _unwrapped(c, extra_headers=OWN, retry=TWICE),
}


async def _unwrapped(client: AsyncVoucherify, **options: Any) -> Any:
    made = client.vouchers.get_many(["CARD"], **options)
    del options  # of this test's own
    return (await made)[0].unwrap()


@pytest.mark.sampled(ways=2, whole=3)
@pytest.mark.parametrize("fault", FAULTS.values(), ids=list(FAULTS))
@pytest.mark.parametrize("call", WATCHED.values(), ids=list(WATCHED))
async def test_nothing_that_watches_a_failed_call_hears_a_credential(
    served: str,
    fake: FakeVoucherify,
    clock: MovingClock,
    http_backend: Any,
    report: Callable[[BaseException], str],
    spans: Callable[[], Sequence[ReadableSpan]],
    caplog: pytest.LogCaptureFixture,
    call: Callable[[AsyncVoucherify], Awaitable[Any]],
    fault: Callable[[FakeVoucherify], Any],
) -> None:
    """Neither an error's event, nor a span, a hook, the log, or the event of a hook that failed."""
    fault(fake)
    heard: list[Any] = []

    def failing(event: Any) -> None:
        heard.append(event)
        raise RuntimeError("of the hook")

    async def failing_later(event: Any) -> None:
        failing(event)

    caplog.set_level(logging.DEBUG, "voucherify_async")
    async with AsyncVoucherify(
        ID,
        TOKEN,
        base_url=served,
        clock=clock,
        retry=TWICE,
        timeout=0.05 if fault is FAULTS["no answer in time"] else 5,
        http_backend=http_backend,
        headers={"X-Gateway": GATEWAY},
        hooks=Hooks(
            on_request=failing,
            on_response=failing_later,
            on_retry=failing_later,
            on_wait=failing,
        ),
    ) as client:
        error = await caught(call(client))
    assert not is_secret_in(report(error))
    of_hooks = [record.exc_info[1] for record in caplog.records if record.exc_info]
    assert len(of_hooks) == len(heard) > 1
    assert not any(is_secret_in(report(error)) for error in of_hooks if error is not None)
    told = [repr(heard), *map(repr, map(asdict, heard)), *(span.to_json() for span in spans())]
    assert len(told) > 2
    assert "s3cr3t" not in caplog.text + "".join(told)


REFUSED: Callers = {
    "a header's value": lambda c: c.vouchers.get(
        "CARD", extra_headers={"X-Key": f"{TOKEN}\n"}
    ),
    "a header's name": lambda c: c.vouchers.list(extra_headers={"X-Key": TOKEN, "X Y": "z"}),
    "no mapping": lambda c: c.vouchers.get("CARD", extra_headers=[TOKEN]),  # type: ignore[arg-type]
    "a misspelt option": lambda c: c.vouchers.get("CARD", extra_headers=OWN, tiemout=3),  # type: ignore[call-arg]
    "a misspelt key": lambda c: c.validations.validate(
        redeemables=["CARD"], ordr={}, extra_headers=OWN  # type: ignore[call-arg]
    ),
    "a timeout": lambda c: c.vouchers.get("CARD", extra_headers=OWN, timeout="3"),
    "a raw timeout": lambda c: c.vouchers.with_raw_response.get(
        "CARD", extra_headers=OWN, timeout="3"
    ),
    "a path": lambda c: c.request("GET", "v1", extra_headers=OWN),
    "items": lambda c: c.vouchers.update_in_bulk(_items(), extra_headers=OWN),
    "a file": lambda c: c.imports.csv("/nowhere.csv", extra_headers=OWN),
    "what is settled": lambda c: c.settle(RuntimeError(), extra_headers=OWN),  # type: ignore[arg-type]
}  # fmt: skip


@pytest.mark.parametrize("call", REFUSED.values(), ids=list(REFUSED))
async def test_no_event_of_a_refused_option_holds_a_header(
    fake: FakeVoucherify,
    report: Callable[[BaseException], str],
    call: Callable[[AsyncVoucherify], Awaitable[Any]],
) -> None:
    """The headers of one call are out of sight before anything about the call is refused."""

    async def made(client: AsyncVoucherify) -> Any:
        return await call(client)

    async with fake, fake.client() as client:
        error = await caught(made(client))
    assert not is_secret_in(report(error))
