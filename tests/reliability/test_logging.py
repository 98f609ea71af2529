"""What the log says of each attempt, and what it never says."""

from __future__ import annotations

import logging
import re

import anyio
import pytest

from voucherify_async import AmbiguousOutcomeError, AsyncVoucherify, OAuthClientCredentials
from voucherify_async.testing import FakeVoucherify

from .conftest import MovingClock, policy

pytestmark = pytest.mark.anyio

CODE = "SECRET-CODE-1"


@pytest.fixture(autouse=True)
def debugging(caplog: pytest.LogCaptureFixture) -> None:
    """Log everything of ours."""
    caplog.set_level(logging.DEBUG, logger="voucherify_async")


async def test_each_attempt_is_a_line(
    client: AsyncVoucherify, fake: FakeVoucherify, caplog: pytest.LogCaptureFixture
) -> None:
    """Method, template, status, attempt, milliseconds and request id; repetitions at INFO."""
    fake.faults.status(502)
    fake.faults.reset()
    await client.vouchers.get(CODE)
    lines = [r.getMessage() for r in caplog.records if r.levelno == logging.DEBUG]
    repeated = [r.getMessage() for r in caplog.records if r.levelno == logging.INFO]
    head = r"GET /v1/vouchers/\{code\}: "
    assert re.fullmatch(head + r"502, attempt 1, 0\.0 ms, request None", lines[0])
    assert re.fullmatch(head + r"ReadError, attempt 2, 0\.0 ms, request None", lines[1])
    assert re.fullmatch(head + r"200, attempt 3, 0\.0 ms, request v-\w+", lines[2])
    assert len(lines) == 3
    assert re.fullmatch(head + r"502 after attempt 1; again in \d\.\d s", repeated[0])
    assert re.fullmatch(head + r"ReadError after attempt 2; again in \d\.\d s", repeated[1])
    assert len(repeated) == 2


async def test_a_cancelled_attempt_is_a_line(
    client: AsyncVoucherify, fake: FakeVoucherify, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever looks for the request that took so long finds it also where it was given up."""
    stall = fake.faults.stall()
    async with anyio.create_task_group() as group:
        group.start_soon(client.vouchers.get, CODE)
        while not stall.waiting:
            await anyio.lowlevel.checkpoint()
        group.cancel_scope.cancel()
    assert "cancelled, attempt 1" in caplog.text


async def test_codes_tokens_and_bodies_stay_out(
    fake: FakeVoucherify, clock: MovingClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Not in a line, not in its arguments; neither of calls nor of token requests."""
    auth = OAuthClientCredentials("s3cr3t-id", "s3cr3t-token")
    async with fake, fake.client(auth=auth, clock=clock, retry=policy()) as client:
        await client.vouchers.list(code=CODE)
        await client.vouchers.update(CODE, {"metadata": {"who": "s3cr3t-body"}})
        await client.request("GET", f"/v1/vouchers/{CODE}?x=s3cr3t-query")
        fake.faults.lose_answer()
        with pytest.raises(AmbiguousOutcomeError):
            await client.vouchers.enable(CODE)
        token = fake.requests[-1].headers["authorization"].removeprefix("Bearer ")
    ours = [r for r in caplog.records if r.name == "voucherify_async"]
    shown = "".join(f"{r.getMessage()} {r.args!r} {vars(r)!r}" for r in ours)
    assert "/v1/oauth/token" in shown
    assert not [text for text in ("s3cr3t", CODE, token) if text in shown]


async def test_it_says_nothing_unless_asked(
    client: AsyncVoucherify, caplog: pytest.LogCaptureFixture
) -> None:
    """Above DEBUG the library is silent."""
    caplog.set_level(logging.INFO, logger="voucherify_async")
    await client.vouchers.get(CODE)
    assert not [r for r in caplog.records if r.name == "voucherify_async"]
