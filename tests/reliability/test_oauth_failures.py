"""OAuth tokens: revoked, refused, not to be had."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import pytest

from voucherify_async import (
    AmbiguousOutcomeError,
    ConfigurationError,
    OAuthClientCredentials,
    ResponseValidationError,
    ServerError,
    TransportError,
    VoucherifyError,
)
from voucherify_async.testing import FakeVoucherify

from .conftest import MovingClock
from .faults import oauth_client, token_requests

pytestmark = pytest.mark.anyio

CODE = "SECRET-CODE-1"


async def test_revoke_ends_the_token(fake: FakeVoucherify, clock: MovingClock) -> None:
    """`revoke()` ends it at Voucherify; the next call fetches another."""
    auth = OAuthClientCredentials("the-id", "the-secret")
    await auth.revoke()
    async with fake, oauth_client(fake, clock, auth=auth) as client:
        await client.vouchers.get(CODE)
        token = fake.requests[1].headers["authorization"].removeprefix("Bearer ")
        await auth.revoke()
        revoked = fake.requests[-1]
        assert revoked.path == "/v1/oauth/token/revoke"
        assert parse_qs(revoked.body.decode()) == {"access_token": [token]}
        assert revoked.headers["x-app-token"] == "the-secret"
        await auth.revoke()
        assert fake.requests[-1] is revoked
        await client.vouchers.get(CODE)
    assert fake.tokens_issued == 2


async def test_revoke_can_be_called_again(fake: FakeVoucherify, clock: MovingClock) -> None:
    """A revocation that met no answer is repeated, and can be asked for again; 404 means done."""
    auth = OAuthClientCredentials("the-id", "the-secret")
    async with fake, oauth_client(fake, clock, auth=auth) as client:
        await client.vouchers.get(CODE)
        fake.faults.refuse(path="revoke", times=4)
        with pytest.raises(TransportError):
            await auth.revoke()
        lost = fake.faults.lose_answer(path="revoke")
        await auth.revoke()
        assert lost.fired
        count = len(fake.requests)
        await auth.revoke()
        assert len(fake.requests) == count


async def test_a_token_endpoint_that_stumbles_is_asked_again(
    fake: FakeVoucherify, clock: MovingClock
) -> None:
    """Transient failures of the token endpoint are repeated: a token too many does no harm."""
    async with fake, oauth_client(fake, clock) as client:
        fake.faults.lose_answer(path="oauth")
        fake.faults.status(503, path="oauth")
        fake.faults.rate_limited(3, path="oauth")
        await client.vouchers.get(CODE)
    assert len(token_requests(fake)) == 4
    assert clock.slept == [0.5, 1, 3]


@pytest.mark.parametrize("fault", ["timeout", "reset", "status", "garbage", "redirect"])
async def test_a_post_without_a_token_is_not_ambiguous(
    fake: FakeVoucherify, clock: MovingClock, fault: str
) -> None:
    """Where the token cannot be had nothing of the call was sent, and a POST did not happen."""
    where: dict[str, Any] = {"path": "oauth", "times": None}
    make = {
        "timeout": lambda: fake.faults.timeout("read", **where),
        "reset": lambda: fake.faults.reset(**where),
        "status": lambda: fake.faults.status(500, **where),
        "garbage": lambda: fake.faults.garbage(**where),
        "redirect": lambda: fake.faults.status(
            302, headers={"Location": "https://elsewhere.test/"}, **where
        ),
    }
    make[fault]()
    async with fake, oauth_client(fake, clock) as client:
        with pytest.raises(VoucherifyError) as caught:
            await client.vouchers.update_balance("CARD", 5)
    error = caught.value
    assert not isinstance(error, AmbiguousOutcomeError)
    expected = {"status": ServerError, "garbage": ResponseValidationError}
    assert isinstance(error, expected.get(fault, VoucherifyError))
    if isinstance(error, TransportError):
        assert not error.sent
    assert len(token_requests(fake)) == len(fake.requests) <= 4


async def test_a_lost_token_does_not_hide_an_attempt_before(
    fake: FakeVoucherify, clock: MovingClock
) -> None:
    """A PUT whose answer was lost, and which cannot be signed again, may have happened."""
    async with fake, oauth_client(fake, clock) as client:
        await client.vouchers.get(CODE)
        fake.faults.lose_answer(method="PUT")
        fake.faults.end_token(method="PUT")
        fake.faults.status(403, path="oauth")
        with pytest.raises(AmbiguousOutcomeError):
            await client.vouchers.update(CODE, {"category": "x"})


@pytest.mark.parametrize(
    "arguments",
    [("", "s"), ("i", ""), ("i", "s\n"), (" i", "s"), ("i", "s "), ("i", "geheimß")],
)
def test_credentials_that_no_header_carries_are_refused(arguments: tuple[str, str]) -> None:
    """What HTTP would refuse later, in an error that quotes it, is refused here without quoting."""
    with pytest.raises(ConfigurationError) as caught:
        OAuthClientCredentials(*arguments)
    assert "geheim" not in str(caught.value)
    with pytest.raises(ConfigurationError, match="scope"):
        OAuthClientCredentials("i", "s", scope=" ")
