"""What the tests of the client share: a scripted server and a clock that does not wait."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio
import httpx

from voucherify_async import AsyncVoucherify, Clock

Answer = httpx.Response | Callable[[httpx.Request], httpx.Response] | Any
KEYS: dict[str, Any] = {"app_id": "id", "app_token": "token"}
BASE_URL = "https://api.voucherify.io"


class Wire:
    """Answers in order, the last one for ever; what is neither response nor function is JSON."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers) or [{}]
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Note the request and answer it."""
        self.requests.append(request)
        answer = self._answers[0] if len(self._answers) == 1 else self._answers.pop(0)
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, httpx.Response):
            return httpx.Response(
                answer.status_code, headers=answer.headers, content=answer.content
            )
        return httpx.Response(200, json=answer)

    @property
    def targets(self) -> list[str]:
        """Paths and queries of the requests that arrived."""
        return [request.url.raw_path.decode() for request in self.requests]

    def http_client(self, **options: Any) -> httpx.AsyncClient:
        """Return an HTTP client whose requests end here."""
        return httpx.AsyncClient(transport=httpx.MockTransport(self), **options)

    def client(self, **options: Any) -> AsyncVoucherify:
        """Return a client of this server, which sends each request once."""
        if "auth" not in options:
            options = {**KEYS, **options}
        settings = {"http_client": self.http_client(), "retry": None, **options}
        return AsyncVoucherify(**settings)


class MovedClock(Clock):
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0
        self.slept: list[float] = []

    def time(self) -> float:
        """Seconds since 1970."""
        return self.now

    def monotonic(self) -> float:
        """Seconds that only go forward."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Move on at once."""
        self.slept.append(seconds)
        self.now += seconds
        await anyio.lowlevel.checkpoint()


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what another thread brings about."""
    with anyio.fail_after(5):
        while not condition():  # noqa: ASYNC110 - the thread knows nothing of our events
            await anyio.sleep(0.001)


async def settle() -> None:
    """Let every task that can run have its turn."""
    for _ in range(20):
        await anyio.lowlevel.checkpoint()
