"""What is repeated after which fault; over sockets, see `test_transports`."""

from __future__ import annotations

from typing import Any

import pytest

from voucherify_async import (
    AmbiguousOutcomeError,
    AsyncVoucherify,
    NotFoundError,
    RateLimitError,
    ResponseValidationError,
    ServerError,
    TransportError,
    VoucherifyError,
)
from voucherify_async.errors import AmbiguousServerError, APIError, UnreadableAnswerError
from voucherify_async.errors import TimeoutError as OwnTimeoutError
from voucherify_async.testing import FakeVoucherify

from .conftest import MovingClock, policy
from .faults import (
    CODE,
    GARBLED,
    IDEMPOTENT,
    OPEN,
    POST,
    READ,
    SHUT,
    TIMEOUTS,
    UNCONNECTED,
    Fault,
    Send,
    each,
)

pytestmark = [pytest.mark.anyio, pytest.mark.sampled(ways=2, whole=2)]


@each(READ | IDEMPOTENT)
@each(OPEN | TIMEOUTS | SHUT | UNCONNECTED)
async def test_idempotent_calls_outlive_any_fault(
    client: AsyncVoucherify, fake: FakeVoucherify, send: Send, fault: Fault
) -> None:
    """GET, PUT and DELETE are repeated after every transient fault, and succeed."""
    fault(fake)
    await send(client)
    assert len(fake.requests) == 2


@each(POST)
@each(SHUT | UNCONNECTED)
async def test_a_post_that_was_not_processed_is_repeated(
    client: AsyncVoucherify, fake: FakeVoucherify, send: Send, fault: Fault
) -> None:
    """A POST is repeated where it surely was not processed."""
    fault(fake)
    await send(client)
    assert len(fake.requests) == 2


@each(POST)
@each(OPEN | TIMEOUTS)
async def test_a_post_that_may_have_happened_is_not_repeated(
    client: AsyncVoucherify, fake: FakeVoucherify, send: Send, fault: Fault
) -> None:
    """A POST whose outcome is open is sent once, and says that it may have happened."""
    fault(fake)
    with pytest.raises(AmbiguousOutcomeError) as caught:
        await send(client)
    assert len(fake.requests) == 1
    error = caught.value
    assert not isinstance(error, TransportError)
    assert error.method == "POST"
    assert error.how_to_check
    # An upload is found by its codes.
    assert error.sent in {None, fake.requests[0].body, b'[{"code":"N"}]'}
    assert CODE not in str(error)


@each({name: send for name, send in POST.items() if name != "raw post"})
@each(GARBLED)
async def test_a_success_that_cannot_be_read_is_not_repeated(
    client: AsyncVoucherify, fake: FakeVoucherify, send: Send, fault: Fault
) -> None:
    """A 2xx means that it was done, whatever its body is."""
    fault(fake)
    with pytest.raises(UnreadableAnswerError) as caught:
        await send(client)
    assert isinstance(caught.value, ResponseValidationError)
    assert caught.value.method == "POST"
    assert len(fake.requests) == 1


async def test_raw_requests_follow_the_same_rule(
    client: AsyncVoucherify, fake: FakeVoucherify
) -> None:
    """`request` too tells an unreadable answer to a write from one to a read."""
    for method in ("POST", "PUT", "PATCH"):
        fake.faults.garbage(applied=False)
        with pytest.raises(UnreadableAnswerError) as caught:
            await client.request(method, "/v1/anything", json={"a": 1})
        assert caught.value.sent == b'{"a":1}'
    fake.faults.garbage(applied=False)
    with pytest.raises(ResponseValidationError) as read:
        await client.request("get", "/v1/anything")
    assert not isinstance(read.value, AmbiguousOutcomeError)


async def test_a_patch_is_not_repeated(client: AsyncVoucherify, fake: FakeVoucherify) -> None:
    """A method that is not known to be idempotent is treated like POST."""
    fake.faults.reset()
    with pytest.raises(AmbiguousOutcomeError):
        await client.request("PATCH", "/v1/anything", json={})
    assert len(fake.requests) == 1


@each(POST)
@pytest.mark.parametrize("status", [400, 402, 403, 404, 409, 413, 415, 423])
async def test_a_refused_post_is_sent_once(
    client: AsyncVoucherify, fake: FakeVoucherify, send: Send, status: int
) -> None:
    """A refusal of a POST is raised as it is, and never sent again."""
    fake.faults.status(status)
    with pytest.raises(APIError) as caught:
        await send(client)
    assert caught.value.status_code == status
    assert not isinstance(caught.value, AmbiguousOutcomeError)
    assert len(fake.requests) == 1


@pytest.mark.sampled(ways=1, whole=2)
@each(READ | IDEMPOTENT | POST)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_no_success(
    client: AsyncVoucherify, fake: FakeVoucherify, send: Send, status: int
) -> None:
    """A redirect is neither followed nor taken for an answer."""
    fake.faults.status(status, headers={"Location": "https://elsewhere.test/"})
    with pytest.raises(VoucherifyError):
        await send(client)
    assert len(fake.requests) == 1


