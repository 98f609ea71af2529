"""The rules of repeating, tolerance and cancellation over each HTTP stack and real sockets."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from voucherify_async import AmbiguousOutcomeError, AsyncVoucherify, ResponseValidationError
from voucherify_async.errors import TransportError, UnreadableAnswerError
from voucherify_async.testing import FakeVoucherify

from .faults import CODE, GARBLED, IDEMPOTENT, OPEN, POST, READ, SHUT, Fault, Send, each

pytestmark = [pytest.mark.anyio, pytest.mark.sampled(ways=2, whole=3)]


GET_AND_PUT = {"get": READ["get"], "update": IDEMPOTENT["update"]}
WRITES = {name: POST[name] for name in ("balance", "import", "csv")}
# An answer without a body is whole as soon as its head is.
BEFORE_THE_HEAD = {name: OPEN[name] for name in ("reset", "disconnect", "lose_answer", "502")}

OF_TOMORROW = {"of_tomorrow": {"a": [None, "ü" * 2000]}}


async def _compressed(call: Any, execute: Callable[[], Any]) -> Any:
    del call
    reply = execute()
    body = {**json.loads(reply.body), **OF_TOMORROW}
    packed = gzip.compress(json.dumps(body).encode())
    return replace(reply, body=packed, headers={**reply.headers, "content-encoding": "gzip"})


@each(GET_AND_PUT)
@each(OPEN | SHUT)
async def test_idempotent_calls_outlive_any_fault(
    socket_client: AsyncVoucherify, fake: FakeVoucherify, send: Send, fault: Fault
) -> None:
    """A GET and a PUT are repeated after every transient fault, and succeed."""
    fault(fake)
    await send(socket_client)
    assert len(fake.requests) == 2


@each(BEFORE_THE_HEAD)
async def test_a_delete_outlives_any_fault(
    socket_client: AsyncVoucherify, fake: FakeVoucherify, fault: Fault
) -> None:
    """A DELETE is repeated, and the 404 that then says it was done already is no error."""
    fault(fake)
    await socket_client.vouchers.delete(CODE)
    assert len(fake.requests) == 2
    assert CODE not in fake.vouchers


@each(GET_AND_PUT | {"delete": IDEMPOTENT["delete"]})
async def test_nothing_is_repeated_behind_the_policy(
    served: str, fake: FakeVoucherify, http_backend: Any, send: Send
) -> None:
    """Told to send once, no HTTP stack sends twice, also on a connection that was used before."""
    async with AsyncVoucherify(
        "id", "token", base_url=served, http_backend=http_backend, retry=None
    ) as client:
        await client.vouchers.get("CARD")
        fake.faults.lose_answer(times=None)
        with pytest.raises((TransportError, AmbiguousOutcomeError)):
            await send(client)
    assert len(fake.requests) == 2


@each(WRITES)
@each(SHUT)
async def test_a_post_that_was_not_processed_is_repeated(
    socket_client: AsyncVoucherify, fake: FakeVoucherify, send: Send, fault: Fault
) -> None:
    """A POST is repeated where it surely was not processed."""
    fault(fake)
    await send(socket_client)
    assert len(fake.requests) == 2


@each(WRITES)
@each(OPEN)
async def test_a_post_that_may_have_happened_is_not_repeated(
    socket_client: AsyncVoucherify, fake: FakeVoucherify, send: Send, fault: Fault
) -> None:
    """A POST whose outcome is open is sent once, and says that it may have happened."""
    fault(fake)
    with pytest.raises(AmbiguousOutcomeError):
        await send(socket_client)
    assert len(fake.requests) == 1


@each(GARBLED)
async def test_an_unreadable_answer_is_told(
    socket_client: AsyncVoucherify, fake: FakeVoucherify, fault: Fault
) -> None:
    """An answer that cannot be read is an error with its place for a read, and open for a write."""
    fault(fake)
    with pytest.raises((ResponseValidationError, UnreadableAnswerError, AmbiguousOutcomeError)):
        await socket_client.vouchers.update_balance("CARD", 5)
    assert len(fake.requests) == 1
    assert (await socket_client.vouchers.get(CODE)).code == CODE


async def test_a_compressed_answer_is_read(
    socket_client: AsyncVoucherify, fake: FakeVoucherify
) -> None:
    """What the server packs comes back as it was, with what the library does not know."""
    fake.faults.add("compress", _compressed)
    voucher = await socket_client.vouchers.get(CODE)
    assert voucher.code == CODE
    assert voucher.extra == OF_TOMORROW
