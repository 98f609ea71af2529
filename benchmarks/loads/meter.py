"""What a load costs the process that it runs in."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TypedDict

_STATUS = Path("/proc/self/status")


class Sample(TypedDict):
    """What a load came to: units done (requests, pages, vouchers) in seconds of wall and of CPU."""

    units: int
    seconds: float
    cpu: float


class Meter:
    """Wall clock and this process's CPU, from its making on."""

    def __init__(self) -> None:
        self._cpu, self._wall = time.process_time(), time.perf_counter()

    def sample(self, units: int) -> Sample:
        """What it has come to since."""
        seconds = time.perf_counter() - self._wall
        return {"units": units, "seconds": seconds, "cpu": time.process_time() - self._cpu}


def peak_memory() -> float:
    """The most memory that this process has held, in MB."""
    try:
        # Not ru_maxrss, which on Linux begins with that of the process that started this one.
        found = re.search(r"VmHWM:\s+(\d+) kB", _STATUS.read_text())
    except OSError:
        found = None
    if found:
        return int(found[1]) / 1_024
    import resource
    import sys

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1_024 * 1_024 if sys.platform == "darwin" else 1_024)
