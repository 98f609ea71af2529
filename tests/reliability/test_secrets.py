"""No secret in a repr, a log line, an exception or a pickle; none to where it does not belong."""

from __future__ import annotations

import copy
import logging
import pickle
import traceback
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

import httpx
import pytest

from voucherify_async import (
    ApiKeyAuth,
    AsyncVoucherify,
    BearerAuth,
    OAuthClientCredentials,
    VoucherifyError,
)
from voucherify_async.testing import FakeVoucherify

from ..frames import is_own
from .conftest import MovingClock, policy

pytestmark = [pytest.mark.anyio, pytest.mark.sampled(ways=2)]

CODE = "SECRET-CODE-1"
SECRETS = ("s3cr3t-id", "s3cr3t-token", "s3cr3t-bearer")
AUTHS: dict[str, Callable[[], Any]] = {
    "keys": lambda: ApiKeyAuth("s3cr3t-id", "s3cr3t-token"),
    "bearer": lambda: BearerAuth("s3cr3t-bearer"),
    "oauth": lambda: OAuthClientCredentials("s3cr3t-id", "s3cr3t-token"),
    "service key": lambda: OAuthClientCredentials("s3cr3t-id", "s3cr3t-token", project_id="p"),
}
FAULTS: dict[str, Callable[[FakeVoucherify], Any]] = {
    "reset": lambda f: f.faults.reset(times=None),
    "refuse": lambda f: f.faults.refuse(times=None),
    "timeout": lambda f: f.faults.timeout("read", times=None),
    "cut_body": lambda f: f.faults.cut_body(times=None),
    "401": lambda f: f.faults.status(401, times=None),
    "500": lambda f: f.faults.status(500, times=None),
    "garbage": lambda f: f.faults.garbage(times=None),
    "302": lambda f: f.faults.status(302, headers={"Location": "https://x.test"}, times=None),
    "429": lambda f: f.faults.rate_limited(99, times=None),
}
SENDS: dict[str, Callable[[AsyncVoucherify], Any]] = {
    "get": lambda c: c.vouchers.get(CODE),
    "balance": lambda c: c.vouchers.update_balance(CODE, 5, confirm=True),
    "create": lambda c: c.vouchers.create(CODE, {"type": "GIFT_VOUCHER", "gift": {"amount": 1}}),
    "raw": lambda c: c.request("DELETE", f"/v1/vouchers/{CODE}"),
}


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """An exception and everything behind it."""
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            for inner in error.exceptions:
                yield from chain(inner)
        # Both, whichever is shown.
        yield from chain(error.__context__ if error.__cause__ else None)
        error = error.__cause__ or error.__context__


def variables(trace: TracebackType | None) -> Iterator[str]:
    """The variables of our frames as a debugger or an error tracker shows them."""
    for frame, _ in traceback.walk_tb(trace):
        if is_own(frame):
            for value in frame.f_locals.values():
                yield repr(value)


def everything_shown(error: BaseException) -> str:
    """All that an error tracker could see of an exception."""
    shown = traceback.format_exception(error)
    for link in chain(error):
        shown += [str(link), repr(link), repr(link.args), repr(vars(link))]
        shown += variables(link.__traceback__)
    if isinstance(error, VoucherifyError):
        shown.append(repr(pickle.dumps(error)))
        shown.append(repr(vars(copy.copy(error))))
    return "\n".join(shown)


@pytest.mark.parametrize("auth", AUTHS.values(), ids=list(AUTHS))
@pytest.mark.parametrize("fault", FAULTS.values(), ids=list(FAULTS))
@pytest.mark.parametrize("send", SENDS.values(), ids=list(SENDS))
async def test_no_exception_shows_a_secret(
    fake: FakeVoucherify,
    clock: MovingClock,
    caplog: pytest.LogCaptureFixture,
    auth: Callable[[], Any],
    fault: Callable[[FakeVoucherify], Any],
    send: Callable[[AsyncVoucherify], Any],
) -> None:
    """Text, attributes, causes, contexts, our frames' variables and the log hold none."""
    caplog.set_level(logging.DEBUG, logger="voucherify_async")
    fake.add_token("s3cr3t-bearer")
    body = {"access_token": "s3cr3t-bearer", "expires_in": 900}
    fake.faults.status(200, body=body, path="oauth", times=None)
    fault(fake)
    async with fake, fake.client(auth=auth(), clock=clock, retry=policy()) as client:
        with pytest.raises(VoucherifyError) as caught:
            await send(client)
    shown = everything_shown(caught.value) + caplog.text
    assert not [secret for secret in SECRETS if secret in shown]
    assert CODE not in str(caught.value)
    assert CODE not in caplog.text
    assert caplog.text


