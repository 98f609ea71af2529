"""What a process pays once, measured inside a fresh interpreter."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

# Child processes and not the worker itself, which has imported things that these import too.
_IMPORT = """
import time
started = time.perf_counter()
import {module}
milliseconds = (time.perf_counter() - started) * 1e3
from benchmarks.loads.meter import peak_memory
import json
print(json.dumps({{"milliseconds": milliseconds, "peak": peak_memory()}}))
"""
_CLIENT = """
import time
started = time.perf_counter()
{program}
milliseconds = (time.perf_counter() - started) * 1e3
import json
print(json.dumps({{"milliseconds": milliseconds}}))
"""
_LOOKUP = """
import asyncio
from benchmarks.peers import asynchronous

async def main():
    async with asynchronous.lookup({peer!r}, {url!r}) as get:
        await get("CODE-1")

asyncio.run(main())
from benchmarks.loads.meter import peak_memory
import json
print(json.dumps({{"peak": peak_memory()}}))
"""
_HOOKS = """
import time
import orjson
from benchmarks import payloads
from voucherify_async import Voucher, from_dict

data, taken = orjson.loads(payloads.voucher_bytes()), []
for _ in range(10):
    started = time.perf_counter()
    from_dict(Voucher, data)
    taken.append(time.perf_counter() - started)
import json
print(json.dumps({"milliseconds": (taken[0] - sorted(taken)[5]) * 1e3}))
"""


def import_cost(module: str) -> Any:
    """Milliseconds of an import, and the process's peak memory after it."""
    return _child(_IMPORT.format(module=module))


def client_cost(program: str) -> Any:
    """Milliseconds of an import and of making a client, as `program` does."""
    return _child(_CLIENT.format(program=program))


def first_lookup(peer: str, url: str) -> Any:
    """The peak memory of a process that made one lookup."""
    return _child(_LOOKUP.format(peer=peer, url=url))


def hooks() -> Any:
    """How much longer the first voucher takes than the later ones."""
    return _child(_HOOKS)


def _child(program: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = done.stderr.strip().rpartition("\n")[2]
        if last.startswith("ModuleNotFoundError"):
            raise ModuleNotFoundError(last.partition(": ")[2])
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout)
