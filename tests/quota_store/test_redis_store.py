"""`RedisQuotaStore` over a real Redis, and what it never shows."""

from __future__ import annotations

import asyncio
import gc
import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

import anyio
import pytest
import redis.asyncio
from redis import Redis

from voucherify_async import (
    AsyncVoucherify,
    ClientLoopError,
    ConfigurationError,
    QuotaGrant,
    QuotaRequest,
    QuotaStore,
    RedisQuotaStore,
    VoucherifyError,
)
from voucherify_async.testing import FakeVoucherify

from ..redis_server import new_redis_server
from ..reliability.conftest import MovingClock, policy
from ..reliability.test_error_trackers import is_secret_in, report

__all__ = ["report"]

pytestmark = pytest.mark.anyio
on_asyncio = pytest.mark.parametrize("anyio_backend", ["asyncio"])

CODE = "SECRET-CODE-1"
# Put together here, so that the lines of source in an event do not hold them.
MARK = "".join(("s3", "cr", "3t"))  # noqa: FLY002
SECRET = f"{MARK}-password"
ONE = QuotaRequest(holder="me", held=0, wanted=1)


@pytest.fixture
def fake(clock: MovingClock) -> FakeVoucherify:
    """A server on that clock."""
    fake = FakeVoucherify(now=clock.now, app_id=None, app_token=None)
    fake.add_voucher(code=CODE)
    return fake


@pytest.fixture
def kept(redis_url: str) -> Iterator[Any]:
    """The Redis itself, as the test sees it."""
    with Redis.from_url(redis_url, decode_responses=True) as kept:
        yield kept


@on_asyncio
async def test_what_is_kept(
    fake: FakeVoucherify, clock: MovingClock, redis_url: str, kept: Any
) -> None:
    """One key a quota, with the prefix and a hash tag, that ends by itself and tells no secret."""
    store = RedisQuotaStore(redis_url, prefix="shop:quota", timeout=5)
    options: dict[str, Any] = {
        "clock": clock,
        "quota_store": store,
        "retry": policy(),
        "app_id": f"{SECRET}-id",
    }
    async with fake, fake.client(**options) as client:
        await client.vouchers.get(CODE)
        await client.vouchers.update_in_bulk([{"code": CODE, "metadata": {}}])
        keys = sorted(kept.keys("*"))
        assert [key.rpartition(":")[2] for key in keys] == ["bulk}", "plain}"]
        assert len({key[key.index("{") : key.index("}")] for key in keys}) == 2
        for key in keys:
            assert key.startswith("shop:quota:{")
            assert 7_000 < kept.ttl(key) <= 7_200
            assert MARK not in key + str(kept.get(key))


@on_asyncio
async def test_the_script_is_sent_once(redis_url: str, kept: Any) -> None:
    """It goes by its hash, and whole again after Redis forgot it."""
    store = RedisQuotaStore(redis_url, timeout=5)

    def calls() -> dict[str, int]:
        stats = kept.info("commandstats")
        names = ("cmdstat_eval", "cmdstat_evalsha")
        return {name: stats.get(name, {}).get("calls", 0) for name in names}

    kept.config_resetstat()
    for _ in range(3):
        assert (await store.ask("key", ONE)).granted == 1
    assert calls() == {"cmdstat_eval": 1, "cmdstat_evalsha": 3}
    kept.script_flush()
    await store.ask("key", ONE)
    assert calls() == {"cmdstat_eval": 2, "cmdstat_evalsha": 4}
    await store.aclose()


@on_asyncio
@pytest.mark.parametrize("is_text", [True, False])
async def test_a_key_that_others_wrote(redis_url: str, kept: Any, is_text: bool) -> None:
    """It counts as nothing, and is written over."""
    if is_text:
        kept.set("voucherify:{key}", "{rubbish")
    else:
        kept.lpush("voucherify:{key}", "a", "list")
    store = RedisQuotaStore(redis_url, timeout=5)
    assert await store.ask("key", ONE) == QuotaGrant(granted=1)
    assert json.loads(kept.get("voucherify:{key}"))["holders"]["me"][0] == 1
    await store.aclose()


@on_asyncio
@pytest.mark.parametrize("options", [{}, {"decode_responses": True}, {"protocol": 3}])
async def test_a_client_of_the_callers_is_used_as_it_is(
    fake: FakeVoucherify, clock: MovingClock, redis_url: str, options: Any
) -> None:
    """Whatever its settings; it stays open, where the store's own is closed with the client."""
    own = redis.asyncio.Redis.from_url(redis_url, **options)
    for store in (RedisQuotaStore(own, timeout=5), RedisQuotaStore(redis_url, timeout=5)):
        async with fake, fake.client(clock=clock, quota_store=store, retry=policy()) as client:
            await client.vouchers.get(CODE)
            await client.with_options(timeout=5).vouchers.get(CODE)
            await client.with_options(timeout=5).aclose()
            (connection,) = store._redis.connection_pool._available_connections
            assert connection.is_connected
        assert connection.is_connected == (store._redis is own)
        # A client that shares the store goes on.
        assert (await store.ask("key", ONE)).granted in {0, 1}
        await store._redis.aclose()


@on_asyncio
async def test_cancelled_within_a_question(redis_url: str, kept: Any) -> None:
    """Cancelled at any step, it leaves no answer for the next one, and no connection open."""
    store = RedisQuotaStore(redis_url, timeout=5)
    for steps in range(40):
        task = asyncio.ensure_future(store.ask(f"key {steps}", ONE))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        wanted = QuotaRequest(holder="me", held=steps, wanted=0)
        assert await store.ask("key", wanted) == QuotaGrant(granted=0)
        assert json.loads(kept.get("voucherify:{key}"))["holders"].get("me", [0])[0] == steps
    await store.aclose()
    gc.collect()
    assert len(kept.client_list()) <= 2


