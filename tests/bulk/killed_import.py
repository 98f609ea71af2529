"""An import in a process of its own, small enough a request that it makes very many of them.

Arguments: the server's URL, the resume file, how many items there are, how fast its clock runs.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import anyio

from voucherify_async import AsyncVoucherify, Clock, ImportReport, ResumeFile
from voucherify_async._bulk import batches


class Fast(Clock):
    """A clock that runs faster, as the server's does."""

    def __init__(self, speed: float) -> None:
        self._speed = speed

    def monotonic(self) -> float:
        """The machine's time, times the speed."""
        return super().monotonic() * self._speed

    async def sleep(self, seconds: float) -> None:
        """Wait as long as that clock needs for it."""
        await anyio.sleep(seconds / self._speed)


def cards(count: int) -> Iterator[dict[str, Any]]:
    """Gift cards to import."""
    for number in range(count):
        yield {"code": f"G-{number}", "type": "GIFT_VOUCHER", "gift": {"amount": 1}}


async def main(url: str, path: str, count: int, speed: float) -> None:
    """Import what is left to import."""
    file = ResumeFile(path)
    has_begun = False

    async def tell(report: ImportReport) -> None:
        nonlocal has_begun
        await file.save(report)
        if not has_begun:
            has_begun = True
            sys.stdout.write("begun\n")
            sys.stdout.flush()

    async with AsyncVoucherify("id", "token", base_url=url, clock=Fast(speed)) as client:
        report = await client.imports.stream(
            cards(count), on_progress=tell, resume_from=file.load() or 0
        )
    assert report.is_complete
    file.remove()


if __name__ == "__main__":
    batches.__dict__["MAX_BODY_BYTES"] = 200
    anyio.run(main, sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))