@pytest.mark.sampled(ways=1, whole=2)
@each({**READ, **IDEMPOTENT, **POST})
@each({**OPEN, **TIMEOUTS, **SHUT, **UNCONNECTED})
async def test_no_retry_sends_once(
    client: AsyncVoucherify, fake: FakeVoucherify, send: Send, fault: Fault
) -> None:
    """With `retry=None` nothing is sent twice, whatever happens."""
    fault(fake)
    with pytest.raises(VoucherifyError):
        await send(client.with_options(retry=None))
    assert len(fake.requests) == 1


async def test_a_refused_connection_is_no_ambiguity(http_backend: Any, clock: MovingClock) -> None:
    """Where nobody listens nothing was sent: a POST is tried four times, and raises plainly."""
    import socket

    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        client = AsyncVoucherify(
            "id", "token", base_url=url, clock=clock, retry=policy(), http_backend=http_backend
        )
        async with client:
            with pytest.raises(TransportError) as caught:
                await client.vouchers.update_balance("CARD", 5)
    assert not caught.value.sent
    assert clock.slept == [0.5, 1, 2]


async def test_500_repeats_a_get_alone(client: AsyncVoucherify, fake: FakeVoucherify) -> None:
    """500 is repeated for a read; for a write it is an open question."""
    fake.faults.status(500)
    await client.vouchers.get(CODE)
    for name in ("update", "delete"):
        fake.clear_requests()
        fake.faults.status(500)
        with pytest.raises(AmbiguousServerError) as caught:
            await IDEMPOTENT[name](client)
        assert isinstance(caught.value, ServerError)
        assert len(fake.requests) == 1


@each(OPEN | TIMEOUTS)
async def test_a_repeated_delete_that_finds_nothing_is_done(
    client: AsyncVoucherify, fake: FakeVoucherify, fault: Fault
) -> None:
    """A 404 after an attempt that may have deleted it means that it is gone."""
    fault(fake)
    fake.faults.status(404)
    await client.vouchers.delete(CODE)
    assert len(fake.requests) == 2


@each(SHUT | UNCONNECTED)
async def test_a_delete_that_never_was_processed_still_finds_nothing(
    client: AsyncVoucherify, fake: FakeVoucherify, fault: Fault
) -> None:
    """After an attempt that surely did nothing, 404 is 404; and so it is at the first attempt."""
    fault(fake)
    with pytest.raises(NotFoundError):
        await client.vouchers.delete("NOBODY")
    with pytest.raises(NotFoundError):
        await client.vouchers.delete("NOBODY")


async def test_a_404_to_a_repeated_put_is_no_success(
    client: AsyncVoucherify, fake: FakeVoucherify
) -> None:
    """What there is not cannot have been changed."""
    fake.faults.reset()
    with pytest.raises(NotFoundError):
        await client.vouchers.update("NOBODY", {"category": "x"})


@each(IDEMPOTENT)
@each(OPEN | TIMEOUTS)
async def test_writes_that_run_out_of_attempts_are_ambiguous(
    client: AsyncVoucherify, fake: FakeVoucherify, send: Send, fault: Fault
) -> None:
    """PUT and DELETE too say that they may have happened, once they are not repeated any more."""
    for _ in range(4):
        fault(fake)
    with pytest.raises(AmbiguousOutcomeError):
        # Without `force`, the first lost answer would let the second attempt find nothing.
        await send(client.with_options(retry=policy(max_attempts=1)))


@each(IDEMPOTENT)
@pytest.mark.parametrize("status", [401, 402, 403, 423, 425, 429])
async def test_an_answer_of_the_moment_does_not_settle_the_attempt_before(
    client: AsyncVoucherify, fake: FakeVoucherify, send: Send, status: int
) -> None:
    """A locked or unauthorized second attempt says nothing of the first, whose answer was lost."""
    fake.faults.lose_answer()
    fake.faults.status(status, times=None)
    with pytest.raises(AmbiguousOutcomeError) as caught:
        await send(client)
    assert isinstance(caught.value.__cause__, APIError)
    assert caught.value.__cause__.status_code == status


@each(IDEMPOTENT)
async def test_a_full_quota_does_not_hide_the_attempt_before(
    client: AsyncVoucherify, fake: FakeVoucherify, clock: MovingClock, send: Send
) -> None:
    """Being held back at the second attempt leaves the first one's outcome open, and says so."""
    fake.faults.status(
        502,
        headers={"X-Rate-Limit-Remaining": "0", "X-Rate-Limit-Retry": f"{clock.time() + 60:.0f}"},
    )
    with pytest.raises(AmbiguousOutcomeError) as caught:
        await send(client)
    assert isinstance(caught.value.__cause__, RateLimitError)
    assert len(fake.requests) == 1


async def test_timeouts_are_built_in_timeouts(
    client: AsyncVoucherify, fake: FakeVoucherify
) -> None:
    """`except TimeoutError` catches ours."""
    fake.faults.timeout("read", times=None)
    with pytest.raises(TimeoutError) as caught:
        await client.vouchers.get(CODE)
    assert isinstance(caught.value, OwnTimeoutError)
