"""Imports whose process is killed at any instant.

`KILLS=200 python -m pytest -m "slow or not slow" tests/bulk/test_killed.py` does so more often.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

import voucherify_async
from voucherify_async.testing import FakeVoucherify

ROOT = Path(voucherify_async.__file__).parents[1]
SCRIPT = Path(__file__).with_name("killed_import.py")
SPEED = 200
TIMEOUT = 300
KILLS = int(os.environ.get("KILLS", "50"))


class Server:
    """A server whose clock runs as fast as that of the process that imports."""

    def __init__(self) -> None:
        self._start = datetime.now(UTC)
        self.fake = FakeVoucherify(app_id="id", app_token="token", now=self._now)
        self.fake.polls_until_done = 1

    def _now(self) -> datetime:
        return self._start + (datetime.now(UTC) - self._start) * SPEED

    def sent_codes(self) -> Counter[str]:
        """How often each code was in an import that arrived."""
        posts = (request for request in self.fake.requests if request.method == "POST")
        return Counter(item["code"] for post in posts for item in json.loads(post.body))


def begin(url: str, path: Path, count: int) -> subprocess.Popen[str]:
    """Start the import, and return once it has begun to send."""
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT), url, str(path), str(count), str(SPEED)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    return process


@pytest.mark.parametrize(
    ("kills", "count"), [(2, 60), pytest.param(KILLS, 40 * KILLS, marks=pytest.mark.slow)]
)
def test_killed_at_random_instants(tmp_path: Path, kills: int, count: int) -> None:
    """However often its process is killed, an import loses nothing and sends nothing twice."""
    chance, server, path = random.Random(7), Server(), tmp_path / "resume.json"
    killed = 0
    with server.fake.serve() as url:
        for _ in range(kills):
            process = begin(url, path, count)
            time.sleep(chance.uniform(0, 0.12))
            killed += process.poll() is None
            process.kill()
            process.communicate()
        process = begin(url, path, count)
        process.communicate(timeout=TIMEOUT)
    assert (process.returncode, path.exists()) == (0, False)
    assert killed >= kills * 0.9
    codes = {f"G-{number}" for number in range(count)}
    assert set(server.fake.vouchers) == codes
    assert server.sent_codes() == Counter(codes)
