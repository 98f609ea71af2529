"""`python -m benchmarks.soak`: very many calls against a server that misbehaves; nothing may grow.

The server resets connections before and after it answers, cuts bodies, answers too much, with
garbage, with errors and with other vouchers; the caller cancels calls at any moment. Afterwards
file descriptors, tasks and memory have to be where they were after the first tenth, and every call
has to have ended.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

from voucherify_async import AsyncVoucherify, RetryPolicy, VoucherifyError

CONCURRENCY = 100
_BODY = (
    b'{"id":"v_1","object":"voucher","code":"%s","type":"GIFT_VOUCHER",'
    b'"gift":{"amount":1,"balance":1}}'
)


def _answer(body: bytes, status: bytes = b"200 OK", extra: bytes = b"") -> bytes:
    head = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return head % (status, len(body)) + body + extra


async def _serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    chance = random.Random(id(writer))
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            code = head.split(b" ", 2)[1].rpartition(b"/")[2]
            body = _BODY % code
            kind = chance.random()
            if kind < 0.01:
                writer.transport.abort()
                return
            if kind < 0.02:
                writer.write(_answer(body)[:-20])
                return
            if kind < 0.03:
                writer.write(_answer(body, extra=_answer(_BODY % b"other")))
            elif kind < 0.04:
                writer.write(b"SSH-2.0-garbage\r\n\r\n")
                return
            elif kind < 0.05:
                writer.write(_answer(b"<html>", b"502 Bad Gateway"))
            elif kind < 0.06:
                writer.write(_answer(_BODY % b"other"))
            elif kind < 0.07:
                writer.write(_answer(body))
                return
            else:
                writer.write(_answer(body))
            await writer.drain()
    except (OSError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


async def _serve() -> None:
    server = await asyncio.start_server(_serve_one, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


class _Soak:
    def __init__(self, client: AsyncVoucherify, calls: int) -> None:
        self.client = client
        self.left = calls
        self.told: Counter[str] = Counter()
        self.chance = random.Random(1)

    async def work(self) -> None:
        while self.left > 0:
            self.left -= 1
            code = f"C{self.left}"
            patience = self.chance.random() * 0.01 if self.chance.random() < 0.05 else 30
            try:
                async with asyncio.timeout(patience):
                    voucher = await self.client.vouchers.get(code)
                self.told["right" if voucher.code == code else "WRONG"] += 1
            except VoucherifyError as error:
                self.told[type(error).__name__] += 1
            except TimeoutError:
                self.told["cancelled"] += 1


def _state() -> tuple[int, int, float]:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    size = pages * os.sysconf("SC_PAGE_SIZE") / 2**20
    return len(list(Path("/proc/self/fd").iterdir())), len(asyncio.all_tasks()), size


async def _soak(port: int, calls: int, backend: str) -> int:
    rounds, states, told = 10, [], Counter[str]()
    retry = RetryPolicy(max_attempts=2, backoff=0)
    async with AsyncVoucherify(
        "id",
        "token",
        base_url=f"http://127.0.0.1:{port}",
        retry=retry,
        max_concurrency=CONCURRENCY,
        http_backend=backend,  # type: ignore[arg-type]
    ) as client:
        for number in range(rounds):
            soak = _Soak(client, calls // rounds)
            async with asyncio.TaskGroup() as group:
                for _ in range(CONCURRENCY * 2):
                    group.create_task(soak.work())
            told += soak.told
            states.append(_state())
            fds, tasks, size = states[-1]
            done = (number + 1) * (calls // rounds)
            print(f"{done:>9,} calls  {fds:>4} files  {tasks:>3} tasks  {size:7.1f} MB", flush=True)
    print(f"ended as: {dict(told.most_common())}")
    fds, tasks, _ = _state()
    print(f"closed: {fds} files, {tasks} tasks")
    grew = states[-1][2] - states[0][2]
    flat = states[-1][1] == states[0][1] and states[-1][0] <= CONCURRENCY + 30 and grew < 10
    whole = sum(told.values()) == calls // rounds * rounds and not told["WRONG"]
    print("flat" if flat and whole else "NOT FLAT, or a call was lost or told another's answer")
    return 0 if flat and whole else 1


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--calls", type=int, default=200_000)
    parser.add_argument("--backend", default="httpcore")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        asyncio.run(_serve())
        return 0
    command = [sys.executable, "-m", "benchmarks.soak", "--serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            port = int(server.stdout.readline())
            return asyncio.run(_soak(port, arguments.calls, arguments.backend))
        finally:
            server.kill()


if __name__ == "__main__":
    sys.exit(main())
