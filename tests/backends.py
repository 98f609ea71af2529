"""The HTTP backends, and the event loops that each runs on: one line a backend, for all tests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

LOOPS: Final = {
    "httpcore": ("asyncio", "trio"),
    "aiohttp": ("asyncio",),
    "pyreqwest": ("asyncio",),
    "httpx2": ("asyncio", "trio"),
}
BACKENDS: Final = tuple(LOOPS)
POOLED: Final = ("httpcore", "httpx2")
"""Those over our own pool."""
STACKS: Final = [(loop, backend) for backend, loops in LOOPS.items() for loop in loops]


def fit(values: Iterable[object]) -> bool:
    """Whether a test with these parameters has its backend on an event loop that it runs on."""
    names = {value for value in values if isinstance(value, str)}
    return all(
        loop in LOOPS[backend]
        for backend in names & LOOPS.keys()
        for loop in names & {"asyncio", "trio"}
    )
