"""A store that fails costs no call: the client counts alone until it is back, and says so."""

from __future__ import annotations

import logging
import math
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from anyio.abc import SocketAttribute, SocketStream

from voucherify_async import AsyncVoucherify, QuotaGrant, QuotaRequest, RedisQuotaStore
from voucherify_async._calls.quota_store import GuardedStore
from voucherify_async.errors import TimeoutError as OwnTimeoutError
from voucherify_async.testing import FakeVoucherify

from ..redis_server import RedisServer, new_redis_server
from ..reliability.conftest import MovingClock, policy
from .conftest import MemoryStore, until

pytestmark = pytest.mark.anyio

CODE = "SECRET-CODE-1"
SECRET = "s3cr3t-password"
WINDOW = 60.0
_COMMAND = re.compile(rb"\*\d+\r\n")
FAILED, BACK = "The quota store failed", "The quota store is back"


@pytest.fixture
def fake(clock: MovingClock) -> FakeVoucherify:
    """A server on that clock, with a quota of 3 calls."""
    fake = FakeVoucherify(now=clock.now, app_id=None, app_token=None)
    fake.add_voucher(code=CODE)
    fake.set_quota(3, WINDOW)
    return fake


class Failing(MemoryStore):
    """A store that does something else for as long as it is out."""

    timeout = 0.02

    def __init__(self, clock: MovingClock, instead: Callable[[], Awaitable[Any]]) -> None:
        super().__init__(clock)
        self.instead = instead
        self.is_out = True
        self.tries = 0

    async def ask(self, key: str, request: QuotaRequest) -> Any:
        """Fail, or decide."""
        self.tries += 1
        return await (self.instead() if self.is_out else super().ask(key, request))


async def _raise() -> None:
    raise RuntimeError(f"postgres://user:{SECRET}@host is down")


async def _return(answer: object) -> object:
    return answer


OUTAGES: dict[str, Callable[[], Awaitable[Any]]] = {
    "raises": _raise,
    "hangs": anyio.sleep_forever,
    **{
        f"answers {answer}": partial(_return, answer)
        for answer in (
            None,
            {"granted": 1},
            QuotaGrant(granted=99),
            QuotaGrant(granted=-1),
            QuotaGrant(granted=True),
            QuotaGrant(granted=0, wait=-1.0),
            QuotaGrant(granted=0, wait=math.inf),
            QuotaGrant(granted=0, wait=math.nan),
            QuotaGrant(granted=0, wait="soon"),  # type: ignore[arg-type]
        )
    },
}


@pytest.mark.parametrize("instead", OUTAGES.values(), ids=list(OUTAGES))
async def test_a_store_that_fails_costs_no_call(
    fake: FakeVoucherify,
    clock: MovingClock,
    caplog: pytest.LogCaptureFixture,
    instead: Callable[[], Awaitable[Any]],
) -> None:
    """The process counts alone, tries again less and less often, and tells both ends once."""
    store = Failing(clock, instead)
    patient = policy(max_wait=math.inf)
    async with fake, fake.client(clock=clock, quota_store=store, retry=patient) as client:
        async with anyio.create_task_group() as group:
            for _ in range(9):
                group.start_soon(client.vouchers.get, CODE)
        assert 2 * WINDOW <= clock.seconds < 3 * WINDOW
        # The first window's race apart, its own quota holds.
        assert len(fake.requests) <= 9 + 6
        assert 1 < store.tries <= 10
        store.is_out, store.timeout = False, 5.0
        with anyio.fail_after(10):
            while not any(request.wanted for request in store.asked):
                clock.move(WINDOW)
                await client.vouchers.get(CODE)
    warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert [record.message[: len(FAILED)] for record in warnings] == [FAILED, BACK[: len(FAILED)]]
    assert SECRET not in caplog.text


async def test_no_call_waits_while_the_store_is_tried_again(
    fake: FakeVoucherify, clock: MovingClock
) -> None:
    """Once it is out, it is tried again beside the calls: a store that hangs delays none."""
    fake.set_quota(1_000, WINDOW)
    store = Failing(clock, _raise)
    async with fake, fake.client(clock=clock, quota_store=store, retry=policy()) as client:
        await client.vouchers.get(CODE)
        clock.move(40)
        store.timeout, store.instead = 60.0, anyio.sleep_forever
        with anyio.fail_after(5):
            for _ in range(3):
                await client.vouchers.get(CODE)
            await until(lambda: store.tries == 2)
            await client.vouchers.get(CODE)
    assert store.tries == 2
    assert len(fake.requests) == 5


