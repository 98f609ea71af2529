"""The default backend: httpcore's connections in a pool of our own, on asyncio and on trio.

Over the successors, httpx2 and httpcore2, it is a backend of its own. Requests go straight to the
pool, unless something watches httpx.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from .backend import Attempt, Backend, RawAnswer, encoded, header_map, timeouts_of
from .exchange import Outgoing
from .injected import raw_answer
from .pool import ATTEMPT, ConnectionPool
from .proxies import Proxies
from .stack import Stack
from .urls import Origin
from .watched import Body, WatchedWay

if TYPE_CHECKING:
    from httpx import URL

KEEPALIVE_SECONDS: Final = 15.0
_METHODS_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})


class PooledSender(Backend):
    """Sends over a pool of our own.

    Voucherify needs no cookies, redirects or auth flows, which is what httpx's client would cost.
    """

    def __init__(
        self,
        stack: Stack,
        base_url: str,
        make_ssl_context: Callable[[], ssl.SSLContext],
        proxies: Proxies,
        max_answer_bytes: int,
    ) -> None:
        super().__init__(max_answer_bytes)
        self._stack = stack
        self._origin = Origin(base_url, stack.httpx)
        self.pool: Final = ConnectionPool(
            stack.httpcore, make_ssl_context, keepalive_expiry=KEEPALIVE_SECONDS, proxies=proxies
        )
        self._watched_way = WatchedWay(stack.httpx, self._origin, self.pool)

    def keeps_time(self) -> bool:
        """Whether each wait is one of our own sockets'."""
        return not self._watched_way.is_watched()

    async def distrust(self) -> None:
        """Use no connection again that was open until now."""
        await self.pool.distrust()

    async def aclose(self) -> None:
        """Close every connection."""
        await self.pool.aclose()
        await self._watched_way.aclose()

    async def _send(self, request: Outgoing, attempt: Attempt) -> RawAnswer:
        url = self._origin.url(request.url)
        content, content_type = encoded(request, self._stack.httpx)
        headers = [
            *self._framing(request, url, content, content_type),
            *request.headers.reveal(),
        ]
        extensions = {"timeout": timeouts_of(request.timeout), ATTEMPT: attempt}
        if self._watched_way.is_watched():
            built = self._watched_way.request(request.method, url, headers, content, extensions)
            return await raw_answer(await self._watched_way.send(built))
        httpcore = self._stack.httpcore
        answer, body = await self.pool.send(
            httpcore.Request(
                request.method,
                httpcore.URL(
                    scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
                ),
                headers=headers,
                content=Body(content),
                extensions=extensions,
            )
        )
        return RawAnswer(answer.status, header_map(answer.headers), body, body.aclose)

    def _framing(
        self, request: Outgoing, url: URL, content: bytes, content_type: str | None
    ) -> list[tuple[str, str]]:
        framing = [("Host", self._origin.host_header(url))]
        if content or request.method in _METHODS_WITH_BODY:
            framing.append(("Content-Length", str(len(content))))
        if content_type is not None:
            framing.append(("Content-Type", content_type))
        return framing
