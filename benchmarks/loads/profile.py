"""Where the CPU of a lookup goes: the stack is looked at every millisecond of CPU."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections import Counter
from types import FrameType
from typing import TypedDict

from ..peers import asynchronous
from .meter import Meter

_INTERVAL = 0.001
_OPEN = 20


class Profile(TypedDict):
    """How many samples fell into each module or package, and what a lookup cost."""

    units: int
    seconds: float
    cpu: float
    samples: dict[str, int]


def load(peer: str, url: str, seconds: float) -> Profile:
    """Look vouchers up for so long, twenty at once.

    Raises:
        ModuleNotFoundError: The system has no profiling timer.
    """
    if not hasattr(signal, "SIGPROF"):
        raise ModuleNotFoundError("a profiling timer")
    samples: Counter[str] = Counter()

    def sample(_: int, frame: FrameType | None) -> None:
        samples[_place(frame)] += 1

    async def main() -> Profile:
        async with asynchronous.lookup(peer, url) as get:
            await asyncio.gather(*(get("CODE-1") for _ in range(_OPEN)))
            signal.signal(signal.SIGPROF, sample)
            meter, ends_at = Meter(), time.perf_counter() + seconds
            signal.setitimer(signal.ITIMER_PROF, _INTERVAL, _INTERVAL)

            async def caller() -> int:
                done = 0
                while time.perf_counter() < ends_at:
                    await get(f"CODE-{done}")
                    done += 1
                return done

            done = await asyncio.gather(*(caller() for _ in range(_OPEN)))
            signal.setitimer(signal.ITIMER_PROF, 0)
            return {**meter.sample(sum(done)), "samples": dict(samples)}

    return asyncio.run(main())


def _place(frame: FrameType | None) -> str:
    """Our module, or another's package, that was at work."""
    if frame is None:
        return "?"
    file = frame.f_code.co_filename
    if file.startswith("<"):
        frozen = file.startswith("<frozen importlib")
        return "imports at run time" if frozen else "generated code"
    name = str(frame.f_globals.get("__name__", "?"))
    package, _, module = name.partition(".")
    if package == "voucherify_async":
        return f"{package}.{module.partition('.')[0]}"
    named = package not in sys.stdlib_module_names or package in {"asyncio", "json"}
    return package if named else "standard library"