def test_a_second_event_loop_is_told(fake: FakeVoucherify, redis_url: str) -> None:
    """The store belongs to the loop of its first question, until it is closed."""
    store = RedisQuotaStore(redis_url, timeout=5)

    async def call(*, close: bool) -> None:
        async with fake:
            client = fake.client(quota_store=store, retry=policy())
            await client.vouchers.get(CODE)
            if close:
                await client.aclose()
            else:
                await client._caller.connections.aclose()
                await store._redis.aclose()

    asyncio.run(call(close=False))
    with pytest.raises(ClientLoopError, match=r"RedisQuotaStore .* another event loop"):
        asyncio.run(call(close=True))
    store._loop = None
    asyncio.run(call(close=True))
    asyncio.run(call(close=True))


@pytest.mark.parametrize("anyio_backend", ["trio"])
async def test_trio_is_told(fake: FakeVoucherify, redis_url: str) -> None:
    """On trio the first call says what to do, and sends nothing."""
    async with fake, fake.client(quota_store=RedisQuotaStore(redis_url)) as client:
        with pytest.raises(ConfigurationError, match="asyncio only"):
            await client.vouchers.get(CODE)
        assert not client._caller.quotas.plain._waiting
    assert fake.requests == []


def test_it_is_a_store_that_shows_nothing(redis_url: str) -> None:
    """It fits the protocol; its repr has no URL, and it is not pickled."""
    store = RedisQuotaStore(f"redis://:{SECRET}@127.0.0.1:1/0", project="shop")
    assert isinstance(store, QuotaStore)
    assert repr(store) == "RedisQuotaStore(prefix='voucherify', project='shop')"
    with pytest.raises(TypeError):
        store.__reduce__()


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is named; nothing of it is loaded before a store is made."""
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)
    with pytest.raises(ConfigurationError, match=r"voucherify-async\[redis\]"):
        RedisQuotaStore("redis://127.0.0.1")


WRONG: dict[str, Callable[[], Any]] = {
    "scheme": lambda: RedisQuotaStore(f"http://user:{SECRET}@host"),
    "no scheme": lambda: RedisQuotaStore(f"user:{SECRET}@host"),
    "port": lambda: RedisQuotaStore(f"redis://:{SECRET}@host:port"),
    "option": lambda: RedisQuotaStore(f"redis://:{SECRET}@host?socket_timeout=x"),
    "bytes": lambda: RedisQuotaStore(f"redis://:{SECRET}@host".encode()),  # type: ignore[arg-type]
    "sync client": lambda: RedisQuotaStore(Redis.from_url(f"redis://:{SECRET}@host")),  # type: ignore[arg-type]
    "prefix": lambda: RedisQuotaStore(f"redis://:{SECRET}@host", prefix=""),
    "project": lambda: RedisQuotaStore(f"redis://:{SECRET}@host", project=3),  # type: ignore[arg-type]
    "timeout": lambda: RedisQuotaStore(f"redis://:{SECRET}@host", timeout=0),
    "a URL for a store": lambda: AsyncVoucherify("i", "t", quota_store=f"redis://:{SECRET}@host"),  # type: ignore[arg-type]
    "a URL beside another mistake": lambda: AsyncVoucherify(
        "i", "t", max_concurrency=0, quota_store=f"redis://:{SECRET}@host"  # type: ignore[arg-type]
    ),
}  # fmt: skip


@pytest.mark.parametrize("make", WRONG.values(), ids=list(WRONG))
def test_no_event_of_a_wrong_setting_holds_the_password(
    report: Callable[[BaseException], str], make: Callable[[], Any]
) -> None:
    """Neither the error nor a variable of a frame shows it."""
    with pytest.raises(ConfigurationError) as caught:
        make()
    assert MARK not in str(caught.value)
    assert not is_secret_in(report(caught.value))


@on_asyncio
@pytest.mark.parametrize("password", ["right", "wrong", "none there"])
async def test_no_event_of_a_call_holds_the_password(
    fake: FakeVoucherify,
    clock: MovingClock,
    caplog: pytest.LogCaptureFixture,
    report: Callable[[BaseException], str],
    password: str,
) -> None:
    """Calls that fail beside a Redis that lets us in, or does not, tell nothing of it."""
    server = new_redis_server(*(() if password == "none there" else ("--requirepass", SECRET)))
    try:
        end = "-not" if password == "wrong" else ""
        store = RedisQuotaStore(f"redis://:{SECRET}{end}@127.0.0.1:{server.port}/0", timeout=5)
        caplog.set_level(0)
        async with fake, fake.client(clock=clock, quota_store=store, retry=None) as client:
            await client.vouchers.get(CODE)
            fake.faults.status(500, times=None)
            with pytest.raises(VoucherifyError) as caught:
                await client.vouchers.update_balance("CARD", 5)
            assert not is_secret_in(report(caught.value))
            with anyio.move_on_after(5):
                await client.vouchers.get_many([CODE] * 3)
    finally:
        server.close()
    failures = [record for record in caplog.records if "quota store failed" in record.message]
    assert len(failures) == (password != "right")
    ours = [r for r in caplog.records if r.name.startswith("voucherify")]
    assert MARK not in "".join(record.getMessage() for record in ours)
