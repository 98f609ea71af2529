"""However a process ends that has used pyreqwest, it ends by itself: its thread is out of Python.

`ENDINGS=1000 python -m pytest -m "slow or not slow" tests/transport/test_endings.py` shows it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from socket import socket

import pytest

from .wire import VOUCHER, ok, read_request, serving

WAYS = (
    "closed",
    "left open",
    "cancelled",
    "cancelled and closed",
    "under way",
    "closed under way",
    "exit",
    "error",
    "interrupt",
)
PROCESSES = int(os.environ.get("ENDINGS", "27"))
ROOT = Path(__file__).parents[2]


def answer(connection: socket) -> None:
    """Answer each request with the voucher."""
    while read_request(connection):
        connection.sendall(ok(VOUCHER[:-1] + b',"category":"x"}'))


def end(url: str, way: str) -> tuple[str, int, str]:
    """A process that ends in one way: with what status, and what it said."""
    command = [sys.executable, "-m", "tests.transport.endings", url, way]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, cwd=ROOT, timeout=120
    )
    return way, done.returncode, done.stderr[-300:] if done.returncode else ""


@pytest.mark.slow
def test_every_process_ends_with_status_0() -> None:
    """Closed or not, cancelled, with calls under way, by an error, by `sys.exit`, by Ctrl-C."""
    with serving(answer) as address, ThreadPoolExecutor(2) as pool:
        ends = list(
            pool.map(
                lambda number: end(f"http://{address}", WAYS[number % len(WAYS)]), range(PROCESSES)
            )
        )
    assert [found for found in ends if found[1] != 0] == []


def test_a_process_ends_with_calls_under_way() -> None:
    """One for all: it left its client open, and requests unanswered."""
    with serving(answer) as address:
        assert end(f"http://{address}", "cancelled")[1:] == (0, "")
