"""The recipes for task queues: real worker processes, a real Redis, one quota, no money twice."""

from __future__ import annotations

import asyncio
import gc
import importlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from redis.asyncio import Redis

from examples import payments
from examples.payments import Payments
from voucherify_async import AsyncVoucherify, NotFoundError, RedemptionRefusedError, TransportError
from voucherify_async.testing import FakeVoucherify

ROOT = Path(__file__).parents[2]
CODES = [f"CODE-{number}" for number in range(90)]
ORDER = ("o-1", 500, ["GIFT"])
LATE = payments.PATIENCE + payments.SETTLED_AFTER + 1
"""Seconds after which whoever began a payment counts as dead."""
PAID = {"status": "paid", "left_to_pay": 0}


@pytest.fixture
def fake() -> FakeVoucherify:
    """A server on the machine's time, as worker processes have no other."""
    fake = FakeVoucherify()
    fake.add_voucher(code="GIFT", gift={"amount": 900})
    fake.add_vouchers({"code": code} for code in CODES)
    return fake


@pytest.fixture
def shop(
    fake: FakeVoucherify, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FakeVoucherify]:
    """The server behind a port and an empty Redis, both named by the environment."""
    with fake.serve() as url:
        for name, value in (
            ("VOUCHERIFY_BASE_URL", url),
            ("VOUCHERIFY_APP_ID", fake.app_id),
            ("VOUCHERIFY_APP_TOKEN", fake.app_token),
            ("REDIS_URL", redis_url),
        ):
            monkeypatch.setenv(name, value)
        yield fake


@pytest.fixture
async def table(shop: FakeVoucherify, redis_url: str) -> AsyncIterator[Payments]:
    """The table of payments."""
    async with AsyncVoucherify() as client, Redis.from_url(redis_url) as redis:
        yield Payments(client, redis)


@pytest.fixture
def anyio_backend() -> str:
    """`redis` runs on asyncio alone."""
    return "asyncio"


def sent(fake: FakeVoucherify) -> int:
    """How often a redemption was asked for."""
    return sum(r.method == "POST" and r.path == "/v1/redemptions" for r in fake.requests)


def balance(fake: FakeVoucherify) -> int:
    """What is left on the gift card."""
    left: int = fake.vouchers["GIFT"]["gift"]["balance"]
    return left


async def until(condition: Callable[[], Any]) -> None:
    """Wait for what other threads and processes bring about."""
    with anyio.fail_after(60):
        while not condition():  # noqa: ASYNC110 - they know nothing of our events
            await anyio.sleep(0.05)


@pytest.mark.anyio
async def test_a_payment_is_made_once(table: Payments, shop: FakeVoucherify) -> None:
    """A task that runs again finds the payment made."""
    first = await table.pay(*ORDER)
    assert first.items() >= PAID.items()
    assert await table.pay(*ORDER) == first
    assert await table.settle_all() == []
    assert (sent(shop), balance(shop)) == (1, 400)


@pytest.mark.anyio
@pytest.mark.parametrize("again", ["pay", "settle_all"])
async def test_a_lost_answer_is_settled(table: Payments, shop: FakeVoucherify, again: str) -> None:
    """A payment whose answer was lost is open, is looked for, and is not sent again."""
    shop.faults.lose_answer(path="redemptions", times=1)
    assert (await table.pay(*ORDER))["status"] == "open"
    settled = [await table.pay(*ORDER)] if again == "pay" else await table.settle_all()
    assert settled[0].items() >= PAID.items()
    assert await table.settle_all() == []
    assert (sent(shop), balance(shop)) == (1, 400)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("codes", "error"), [(["NONE"], NotFoundError), (["GIFT", "OFF"], RedemptionRefusedError)]
)
async def test_a_refused_payment_may_be_tried_again(
    table: Payments, shop: FakeVoucherify, codes: list[str], error: type[Exception]
) -> None:
    """What was refused is not written down as begun."""
    shop.add_voucher(code="OFF", active=False)
    with pytest.raises(error):
        await table.pay("o-1", 500, codes)
    assert await table.settle("o-1") == {"status": "not_paid"}
    assert (await table.pay(*ORDER)).items() >= PAID.items()
    assert balance(shop) == 400


@pytest.mark.anyio
@pytest.mark.parametrize("at", ["before", "applied"])
async def test_a_worker_dies_while_it_pays(
    table: Payments, shop: FakeVoucherify, monkeypatch: pytest.MonkeyPatch, at: Any
) -> None:
    """The next run looks at the order: paid, or open until nothing can be on its way."""
    stalled = shop.faults.stall(path="redemptions", at=at, times=1)
    dying = asyncio.create_task(table.pay(*ORDER))
    await until(lambda: stalled.waiting)
    dying.cancel()
    await asyncio.wait([dying])
    found = await table.pay(*ORDER)
    if at == "before":
        assert found["status"] == "open"
        later = time.time() + LATE
        monkeypatch.setattr(time, "time", lambda: later)
        assert await table.pay(*ORDER) == {"status": "not_paid"}
        assert sent(shop) == 1
        found = await table.pay(*ORDER)
    assert found.items() >= PAID.items()
    assert (sent(shop), balance(shop)) == ({"before": 2, "applied": 1}[at], 400)


