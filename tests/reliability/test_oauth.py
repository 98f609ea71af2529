"""OAuth tokens: fetched once, renewed in time, tried once more, revoked."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import parse_qs

import anyio
import pytest

from voucherify_async import (
    AmbiguousOutcomeError,
    AsyncVoucherify,
    AuthenticationError,
    OAuthClientCredentials,
    VoucherifyError,
)
from voucherify_async.testing import FakeVoucherify

from .conftest import MovingClock
from .faults import balance, credits_sent, oauth_client, token_requests

pytestmark = pytest.mark.anyio

CODE = "SECRET-CODE-1"


async def test_v1_signs_with_the_api_keys(fake: FakeVoucherify, clock: MovingClock) -> None:
    """With API keys the token comes from v1, for the scopes that were named."""
    auth = OAuthClientCredentials("the-id", "the-secret", scope=["vouchers", "exports"])
    async with fake, oauth_client(fake, clock, auth=auth) as client:
        await client.vouchers.get(CODE)
    token, call = fake.requests
    assert (token.method, token.path) == ("POST", "/v1/oauth/token")
    assert (token.headers["x-app-id"], token.headers["x-app-token"]) == ("the-id", "the-secret")
    form = parse_qs(token.body.decode())
    assert form == {"grant_type": ["client_credentials"], "scope": ["vouchers exports"]}
    assert call.headers["authorization"].startswith("Bearer ")
    assert "x-app-token" not in call.headers


async def test_v2_signs_with_the_service_key(clock: MovingClock) -> None:
    """With a `project_id` it comes from v2, by Basic authorization."""
    fake = FakeVoucherify(now=clock.now, client_id="key", client_secret="sec")
    fake.add_voucher(code=CODE)
    auth = OAuthClientCredentials("key", "sec", project_id="proj_1", scope="api vouchers")
    async with fake, oauth_client(fake, clock, auth=auth) as client:
        await client.vouchers.get(CODE)
    token = fake.requests[0]
    assert token.path == "/v2/oauth/token"
    assert base64.b64decode(token.headers["authorization"].split()[1]) == b"key:sec"
    form = parse_qs(token.body.decode())
    assert (form["project_id"], form["scope"]) == (["proj_1"], ["api vouchers"])
    assert "x-app-id" not in token.headers


async def test_a_token_is_kept_and_renewed_before_its_end(
    fake: FakeVoucherify, clock: MovingClock
) -> None:
    """A token serves until a minute before its 900 seconds are over; no request meets a 401."""
    async with fake, oauth_client(fake, clock) as client:
        for _ in range(3):
            await client.vouchers.get(CODE)
        clock.move(839)
        await client.vouchers.get(CODE)
        assert fake.tokens_issued == 1
        clock.move(2)
        await client.vouchers.get(CODE)
        assert fake.tokens_issued == 2
    assert len(fake.requests) == 2 + 5


async def test_a_short_token_is_used_for_half_its_life(
    fake: FakeVoucherify, clock: MovingClock
) -> None:
    """A token that lives no longer than the margin is still used."""
    fake.add_token("brief", lifetime=40)
    body = {"access_token": "brief", "expires_in": 40}
    fake.faults.status(200, body=body, path="oauth", times=None)
    async with fake, oauth_client(fake, clock) as client:
        await client.vouchers.get(CODE)
        clock.move(19)
        await client.vouchers.get(CODE)
        assert len(token_requests(fake)) == 1
        clock.move(2)
        await client.vouchers.get(CODE)
    assert len(token_requests(fake)) == 2


async def test_a_fan_out_fetches_one_token(fake: FakeVoucherify, clock: MovingClock) -> None:
    """200 calls at once, the token not fetched yet, ask for it once; and once more at its end."""
    async with fake, oauth_client(fake, clock, max_concurrency=200) as client:
        for fetched in (1, 2):
            stall = fake.faults.stall(path="oauth")
            async with anyio.create_task_group() as group:
                for _ in range(200):
                    group.start_soon(client.vouchers.get, CODE)
                while not stall.waiting:
                    await anyio.lowlevel.checkpoint()
                stall.release()
            assert len(token_requests(fake)) == fetched
            clock.move(900)


async def test_a_failed_fetch_fails_those_who_waited_for_it(
    fake: FakeVoucherify, clock: MovingClock
) -> None:
    """200 calls that wait for a token which is refused are refused at once, not one by one."""
    failures: list[VoucherifyError] = []

    async def get() -> None:
        try:
            await client.vouchers.get(CODE)
        except VoucherifyError as error:
            failures.append(error)

    async with fake, oauth_client(fake, clock, max_concurrency=200) as client:
        slow = fake.faults.add("slow refusal", _refuse_slowly, path="oauth", times=None)
        async with anyio.create_task_group() as group:
            for _ in range(200):
                group.start_soon(get)
    assert slow.fired == 1
    assert len(failures) == 200
    assert all(isinstance(error, AuthenticationError) for error in failures)
    assert len({id(error) for error in failures}) == 200


async def _refuse_slowly(call: Any, execute: Any) -> Any:
    from voucherify_async.testing._messages import Reply

    del call, execute
    for _ in range(300):
        await anyio.lowlevel.checkpoint()
    return Reply(401, b"", {})


async def test_a_cancelled_fetcher_strands_nobody(fake: FakeVoucherify, clock: MovingClock) -> None:
    """Who waits behind a fetcher that is cancelled fetches the token itself."""
    done: list[int] = []
    async with fake, oauth_client(fake, clock) as client:
        stall = fake.faults.stall(path="oauth")
        scopes = [anyio.CancelScope() for _ in range(20)]

        async def get(number: int) -> None:
            with scopes[number]:
                await client.vouchers.get(CODE)
                done.append(number)

        async with anyio.create_task_group() as group:
            group.start_soon(get, 0)
            while not stall.waiting:
                await anyio.lowlevel.checkpoint()
            for number in range(1, 20):
                group.start_soon(get, number)
            for _ in range(20):
                await anyio.lowlevel.checkpoint()
            for number in (0, 1, 7):
                scopes[number].cancel()
    assert sorted(done) == [n for n in range(20) if n not in {0, 1, 7}]
    assert len(token_requests(fake)) == 2


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_token_that_ends_early_is_replaced(
    fake: FakeVoucherify, clock: MovingClock, method: str
) -> None:
    """After a 401 the call is tried once more with a fresh token, a POST too."""
    async with fake, oauth_client(fake, clock) as client:
        await client.vouchers.get(CODE)
        fake.faults.end_token(path="vouchers")
        if method == "GET":
            await client.vouchers.get(CODE)
        else:
            assert (await client.vouchers.update_balance("CARD", 5)).balance == 1005
    assert fake.tokens_issued == 2
    assert clock.seconds == 0


async def test_a_proxys_401_does_not_repeat_a_write(
    fake: FakeVoucherify, clock: MovingClock
) -> None:
    """A 401 that Voucherify did not write may come after the POST was passed on."""
    async with fake, oauth_client(fake, clock) as client:
        fake.faults.status(401, body={"message": "Unauthorized"}, path="balance", applied=True)
        with pytest.raises(AmbiguousOutcomeError) as caught:
            await client.vouchers.update_balance("CARD", 5)
        assert isinstance(caught.value.__cause__, AuthenticationError)
        assert (len(credits_sent(fake)), balance(fake)) == (1, 1005)
        await client.vouchers.get(CODE)
    assert fake.tokens_issued == 2


async def test_it_is_exactly_once_more(fake: FakeVoucherify, clock: MovingClock) -> None:
    """A second 401 is final."""
    async with fake, oauth_client(fake, clock) as client:
        fake.faults.end_token(path="vouchers", times=None)
        with pytest.raises(AuthenticationError):
            await client.vouchers.get(CODE)
    assert len(fake.requests) == 4
    assert fake.tokens_issued == 2


async def test_keys_are_not_tried_again(client: AsyncVoucherify, fake: FakeVoucherify) -> None:
    """With API keys, or a ready token, a 401 is final."""
    fake.faults.status(401)
    with pytest.raises(AuthenticationError):
        await client.vouchers.get(CODE)
    assert len(fake.requests) == 1


async def test_a_fan_out_of_401_fetches_one_token(fake: FakeVoucherify, clock: MovingClock) -> None:
    """50 calls whose token was revoked behind their back replace it once."""
    auth = OAuthClientCredentials("the-id", "the-secret")
    async with fake, oauth_client(fake, clock, auth=auth, max_concurrency=50) as client:
        await client.vouchers.get(CODE)
        fake.faults.end_token(path="vouchers")
        async with anyio.create_task_group() as group:
            for _ in range(50):
                group.start_soon(client.vouchers.get, CODE)
    assert fake.tokens_issued == 2


async def test_a_late_401_does_not_drop_the_token_that_replaced_it(
    fake: FakeVoucherify, clock: MovingClock
) -> None:
    """Two calls met the end of a token; the slower one finds the new one already there."""
    async with fake, oauth_client(fake, clock) as client:
        await client.vouchers.get(CODE)
        old = fake.requests[-1].headers["authorization"].removeprefix("Bearer ")
        late = fake.faults.stall(at="headers", path="vouchers")
        fake.faults._revoke(old)
        async with anyio.create_task_group() as group:
            group.start_soon(client.vouchers.get, CODE)
            while not late.waiting:
                await anyio.lowlevel.checkpoint()
            await client.vouchers.get(CODE)
            late.release()
    assert fake.tokens_issued == 2


LIVES = ["0", "-5", "1", "0.001", "1" + "0" * 400, "1e300", "true", '"900"', "null", "[900]"]


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life[:9])
async def test_a_strange_life_fetches_no_token_a_call(
    fake: FakeVoucherify, clock: MovingClock, life: str
) -> None:
    """Whatever is said of its life, a token serves for a while."""
    fake.add_token("strange", lifetime=10**6)
    body = f'{{"access_token": "strange", "expires_in": {life}}}'.encode()
    fake.faults.status(200, body=body, path="oauth", times=None)
    async with fake, oauth_client(fake, clock) as client:
        for _ in range(20):
            await client.vouchers.get(CODE)
            clock.move(1)
    assert len(token_requests(fake)) <= 2


async def test_tokens_that_are_all_refused_are_not_fetched_for_each_call(
    fake: FakeVoucherify, clock: MovingClock
) -> None:
    """A fresh token is tried once after a 401; where it fares no better, it is kept for a while."""
    fake.faults.status(401, path="vouchers", times=None)
    async with fake, oauth_client(fake, clock) as client:
        for _ in range(30):
            with pytest.raises(AuthenticationError):
                await client.vouchers.get(CODE)
            clock.move(1)
    assert len(token_requests(fake)) <= 4
