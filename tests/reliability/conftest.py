from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import anyio
import anyio.lowlevel
import pytest
from attrs import evolve
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from voucherify_async import AsyncVoucherify, Clock, RetryPolicy
from voucherify_async._transport.pyreqwest import PyreqwestSender
from voucherify_async.testing import FakeVoucherify

START = datetime(2026, 3, 17, 15, 50, 0, tzinfo=UTC)
PATIENCE_STEPS = 60
PATIENCE_MILLISECONDS = 100


ELSEWHERE: set[object] = set()
"""Requests that are under way in another thread."""


@pytest.fixture(autouse=True)
def requests_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep count of pyreqwest's requests, for the clock."""
    send = PyreqwestSender._send

    async def counted(sender: PyreqwestSender, request: Any, attempt: Any) -> Any:
        ELSEWHERE.add(attempt)
        try:
            return await send(sender, request, attempt)
        finally:
            ELSEWHERE.discard(attempt)

    monkeypatch.setattr(PyreqwestSender, "_send", counted)


class MovingClock(Clock):
    """A clock that stands still until everybody who can go on has, then jumps to who is next."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.slept: list[float] = []
        self._sleepers: list[float] = []

    def time(self) -> float:
        """Seconds since 1970."""
        return START.timestamp() + self.seconds

    def monotonic(self) -> float:
        """Seconds since the test began."""
        return self.seconds

    def now(self) -> datetime:
        """The same, for the server."""
        return datetime.fromtimestamp(self.time(), UTC)

    def move(self, seconds: float) -> None:
        """Move on."""
        self.seconds += seconds

    async def sleep(self, seconds: float) -> None:
        """Let the others work, then move to the moment that is slept to."""
        self.slept.append(seconds)
        wake_at = self.seconds + seconds
        self._sleepers.append(wake_at)
        try:
            while True:
                for _ in range(PATIENCE_STEPS):
                    await anyio.lowlevel.checkpoint()
                # Real milliseconds, as a request in another thread takes no steps here.
                for _ in range(PATIENCE_MILLISECONDS):
                    if not ELSEWHERE:
                        break
                    await anyio.sleep(0.001)
                if min(self._sleepers) >= wake_at:
                    self.seconds = max(self.seconds, wake_at)
                if self.seconds >= wake_at:
                    return
        finally:
            self._sleepers.remove(wake_at)


class Stopping(MovingClock):
    """A clock on which nobody wakes up until it goes on."""

    def __init__(self, clock: MovingClock) -> None:
        super().__init__()
        self.clock = clock
        self.goes_on = False

    def time(self) -> float:
        """The other clock's."""
        return self.clock.time()

    def monotonic(self) -> float:
        """The other clock's."""
        return self.clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Sleep for ever, or not at all."""
        if not self.goes_on:
            await anyio.sleep_forever()
        self.clock.move(seconds)


FULL_JITTER = RetryPolicy(random=lambda: 1.0)


def policy(**changes: Any) -> RetryPolicy:
    """The default policy without chance, and with changes."""
    return evolve(FULL_JITTER, **changes)


@asynccontextmanager
async def hanging(
    fake: FakeVoucherify, times: int, send: Callable[[], Coroutine[Any, Any, Any]]
) -> AsyncIterator[None]:
    """So many calls hang at the server, and are answered when the block ends."""
    stall = fake.faults.stall(times=times)
    async with anyio.create_task_group() as group:
        for _ in range(times):
            group.start_soon(send)
        while stall.waiting < times:
            await anyio.lowlevel.checkpoint()
        yield
        stall.release()


@pytest.fixture
def clock() -> MovingClock:
    """A clock in the test's hand."""
    return MovingClock()


@pytest.fixture
def fake(clock: MovingClock) -> FakeVoucherify:
    """A server on that clock, with a gift card and a discount voucher."""
    fake = FakeVoucherify(now=clock.now, app_id=None, app_token=None)
    fake.add_voucher(code="CARD", gift={"amount": 1000})
    fake.add_voucher(code="SECRET-CODE-1")
    return fake


@pytest.fixture
async def client(fake: FakeVoucherify, clock: MovingClock) -> AsyncIterator[AsyncVoucherify]:
    """A client of that server, on the same clock, that retries without chance."""
    async with fake, fake.client(clock=clock, retry=FULL_JITTER) as client:
        yield client


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Sequence[ReadableSpan]]]:
    """OpenTelemetry as a service sets it up; the spans that were exported."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    yield exporter.get_finished_spans
    provider.shutdown()


@pytest.fixture
def served(fake: FakeVoucherify) -> Iterator[str]:
    """The base URL of that server on a port of the loopback interface."""
    with fake.serve() as url:
        yield url
        # Accepted behind every connection that a test opened and dropped at once: so the server
        # knows of all of them, and closes them when it stops.
        fake.faults.clear()
        last = HTTPConnection(urlsplit(url).netloc, timeout=10)
        last.request("GET", "/")
        last.getresponse().read()
        last.close()


@pytest.fixture
async def socket_client(
    served: str, clock: MovingClock, http_backend: Any
) -> AsyncIterator[AsyncVoucherify]:
    """A client with an HTTP stack of its own, over a real socket."""
    async with AsyncVoucherify(
        "id",
        "token",
        base_url=served,
        clock=clock,
        retry=FULL_JITTER,
        http_backend=http_backend,
    ) as client:
        yield client