@pytest.mark.anyio
@pytest.mark.parametrize("retried", [False, True], ids=["settled", "paid by another"])
async def test_a_worker_that_was_stopped_before_it_pays_sends_nothing(
    table: Payments, shop: FakeVoucherify, monkeypatch: pytest.MonkeyPatch, retried: bool
) -> None:
    """It goes on when others took it for dead: it sends nothing, and leaves what they wrote."""
    real, change = time.time(), table._change
    is_stopped = False

    async def stop_once(*args: Any) -> Any:
        nonlocal is_stopped
        written = await change(*args)
        if not is_stopped:
            is_stopped = True
            monkeypatch.setattr(time, "time", lambda: real + LATE)
            assert await table.settle("o-1") == {"status": "not_paid"}
            if retried:
                assert (await table.pay(*ORDER)).items() >= PAID.items()
        return written

    monkeypatch.setattr(table, "_change", stop_once)
    with pytest.raises(TransportError) as caught:
        await table.pay(*ORDER)
    assert not caught.value.sent
    assert (sent(shop), balance(shop)) == ((1, 400) if retried else (0, 900))
    assert (await table.settle("o-1"))["status"] == ("paid" if retried else "not_paid")


STOPPED = """
import asyncio, os, signal
from redis.asyncio import Redis
from examples import payments
from voucherify_async import AsyncVoucherify, TransportError
from voucherify_async._protocol.headers import SignedHeaders

payments.PATIENCE = 1.5
reveal = SignedHeaders.reveal

def stop(headers):
    # The last thing before it is written.
    os.kill(os.getpid(), signal.SIGSTOP)
    return reveal(headers)

async def main():
    async with AsyncVoucherify() as client, Redis.from_url(os.environ["REDIS_URL"]) as redis:
        table = payments.Payments(client, redis)
        # Loads and connects.
        await table.settle("none")
        await client.vouchers.get("GIFT")
        SignedHeaders.reveal = stop
        try:
            await table.pay("o-1", 500, ["GIFT"])
        except TransportError as error:
            print(error.sent)

asyncio.run(main())
"""


@contextmanager
def stopped() -> Iterator[subprocess.Popen[str]]:
    """A process that stops itself while it pays."""
    command = [sys.executable, "-c", STOPPED]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.slow
