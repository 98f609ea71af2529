"""Four processes on one quota, over real sockets and by the real clock."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from voucherify_async.testing import FakeVoucherify

PROCESSES = 4
WORKER = (sys.executable, "-m", "tests.quota_store.worker")
ROOT = Path(__file__).parents[2]


def look_up(fake: FakeVoucherify, codes: list[str], redis_url: str) -> list[dict[str, object]]:
    """Divide the codes between the processes, let them begin at once, and return what they say."""
    with fake.serve() as base_url, ExitStack() as processes:
        running = [
            processes.enter_context(
                subprocess.Popen(
                    [*WORKER, base_url, redis_url, json.dumps(codes[number::PROCESSES])],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    cwd=ROOT,
                    text=True,
                )
            )
            for number in range(PROCESSES)
        ]
        for process in running:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in running:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        return [json.loads(process.communicate()[0]) for process in running]


def server(codes: list[str], limit: int, seconds: float) -> FakeVoucherify:
    """A server with these codes and a quota of so many calls."""
    fake = FakeVoucherify(app_id="id", app_token="token")
    for code in codes:
        fake.add_voucher(code=code)
    fake.set_quota(limit, seconds)
    return fake


@pytest.mark.slow
@pytest.mark.parametrize("shared", [True, False], ids=["redis", "no store"])
def test_400_codes_on_a_quota_of_60(redis_url: str, shared: bool) -> None:
    """No lookup fails; sharing the quota, the processes send at most 2% requests too many."""
    codes = [f"CODE-{number}" for number in range(400)]
    fake = server(codes, 60, 4)
    said = look_up(fake, codes, redis_url if shared else "")
    assert said == [{"found": 100, "error": None}] * PROCESSES
    if shared:
        assert len(fake.requests) <= 408
