"""A gateway on a socket between a client and the embedded server, which delays, drops and lies.

It knows nothing of the client: what it reads off the wire it passes on, at once or a while later,
and answers in its own words.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Literal

import anyio
import httpx
from anyio.abc import SocketAttribute, SocketStream, TaskGroup
from attrs import field, frozen, mutable

from voucherify_async.testing import FakeVoucherify

from .conftest import MovingClock

Kind = Literal[
    "pass",  # delivered, answered
    "late",  # the connection breaks; delivered `delay` seconds later
    "drop",  # the connection breaks; never delivered
    "lose",  # delivered; the connection breaks without an answer
    "head",  # delivered; the connection breaks after the head of the answer
    "body",  # delivered; the connection breaks in the body of the answer
    "503",  # delivered; answered 503 with Retry-After
    "refused",  # delivered; answered with a 4xx of the gateway's own
    "other",  # delivered; answered with a success that is about something else
    "html",  # delivered; answered 200 with a page
    "429",  # not delivered; answered 429
    "400",  # not delivered; answered with the API's own refusal
]
DELIVERED: tuple[Kind, ...] = ("lose", "head", "body", "503", "refused", "other", "html")
UNKNOWN: tuple[Kind, ...] = (*DELIVERED, "late", "drop")


@frozen
class Fate:
    """What becomes of one request."""

    kind: Kind = "pass"
    delay: float = 0.0


@frozen
class Parcel:
    """One request as it came off the wire."""

    method: str
    target: str
    headers: dict[str, str] = field(repr=False)
    body: bytes

    @property
    def label(self) -> str:
        """What the request is known by: the update's label, the code, the first imported code."""
        sent = json.loads(self.body) if self.body else None
        if isinstance(sent, list):
            return str(sent[0]["code"])
        if isinstance(sent, dict) and "source_id" in sent:
            return str(sent["source_id"])
        return self.target.removeprefix("/v1/vouchers/").partition("/")[0]


_OWN_400 = {"code": 400, "key": "invalid_payload", "message": "Invalid payload"}
_ANSWERS: dict[Kind, tuple[int, dict[str, str], Any]] = {
    "503": (503, {"Retry-After": "0"}, {"message": "backend fetch failed"}),
    "refused": (404, {}, {"message": "no route matched"}),
    "other": (200, {}, {"id": "v_1", "object": "voucher", "code": "SOMEBODY-ELSES"}),
    "html": (200, {"Content-Type": "text/html"}, "<html>welcome</html>"),
    "429": (429, {"Retry-After": "1"}, None),
    "400": (400, {}, _OWN_400),
}


@mutable
class Proxy:
    """The gateway; `fate` decides over each request."""

    fake: FakeVoucherify
    clock: MovingClock
    fate: Callable[[Parcel], Fate] = lambda _: Fate()
    url: str = ""
    executed: list[Parcel] = field(factory=list)
    """The writes that the server did, in the order in which it did them."""
    under_way: int = 0
    """Writes that are yet to be delivered."""
    connections: int = 0
    """Connections that were opened."""

    def times(self, label: str) -> int:
        """How often the write with a label was done."""
        return sum(parcel.label == label for parcel in self.executed)

    async def handle(self, group: TaskGroup, stream: SocketStream) -> None:
        """Serve one connection."""
        self.connections += 1
        async with stream:
            buffer = b""
            try:
                while True:
                    parcel, buffer = await _read(stream, buffer)
                    if not await self._serve(group, stream, parcel):
                        return
            except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
                return

    async def _serve(self, group: TaskGroup, stream: SocketStream, parcel: Parcel) -> bool:
        fate = self.fate(parcel)
        if fate.kind == "late":
            self.under_way += 1
            group.start_soon(self._deliver_later, parcel, fate.delay)
        if fate.kind in {"late", "drop"}:
            return False
        if fate.kind in {"429", "400"}:
            await stream.send(_written(*_ANSWERS[fate.kind]))
            return True
        answer = await self._deliver(parcel)
        if fate.kind == "lose":
            return False
        if fate.kind in _ANSWERS:
            await stream.send(_written(*_ANSWERS[fate.kind]))
            return True
        date = {"Date": answer.headers["date"]} if "date" in answer.headers else {}
        whole = _written(answer.status_code, date, answer.content)
        head = whole.index(b"\r\n\r\n") + 4
        cut = {"head": head, "body": head + max(1, (len(whole) - head) // 2)}.get(fate.kind)
        await stream.send(whole[:cut])
        return cut is None

    async def _deliver_later(self, parcel: Parcel, delay: float) -> None:
        await self.clock.sleep(delay)
        await self._deliver(parcel)
        self.under_way -= 1

    async def _deliver(self, parcel: Parcel) -> httpx.Response:
        async with self.fake.http_client() as server:
            answer = await server.request(
                parcel.method, parcel.target, headers=parcel.headers, content=parcel.body
            )
        if parcel.method != "GET" and answer.is_success:
            self.executed.append(parcel)
        return answer


@asynccontextmanager
async def proxied(fake: FakeVoucherify, clock: MovingClock) -> AsyncIterator[Proxy]:
    """A gateway that runs for as long as the block does."""
    proxy = Proxy(fake, clock)
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0)
    port = listener.extra(SocketAttribute.local_port)
    proxy.url = f"http://127.0.0.1:{port}"
    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, partial(proxy.handle, group))
        yield proxy
        group.cancel_scope.cancel()


async def _read(stream: SocketStream, buffer: bytes) -> tuple[Parcel, bytes]:
    while b"\r\n\r\n" not in buffer:
        buffer += await stream.receive()
    head, _, buffer = buffer.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
    size = int(headers.get("content-length", "0"))
    while len(buffer) < size:
        buffer += await stream.receive()
    kept = {name: headers[name] for name in headers if name.startswith(("x-", "content-t"))}
    return Parcel(method, target, kept, buffer[:size]), buffer[size:]


def _written(status: int, headers: dict[str, str], body: Any) -> bytes:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = {"Content-Type": "application/json", "Content-Length": str(len(content)), **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} Whatever\r\n{head}\r\n".encode() + content
