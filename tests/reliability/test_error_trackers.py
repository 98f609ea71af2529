"""What the real Sentry SDK writes out of an error, the variables of every frame included."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import httpx
import pytest
import sentry_sdk
from sentry_sdk.envelope import Envelope
from sentry_sdk.scrubber import EventScrubber
from sentry_sdk.transport import Transport

from voucherify_async import (
    ApiKeyAuth,
    AsyncVoucherify,
    BearerAuth,
    OAuthClientCredentials,
)
from voucherify_async.testing import FakeVoucherify

from .conftest import MovingClock

pytestmark = [pytest.mark.anyio, pytest.mark.sampled(ways=2)]

# Put together here, so that the lines of source in an event do not hold them.
ID, TOKEN, BEARER, GATEWAY = (f"s3cr3t-{name}" for name in ("id", "token", "bearer", "gateway"))
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
