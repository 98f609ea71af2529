from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import anyio.lowlevel
import pytest

from voucherify_async import Clock
from voucherify_async.testing import FakeVoucherify


class Skipping(Clock):
    """A clock that jumps over every wait."""

    def __init__(self) -> None:
        self.skipped = 0.0

    def time(self) -> float:
        """The machine's time, moved on by what was skipped."""
        return super().time() + self.skipped

    def now(self) -> datetime:
        """The same, for the server."""
        return datetime.fromtimestamp(self.time(), UTC)

    def monotonic(self) -> float:
        """The machine's time, moved on by what was skipped."""
        return super().monotonic() + self.skipped

    async def sleep(self, seconds: float) -> None:
        """Skip the wait."""
        await anyio.lowlevel.checkpoint()
        self.skipped += seconds


def names_in(folder: Path) -> list[str]:
    """What a folder holds."""
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def clock() -> Skipping:
    """A clock on which nothing has to be waited for."""
    return Skipping()


@pytest.fixture
def fake(clock: Skipping) -> FakeVoucherify:
    """An empty server, on that clock."""
    return FakeVoucherify(page_size=100, now=clock.now)