async def test_a_call_with_little_time_goes_without_the_store(
    fake: FakeVoucherify, clock: MovingClock
) -> None:
    """A store that hangs has half of what the call has left, and not all of it."""
    store = Failing(clock, anyio.sleep_forever)
    store.timeout = 60.0
    async with fake, fake.client(clock=clock, quota_store=store, retry=policy()) as client:
        brief = policy(deadline=0.4, max_attempts=1)
        assert (await client.vouchers.get(CODE, retry=brief)).code == CODE
        assert not client._caller.quotas.plain._waiting
        store.is_out = False


async def test_calls_that_are_given_up_find_out_together(clock: MovingClock) -> None:
    """Where each caller gives up before the store's own limit, their waits are added up."""

    async def hang() -> None:
        clock.move(0.1)
        await anyio.sleep_forever()

    store = Failing(clock, hang)
    store.timeout = 0.25
    guard = GuardedStore(store, clock)
    for _ in range(3):
        assert not guard.is_out()
        with anyio.move_on_after(0.01) as scope:
            await guard.ask("key", QuotaRequest(holder="me", held=0, wanted=1), math.inf)
        assert scope.cancelled_caught
    assert guard.is_out()


async def test_the_deadline_holds_while_the_store_says_wait(
    fake: FakeVoucherify, clock: MovingClock, store: MemoryStore
) -> None:
    """A call that waits for calls of other processes ends with its deadline, and was not sent."""
    clock_stands = policy(deadline=0.05)
    async with fake, fake.client(clock=clock, quota_store=store, retry=policy()) as client:
        await client.vouchers.get(CODE)
        (key,) = store.kept
        await store.ask(key, QuotaRequest(holder="other", held=2, wanted=0))

        async def never(_: float) -> None:
            await anyio.sleep_forever()

        clock.sleep = never  # type: ignore[method-assign,assignment]
        with pytest.raises(OwnTimeoutError) as caught:
            await client.vouchers.update_balance("CARD", 5, retry=clock_stands)
        assert not caught.value.sent
    assert len(fake.requests) == 1


Behaviour = Callable[[SocketStream], Awaitable[None]]


def _answers(*answers: bytes) -> Behaviour:
    """Answer whatever comes with these bytes, piece by piece, and hang up."""

    async def behave(stream: SocketStream) -> None:
        await stream.receive()
        for answer in answers:
            await stream.send(answer)
            await anyio.sleep(0.005)

    return behave


def _repeats(answer: bytes) -> Behaviour:
    """Answer each command with the same, those of the handshake too."""

    async def behave(stream: SocketStream) -> None:
        while True:
            commands = len(_COMMAND.findall(await stream.receive()))
            await stream.send(answer * max(1, commands))

    return behave


async def _hang(stream: SocketStream) -> None:
    while True:
        await stream.receive()


async def _hang_up(_: SocketStream) -> None:
    return


async def _drip(stream: SocketStream) -> None:
    await stream.receive()
    while True:
        await stream.send(b"+")
        await anyio.sleep(0.005)


SERVERS: dict[str, Behaviour] = {
    "hangs": _hang,
    "hangs up": _hang_up,
    "drips": _drip,
    "speaks HTTP": _answers(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    "hangs up within an answer": _answers(b"+OK\r\n+OK\r\n", b"*2\r\n:5\r\n"),
    "answers noise": _answers(bytes(range(256)) * 4),
    "announces a terabyte": _repeats(b"$1099511627776\r\nx"),
    "answers a word": _repeats(b"+OK\r\n"),
    "answers texts": _repeats(b"*2\r\n$1\r\n5\r\n$1\r\n5\r\n"),
    "answers nothing": _repeats(b"*-1\r\n"),
    "answers one number": _repeats(b"*1\r\n:5\r\n"),
    "answers too many calls": _repeats(b"*2\r\n:5000000\r\n:-1\r\n"),
    "answers a wait of years": _repeats(b"*2\r\n:0\r\n:99999999999999\r\n"),
    "is out of memory": _repeats(b"-OOM command not allowed\r\n"),
    "is a replica": _repeats(b"-READONLY You can't write against a read only replica.\r\n"),
    "wants a password": _repeats(b"-NOAUTH Authentication required.\r\n"),
    "allows nothing": _repeats(b"-NOPERM this user has no permissions\r\n"),
    "is loading": _repeats(b"-LOADING Redis is loading the dataset in memory\r\n"),
    "is another node": _repeats(b"-MOVED 3999 127.0.0.1:1\r\n"),
    "is busy": _repeats(b"-BUSY Redis is busy running a script\r\n"),
    "has never a script": _repeats(b"-NOSCRIPT No matching script.\r\n"),
}


@asynccontextmanager
async def served(behave: Behaviour) -> AsyncIterator[str]:
    """The URL of a server that behaves so on each connection."""

    async def handle(stream: SocketStream) -> None:
        async with stream:
            try:
                await behave(stream)
            except (anyio.EndOfStream, anyio.BrokenResourceError):
                return

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra(SocketAttribute.local_port)
    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, handle)
        yield f"redis://:{SECRET}@127.0.0.1:{port}/3"
        group.cancel_scope.cancel()


