"""aiohttp's session as the backend: faster than httpcore, on asyncio only.

aiohttp tells neither how far a request came nor whether a connection has bytes on it that nobody
asked for. Its connections are watched for that.
"""

from __future__ import annotations

import base64
import ssl
from collections.abc import Awaitable, Callable
from functools import lru_cache
from io import BytesIO
from typing import Final

import aiohttp
from yarl import URL

from ..errors import ConfigurationError, TransportError
from .aiohttp_connections import Request, Sending, StaleError, current, watched_connector
from .aiohttp_errors import error_class, reason_of
from .backend import Attempt, Backend, RawAnswer, encoded, header_map
from .exchange import Outgoing
from .proxies import NO_SOCKS, Proxies, Proxy
from .unpacking import OnePiece
from .urls import Origin

_METHODS_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_LARGE: Final = 1 << 20


class AiohttpSender(Backend):
    """Sends over a session of its own: no redirects, repetitions, cookies or unpacking."""

    def __init__(
        self,
        base_url: str,
        make_ssl_context: Callable[[], ssl.SSLContext],
        proxies: Proxies,
        max_answer_bytes: int,
    ) -> None:
        super().__init__(max_answer_bytes)
        self._origin = Origin(base_url)
        self._proxies = proxies
        self._generation = 0
        connector, self._is_watching = watched_connector(make_ssl_context())
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            request_class=Request,
            skip_auto_headers=["Content-Type"],
        )
        self._middlewares = _keeping_once(self._session)

    def keeps_time(self) -> bool:
        """Whether our own protocol objects wait for the answers."""
        return self._is_watching

    async def distrust(self) -> None:
        """Use no connection again that was open until now."""
        self._generation += 1

    async def aclose(self) -> None:
        """Close every connection."""
        await self._session.close()

    async def _send(self, request: Outgoing, attempt: Attempt) -> RawAnswer:
        sending = Sending(self._generation, request.timeout, attempt.ends_at)
        attempt.passage = sending.passage
        token = current.set(sending)
        try:
            while True:
                try:
                    response = await self._request(request, sending)
                    break
                except StaleError:
                    # Closed unused; the next one is tried, or a new one.
                    continue
        finally:
            current.reset(token)
        attempt.is_answered = True
        sending.passage.end_head()

        async def aclose() -> None:
            response.close()
            sending.end()

        body = response.content
        pieces = OnePiece(body.read_nowait()) if body.is_eof() else body.iter_any()
        return RawAnswer(response.status, header_map(response.raw_headers), pieces, aclose)

    def _request(self, request: Outgoing, sending: Sending) -> Awaitable[aiohttp.ClientResponse]:
        url = URL(str(self._origin.url(request.url)), encoded=True)
        content, content_type = encoded(request)
        proxy = self._proxies.of(url.scheme, url.raw_host or "", url.explicit_port)
        has_body = content or request.method in _METHODS_WITH_BODY
        return self._session.request(
            request.method,
            url,
            headers=[
                *([] if content_type is None else [("Content-Type", content_type)]),
                # Of a request that is not encrypted the proxy reads the headers themselves.
                *(_authorization(proxy) if url.scheme == "http" else ()),
                *request.headers.reveal(),
            ],
            # A large body in one piece would be written without a turn for anybody else.
            data=(BytesIO(content) if len(content) > _LARGE else content) if has_body else None,
            allow_redirects=False,
            proxy=None if proxy is None else _address(proxy),
            proxy_headers=None if proxy is None else dict(_authorization(proxy)),
            middlewares=self._middlewares,
            timeout=_connecting_within(
                sending.connecting(),
                None if self._is_watching else sending.timeouts["read"],
            ),
        )

    def _translated(
        self, error: Exception, request: Outgoing, attempt: Attempt
    ) -> TransportError | None:
        if not isinstance(error, (aiohttp.ClientError, OSError)):
            return super()._translated(error, request, attempt)
        passage = attempt.passage
        cls = error_class(error, is_begun=passage is not None and passage.is_begun)
        # Not what aiohttp says, in which whole addresses stand.
        failure = cls(
            f"{request.method} {request.template}: {reason_of(error)}",
            method=request.method,
            path=request.template,
        )
        failure.sent = attempt.may_be_whole is not False
        return failure


@lru_cache(maxsize=16)
def _connecting_within(connect: float | None, read: float | None) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(connect=connect, sock_connect=connect, sock_read=read)


def _keeping_once(session: aiohttp.ClientSession) -> tuple[aiohttp.ClientMiddlewareType, ...]:
    """Keep a session from sending anything again by itself; what its requests go through for that.

    Its switch is a private one, and middlewares cost something.
    """
    if not hasattr(session, "_retry_connection"):
        return (_send_once,)
    session._retry_connection = False  # noqa: SLF001 - private, and guarded above
    return ()


async def _send_once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keep aiohttp from sending a GET, PUT or DELETE again by itself where its answer was lost.

    It does so after these errors alone. The caller decides about repeating, and must know of it: to
    a DELETE that was done already the second answer is 404.
    """
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        reason = reason_of(error)
    raise aiohttp.ClientPayloadError(reason)


def _address(proxy: Proxy) -> URL:
    if proxy.is_socks:
        raise ConfigurationError(NO_SOCKS)
    return URL.build(scheme=proxy.scheme, host=proxy.host, port=proxy.port)


def _authorization(proxy: Proxy | None) -> list[tuple[str, str]]:
    if proxy is None or proxy.credentials() is None:
        return []
    return [
        (
            "Proxy-Authorization",
            "Basic " + base64.b64encode(b":".join(proxy.credentials() or ())).decode(),
        )
    ]
