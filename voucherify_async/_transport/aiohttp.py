"""aiohttp in the place of httpcore: the optional backend for asyncio."""

from __future__ import annotations

from ssl import SSLContext

from aiohttp import (
    ClientConnectorError,
    ClientHandlerType,
    ClientOSError,
    ClientPayloadError,
    ClientRequest,
    ClientResponse,
    ClientResponseError,
    ClientSession,
    DummyCookieJar,
    ServerDisconnectedError,
    TCPConnector,
)
from httpx_aiohttp import AiohttpTransport


def transport(ssl_context: SSLContext, *, keepalive_expiry: float) -> AiohttpTransport:
    """A transport of httpx's shape over an aiohttp session of its own."""

    def session() -> ClientSession:
        # The limiter in front bounds the connections; aiohttp would at 100.
        connector = TCPConnector(limit=0, keepalive_timeout=keepalive_expiry, ssl=ssl_context)
        return ClientSession(
            connector=connector, cookie_jar=DummyCookieJar(), middlewares=[_send_once]
        )

    return AiohttpTransport(verify=ssl_context, client=session)


async def _send_once(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    """Keep aiohttp from sending a GET, PUT or DELETE again by itself where its answer was lost.

    It does so after these errors alone. The caller decides about repeating, and must know of it: to
    a DELETE that was done already the second answer is 404.
    """
    try:
        return await handler(request)
    except ClientConnectorError:
        raise
    except (ClientOSError, ServerDisconnectedError) as error:
        failure = ClientPayloadError(str(error))
    except ClientResponseError as error:
        # What is no HTTP. It holds the request with its credentials, and httpx's adapter does not
        # know it; hence its message alone, and no chain.
        failure = ClientPayloadError(error.message)
    raise failure