async def look_up(client: AsyncVoucherify, times: int) -> None:
    """Look a voucher up so many times, which takes no longer than the store may take once."""
    with anyio.fail_after(5):
        for _ in range(times):
            assert (await client.vouchers.get(CODE)).code == CODE


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("behave", SERVERS.values(), ids=list(SERVERS))
async def test_a_hostile_redis_costs_no_call(
    fake: FakeVoucherify,
    clock: MovingClock,
    caplog: pytest.LogCaptureFixture,
    behave: Behaviour,
) -> None:
    """Whatever stands where Redis should: calls go on, one warning, no password, nothing open."""
    async with served(behave) as url, fake:
        store = RedisQuotaStore(url, timeout=0.05)
        async with fake.client(clock=clock, quota_store=store, retry=policy()) as client:
            await look_up(client, 3)
    assert [record.message[: len(FAILED)] for record in caplog.records] == [FAILED]
    assert SECRET not in caplog.text


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_redis_that_is_not_there_costs_no_call(
    fake: FakeVoucherify, clock: MovingClock, caplog: pytest.LogCaptureFixture
) -> None:
    """No connection, no name, a password that is wrong: calls go on, with one warning."""
    async with served(_hang_up) as gone:
        pass
    for url in (gone, f"redis://:{SECRET}@name.invalid:1/0", f"unix://:{SECRET}@/nowhere/socket"):
        caplog.clear()
        store = RedisQuotaStore(url)
        async with fake, fake.client(clock=clock, quota_store=store, retry=policy()) as client:
            await look_up(client, 1)
        assert [record.message[: len(FAILED)] for record in caplog.records] == [FAILED]
        assert SECRET not in caplog.text


TROUBLES = {
    "full": (("CONFIG", "SET", "maxmemory", "1"), ("CONFIG", "SET", "maxmemory", "0")),
    "a replica": (("REPLICAOF", "127.0.0.1", "1"), ("REPLICAOF", "NO", "ONE")),
}


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("trouble", TROUBLES)
async def test_a_real_redis_in_trouble(
    fake: FakeVoucherify,
    clock: MovingClock,
    caplog: pytest.LogCaptureFixture,
    redis_server: RedisServer,
    redis_url: str,
    trouble: str,
) -> None:
    """The client goes on alone, and with Redis again when that has recovered."""
    begin, end = TROUBLES[trouble]
    store = RedisQuotaStore(redis_url, timeout=5)
    fake.set_quota(1_000, WINDOW)
    async with fake, fake.client(clock=clock, quota_store=store, retry=policy()) as client:
        try:
            assert redis_server.send(*begin).startswith(b"+OK")
            await store._redis.connection_pool.disconnect()
            await look_up(client, 2)
        finally:
            assert redis_server.send(*end).startswith(b"+OK")
        clock.move(40)
        await look_up(client, 1)
        await until(lambda: len(caplog.records) == 2)
    messages = [record.message for record in caplog.records]
    assert [message[: len(BACK)] for message in messages] == [FAILED + " ", BACK]


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_redis_that_is_restarted(
    fake: FakeVoucherify, clock: MovingClock, caplog: pytest.LogCaptureFixture
) -> None:
    """It forgets the script and the quota; both are there again with the first question."""
    server = new_redis_server()
    try:
        store = RedisQuotaStore(server.url, timeout=5)
        fake.set_quota(1_000, WINDOW)
        async with fake, fake.client(clock=clock, quota_store=store, retry=policy()) as client:
            await look_up(client, 1)
            server.stop()
            server.start()
            clock.move(WINDOW)
            # An idle connection broke, which costs nothing.
            await look_up(client, 1)
            assert not caplog.records
            server.stop()
            clock.move(WINDOW)
            await look_up(client, 1)
            server.start()
            clock.move(WINDOW)
            await look_up(client, 1)
            await until(lambda: len(caplog.records) == 2)
            assert b"1" in server.send("DBSIZE")
    finally:
        server.close()
    assert len(caplog.records) == 2
