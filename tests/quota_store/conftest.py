from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from voucherify_async import QuotaGrant, QuotaRequest, QuotaStore

from ..reliability.conftest import MovingClock


class MemoryStore(QuotaStore):
    """A store as a user would write it: what it keeps is text, and its clock is its own."""

    timeout = 30.0

    def __init__(self, clock: MovingClock, ahead: float = 0.0) -> None:
        self.clock = clock
        self.ahead = ahead
        self.kept: dict[str, str] = {}
        self.asked: list[QuotaRequest] = []
        self.closed = 0

    def state(self, kind: str = "plain") -> Any:
        """What is kept of one of the quotas."""
        (kept,) = (text for key, text in self.kept.items() if key.endswith(kind))
        return json.loads(kept)

    async def ask(self, key: str, request: QuotaRequest) -> QuotaGrant:
        """Decide, after a while in which others go on."""
        self.asked.append(request)
        await anyio.lowlevel.checkpoint()
        kept = self.kept.get(key)
        now = self.clock.time() + self.ahead
        state, grant = request.decide(None if kept is None else json.loads(kept), now)
        self.kept[key] = json.dumps(state)
        await anyio.lowlevel.checkpoint()
        return grant

    async def aclose(self) -> None:
        """Count how often it was closed."""
        self.closed += 1


async def until(is_so: Callable[[], bool]) -> None:
    """Let the others go on until something is so."""
    with anyio.fail_after(10):
        while not is_so():
            await anyio.lowlevel.checkpoint()


@pytest.fixture
def clock() -> MovingClock:
    """A clock in the test's hand."""
    return MovingClock()


@pytest.fixture
def store(clock: MovingClock) -> MemoryStore:
    """A store whose clock is hours ahead of that of the processes."""
    return MemoryStore(clock, ahead=7_000.0)
