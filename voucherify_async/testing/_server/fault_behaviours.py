"""What a fault does with a request, each as ``async (call, execute) -> Reply``."""

from __future__ import annotations

import asyncio
import gzip
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import TypeAlias

import anyio

from .._messages import Abort, End, Incoming, Reply

Execute: TypeAlias = Callable[[], Reply]


class Gate:
    """Holds requests until it opens; opened from any thread, waited at on any event loop."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wakers: dict[int, Callable[[], object]] = {}
        self._open = False

    @property
    def waiting(self) -> int:
        """How many requests wait at this moment."""
        with self._lock:
            return len(self._wakers)

    def open(self) -> None:
        """Let everyone through, now and later."""
        with self._lock:
            self._open = True
            wakers = list(self._wakers.values())
        for wake in wakers:
            # A loop that is closed by now has nobody left to wake.
            with suppress(RuntimeError):
                wake()

    async def wait(self, call: Incoming) -> None:
        """Wait until the gate opens; raise ``Abort`` if the connection ends first."""
        event = anyio.Event()
        with self._lock:
            if self._open:
                return
            self._wakers[id(event)] = _waker(event)
        try:
            gone = await _first(event, call.closed)
        finally:
            with self._lock:
                del self._wakers[id(event)]
        if gone:
            raise Abort("disconnect")


def _waker(event: anyio.Event) -> Callable[[], object]:
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        from trio.lowlevel import current_trio_token

        return partial(current_trio_token().run_sync_soon, event.set)
    return partial(loop.call_soon_threadsafe, event.set)


async def _first(event: anyio.Event, closed: Callable[[], Awaitable[None]] | None) -> bool:
    """Wait for the event or for the connection's end; tell whether it was the latter."""
    if closed is None:
        await event.wait()
        return False
    gone = False

    async def watch() -> None:
        nonlocal gone
        await closed()
        gone = True
        group.cancel_scope.cancel()

    async with anyio.create_task_group() as group:
        group.start_soon(watch)
        await event.wait()
        group.cancel_scope.cancel()
    return gone


class LateRequests:
    """Requests that are processed after their connection has ended, as a load balancer's are."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._waiting: list[tuple[float, Execute]] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, seconds: float, execute: Execute) -> None:
        """Keep a request for so many seconds of the server's clock."""
        self._waiting.append((self._now() + seconds, execute))

    def land(self, until: float | None = None) -> int:
        """Process those that are due (all of them at infinity); return how many there were."""
        bound = self._now() if until is None else until
        due = [execute for instant, execute in self._waiting if instant <= bound]
        self._waiting = [pair for pair in self._waiting if pair[0] > bound]
        for execute in due:
            execute()
        return len(due)

    def clear(self) -> None:
        """Forget them."""
        self._waiting.clear()


async def land_late(late: LateRequests, seconds: float, call: Incoming, execute: Execute) -> Reply:
    """End the connection now, and process the request some time later."""
    del call
    late.add(seconds, execute)
    raise Abort("reset")


async def pass_through(call: Incoming, execute: Execute) -> Reply:
    """Answer as if there were no fault."""
    del call
    return execute()


async def end_before(end: End, call: Incoming, execute: Execute) -> Reply:
    """End the connection; nothing is applied."""
    del call, execute
    raise Abort(end)


async def end_after(end: End, call: Incoming, execute: Execute) -> Reply:
    """Apply the request, then end the connection."""
    del call
    execute()
    raise Abort(end)


async def cut(keep: float, call: Incoming, execute: Execute) -> Reply:
    """Apply the request, send a part of the answer's body, then reset the connection."""
    del call
    reply = execute()
    reply.break_at = int(len(reply.body) * keep)
    reply.on_break = _reset
    return reply


async def _reset() -> None:
    raise Abort("reset")


async def stall_before(gate: Gate, call: Incoming, execute: Execute) -> Reply:
    """Hold the request, then apply it."""
    await gate.wait(call)
    return execute()


async def stall_applied(gate: Gate, call: Incoming, execute: Execute) -> Reply:
    """Apply the request, then hold its answer."""
    reply = execute()
    await gate.wait(call)
    return reply


async def stall_body(keep: float, gate: Gate, call: Incoming, execute: Execute) -> Reply:
    """Apply the request, send the head and a part of the body, then hold the rest."""
    reply = execute()
    reply.break_at = int(len(reply.body) * keep)
    reply.on_break = partial(gate.wait, call)
    return reply


async def replace(make: Callable[[Incoming], Reply], call: Incoming, execute: Execute) -> Reply:
    """Answer with something else; nothing is applied."""
    del execute
    return make(call)


async def garble(make: Callable[[Incoming], Reply], call: Incoming, execute: Execute) -> Reply:
    """Apply the request, then answer with something else; its status 0 keeps the usual one."""
    executed = execute()
    reply = make(call)
    reply.status = reply.status or executed.status
    return reply


async def drip(chunk: int, call: Incoming, execute: Execute) -> Reply:
    """Answer in tiny pieces."""
    del call
    reply = execute()
    reply.chunk_size = chunk
    return reply


async def truncate_gzip(call: Incoming, execute: Execute) -> Reply:
    """Answer with a gzip body that ends too early."""
    del call
    reply = execute()
    packed = gzip.compress(reply.body, mtime=0)
    reply.body = packed[: len(packed) // 2]
    reply.headers["content-encoding"] = "gzip"
    return reply


async def end_token(revoke: Callable[[str], object], call: Incoming, execute: Execute) -> Reply:
    """Revoke the bearer token of the request, then let the request run into it."""
    revoke(call.headers.get("authorization", "").partition(" ")[2].strip())
    return execute()
