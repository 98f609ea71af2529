from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from voucherify_async.testing import FakeVoucherify

MEASURE = """
import resource, sys
import anyio
from voucherify_async import AsyncVoucherify

async def main(url, what, count):
    async with AsyncVoucherify("id", "token", base_url=url) as client:
        codes = (f"C-{number}" if number % 100 else f"MISSING-{number}" for number in range(count))
        if what == "lookups":
            seen = [found.ok async for found in client.vouchers.get_many(codes)]
        else:
            seen = [True async for _ in client.vouchers.list_all(max_items=count, concurrency=4)]
    assert len(seen) == count
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)

anyio.run(main, sys.argv[1], sys.argv[2], int(sys.argv[3]))
"""


def peak(url: str, what: str, count: int) -> float:
    """The peak memory in MB of a process of its own that reads so many vouchers."""
    command = [sys.executable, "-W", "ignore", "-c", MEASURE, url, what, str(count)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return int(done.stdout) / (1024 if sys.platform == "linux" else 1024**2)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no resource module")
@pytest.mark.parametrize(("what", "few", "many"), [("lookups", 100, 2_000), ("list", 500, 15_000)])
def test_memory_does_not_grow_with_the_number(what: str, few: int, many: int) -> None:
    """Iterated, many vouchers take hardly more memory than few; all at once would take 40 MB."""
    fake = FakeVoucherify(record=False)
    fake.add_vouchers({"code": f"C-{number}"} for number in range(many))
    with fake.serve() as url, ThreadPoolExecutor() as pool:
        first, second = pool.map(lambda count: peak(url, what, count), (few, many))
    assert second - first < 10
