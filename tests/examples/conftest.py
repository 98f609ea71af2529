"""What the tests of the examples share: a server on a clock, and the services behind ports."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import uvicorn

from voucherify_async.testing import FakeVoucherify

from ..resources.support import MovedClock


@pytest.fixture
def clock() -> MovedClock:
    """A clock that moves when somebody sleeps."""
    return MovedClock()


@pytest.fixture
def fake(clock: MovedClock) -> FakeVoucherify:
    """A server on that clock."""
    return FakeVoucherify(now=lambda: datetime.fromtimestamp(clock.time(), UTC))


@pytest.fixture
def served(fake: FakeVoucherify, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The server behind a port, named by the environment as `voucherify-async serve` prints it."""
    with fake.serve() as url:
        monkeypatch.setenv("VOUCHERIFY_BASE_URL", url)
        monkeypatch.setenv("VOUCHERIFY_APP_ID", fake.app_id)
        monkeypatch.setenv("VOUCHERIFY_APP_TOKEN", fake.app_token)
        yield url


class _Uvicorn(uvicorn.Server):
    """Uvicorn that says when it listens, or has failed to."""

    def __init__(self, app: Any) -> None:
        super().__init__(uvicorn.Config(app, ws="none", log_config=None, loop="asyncio"))
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    def serve_on(self, listener: socket.socket) -> None:
        """Serve until `should_exit`."""
        try:
            self.run(sockets=[listener])
        finally:
            self.ready.set()


@pytest.fixture
def serve() -> Callable[[Any], AbstractContextManager[httpx.Client]]:
    """Puts an ASGI app behind a port, its lifespan included; tells a client of it."""

    @contextmanager
    def serving(app: Any) -> Iterator[httpx.Client]:
        server = _Uvicorn(app)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            thread = threading.Thread(target=server.serve_on, args=(listener,))
            thread.start()
            server.ready.wait(10)
            assert server.started
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            try:
                with httpx.Client(base_url=url, timeout=30, trust_env=False) as client:
                    yield client
            finally:
                server.should_exit = True
                thread.join(10)

    return serving