@pytest.mark.parametrize("name", ["reset", "cut_body", "refuse"])
async def test_no_exception_over_a_socket_does(
    http_backend: Any, served: str, fake: FakeVoucherify, clock: MovingClock, name: str
) -> None:
    """Nor where a real connection broke; what is behind the error holds no frames either."""
    getattr(fake.faults, name)(times=None)
    keys = ApiKeyAuth("s3cr3t-id", "s3cr3t-token")
    async with AsyncVoucherify(
        auth=keys, base_url=served, clock=clock, retry=None, http_backend=http_backend
    ) as client:
        with pytest.raises(VoucherifyError) as caught:
            await client.vouchers.get(CODE)
    shown = everything_shown(caught.value)
    assert not [secret for secret in SECRETS if secret in shown]
    behind = list(chain(caught.value.__cause__))
    assert all(link.__traceback__ is None for link in behind)


async def test_a_header_that_cannot_be_sent_is_not_quoted(
    http_backend: Any, served: str, clock: MovingClock
) -> None:
    """The HTTP library quotes an illegal header in its error; ours does not."""

    class Careless(ApiKeyAuth):
        async def headers(self, send_form: Any, clock: Any) -> Any:  # noqa: ARG002
            return {"X-App-Id": "id", "X-App-Token": "s3cr3t-token\r\nX-Evil: 1"}

    auth = Careless("id", "token")
    async with AsyncVoucherify(
        auth=auth, base_url=served, clock=clock, retry=None, http_backend=http_backend
    ) as client:
        with pytest.raises(VoucherifyError) as caught:
            await client.vouchers.get(CODE)
    assert "s3cr3t" not in "".join(traceback.format_exception(caught.value))
    assert "s3cr3t" not in repr([vars(link) for link in chain(caught.value)])


@pytest.mark.parametrize(
    "body",
    [
        b'{"access_token": "s3cr3t-bear',
        b'{"access_token": ["s3cr3t-bearer"]}',
        b'{"token": "s3cr3t-bearer"}',
        b'["s3cr3t-bearer"]',
        b'"s3cr3t-bearer"',
        b'{"access_token": "s3cr3t-bearer\\r\\nX-Evil: 1"}',
        b'{"access_token": "s3cr3t-bearer", "expires_in": "s3cr3t-bearer"}',
    ],
)
async def test_a_broken_token_answer_is_not_quoted(
    fake: FakeVoucherify, clock: MovingClock, body: bytes
) -> None:
    """What came instead of a token may hold it, or a part of it."""
    fake.faults.status(200, body=body, path="oauth", times=None)
    async with fake, fake.client(auth=AUTHS["oauth"](), clock=clock) as client:
        with pytest.raises(VoucherifyError) as caught:
            await client.vouchers.get(CODE)
    shown = [f"{link!r} {link} {vars(link)}" for link in chain(caught.value)]
    assert "s3cr3t-bear" not in "".join(shown)


@pytest.mark.parametrize("auth", AUTHS.values(), ids=list(AUTHS))
def test_no_repr_and_no_pickle_shows_one(auth: Callable[[], Any]) -> None:
    """Reprs are silent, and pickling a holder of secrets is refused."""
    made = auth()
    client = AsyncVoucherify(auth=made, headers={"X-Proxy-Key": "s3cr3t-header"})
    settings = client._caller.settings
    for thing in (made, client, settings, client._caller, client.vouchers):
        assert "s3cr3t" not in repr(thing) + str(thing)
    for thing in (made, client, settings):
        with pytest.raises(TypeError):
            pickle.dumps(thing)
    assert "s3cr3t" not in repr(getattr(made, "_headers", ""))


@pytest.mark.parametrize("injected", [False, True])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_none_goes_across_a_redirect(
    served: str, fake: FakeVoucherify, clock: MovingClock, injected: bool, status: int
) -> None:
    """A redirect to another origin is not followed, by the own HTTP client or an injected one."""
    other = FakeVoucherify()
    other.add_voucher(code=CODE)
    with other.serve() as elsewhere:
        where = f"{elsewhere}/v1/vouchers/{CODE}"
        fake.faults.status(status, headers={"Location": where}, times=None)
        async with httpx.AsyncClient(follow_redirects=True) as http:
            options: dict[str, Any] = {"http_client": http} if injected else {}
            async with AsyncVoucherify(
                "s3cr3t-id", "s3cr3t-token", base_url=served, clock=clock, **options
            ) as client:
                with pytest.raises(VoucherifyError):
                    await client.vouchers.get(CODE)
    assert not other.requests


@pytest.mark.parametrize("path", ["//evil.test/v1", "https://evil.test/", "@evil.test", "\\evil"])
async def test_no_path_leads_to_another_origin(
    client: AsyncVoucherify, fake: FakeVoucherify, path: str
) -> None:
    """`request` takes a path of the API and no address."""
    with pytest.raises(VoucherifyError):
        await client.request("GET", path)
    assert not fake.requests