@pytest.mark.anyio
async def test_a_process_that_is_really_stopped_while_it_pays_sends_nothing(
    table: Payments, shop: FakeVoucherify, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped within the client, it says that nothing was sent, and leaves the other's payment."""
    with stopped() as process:
        now = time.time() + LATE
        monkeypatch.setattr(time, "time", lambda: now)
        assert await table.settle("o-1") == {"status": "not_paid"}
        paid = await table.pay(*ORDER)
        # As long as it had, for real: its clock is not ours to move.
        await anyio.sleep(1.5)
        process.send_signal(signal.SIGCONT)
        said, _ = await anyio.to_thread.run_sync(process.communicate)
    assert said == "False\n"  # what the error says of having been sent
    assert (sent(shop), balance(shop)) == (1, 400)
    assert await table.settle("o-1") == paid


@contextmanager
def workers(*command: str, processes: int = 1) -> Iterator[None]:
    """Worker processes, ended as by a service manager."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    started = [
        subprocess.Popen([sys.executable, "-m", *command], cwd=ROOT, env=environment)
        for _ in range(processes)
    ]
    try:
        yield
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(30)


def recipe(name: str) -> Any:
    """The module of a recipe, on the Redis of the environment."""
    sys.modules.pop(f"examples.{name}", None)
    return importlib.import_module(f"examples.{name}")


def check_quota(fake: FakeVoucherify) -> None:
    """Hold that nearly no request was in vain."""
    lookups = sum(r.path.startswith("/v1/vouchers/CODE-") for r in fake.requests)
    assert len(CODES) <= lookups <= len(CODES) * 1.05


@pytest.mark.slow
@pytest.mark.anyio
async def test_arq(shop: FakeVoucherify, redis_url: str) -> None:
    """Two processes look up on one quota; a payment whose answer was lost is settled."""
    from arq import create_pool

    settings = recipe("arq_worker").WorkerSettings.redis_settings
    shop.set_quota(30, window_seconds=1)
    redis = await create_pool(settings)
    with workers("arq", "examples.arq_worker.WorkerSettings", processes=2):
        jobs = [await redis.enqueue_job("voucher", code) for code in CODES]
        found = [await job.result(timeout=60, poll_delay=0.05) for job in jobs if job]
        assert [one["code"] for one in found] == CODES
        check_quota(shop)
        shop.set_quota(None)
        refused = await redis.enqueue_job("pay", "o-2", 500, ["NONE"])
        assert refused is not None
        with pytest.raises(NotFoundError, match="404"):
            await refused.result(timeout=60, poll_delay=0.05)
        shop.faults.lose_answer(path="redemptions", times=1)
        paying = await redis.enqueue_job("pay", *ORDER, _job_id="pay")
        assert paying is not None

        # The queue tells when it will run again: in minutes, as nothing is certain before.
        with anyio.fail_after(60):
            while (await redis.zscore("arq:queue", "pay") or 0) < (time.time() + 100) * 1e3:  # noqa: ASYNC110
                await anyio.sleep(0.05)
        assert (sent(shop), balance(shop)) == (2, 400)
        await redis.zadd("arq:queue", {"pay": time.time() * 1000})
        assert (await paying.result(timeout=60, poll_delay=0.05)).items() >= PAID.items()
    await redis.aclose()
    assert (sent(shop), balance(shop)) == (2, 400)


@pytest.mark.slow
@pytest.mark.anyio
async def test_taskiq(shop: FakeVoucherify, redis_url: str) -> None:
    """Two processes look up on one quota; errors come whole; what is open is settled."""
    module = recipe("taskiq_worker")
    shop.set_quota(30, window_seconds=1)
    await module.broker.startup()
    with workers("taskiq", "worker", "examples.taskiq_worker:broker", "--workers", "2"):
        tasks = [await module.voucher.kiq(code) for code in CODES]
        found = [await task.wait_result(check_interval=0.05, timeout=60) for task in tasks]
        assert [one.return_value["code"] for one in found] == CODES
        check_quota(shop)
        shop.set_quota(None)
        refused = await module.pay.kiq("o-2", 500, ["NONE"])
        ended = await refused.wait_result(check_interval=0.05, timeout=60)
        with pytest.raises(NotFoundError, match="404") as caught:
            ended.raise_for_error()
        assert (caught.value.status_code, caught.value.key) == (404, "not_found")
        shop.faults.lose_answer(path="redemptions", times=1)
        paying = await (await module.pay.kiq(*ORDER)).wait_result(check_interval=0.05, timeout=60)
        assert paying.return_value["status"] == "open"
        settling = await module.settle_all.kiq()
        settled = await settling.wait_result(check_interval=0.05, timeout=60)
        assert settled.return_value[0].items() >= PAID.items()
    await module.broker.shutdown()
    assert (sent(shop), balance(shop)) == (2, 400)


@pytest.fixture
def celery_tasks(shop: FakeVoucherify) -> Iterator[Any]:
    """The recipe for Celery, whose results talk to Redis when they are collected as garbage."""
    module = recipe("celery_tasks")
    patience = {"max_retries": 1, "timeout": 1.0}
    module.app.conf.result_backend_transport_options = {"retry_policy": patience}
    yield module
    gc.collect()
    module.app.close()


@pytest.mark.slow
def test_celery(shop: FakeVoucherify, celery_tasks: Any) -> None:
    """Two forked processes share a quota; errors come whole; a killed one has paid once."""
    module = celery_tasks
    shop.set_quota(30, window_seconds=1)
    command = ["celery", "-A", "examples.celery_tasks", "worker", "--pool", "prefork"]
    with workers(*command, "--concurrency", "2", "--loglevel", "warning"):
        found = [module.voucher.delay(code) for code in CODES]
        assert [one.get(timeout=60)["code"] for one in found] == CODES
        check_quota(shop)
        shop.set_quota(None)
        with pytest.raises(NotFoundError, match="404") as caught:
            module.pay.delay("o-2", 500, ["NONE"]).get(timeout=60)
        assert (caught.value.status_code, caught.value.key) == (404, "not_found")
        shop.faults.lose_answer(path="redemptions", times=1)
        assert module.pay.delay(*ORDER).get(timeout=60)["status"] == "open"
        assert module.settle.delay("o-1").get(timeout=60).items() >= PAID.items()
        assert module.pay.delay(*ORDER).get(timeout=60).items() >= PAID.items()
        stalled = shop.faults.stall(path="redemptions", at="applied", times=1)
        paying = module.pay.delay("o-3", 400, ["GIFT"])
        give_up_at = time.monotonic() + 60
        while not stalled.waiting and time.monotonic() < give_up_at:
            time.sleep(0.05)
        (active,) = module.app.control.inspect().active().values()
        os.kill(active[0]["worker_pid"], signal.SIGKILL)
        assert paying.get(timeout=60).items() >= PAID.items()
    assert (sent(shop), balance(shop)) == (3, 0)
