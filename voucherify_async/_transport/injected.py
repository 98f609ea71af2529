"""A client of httpx's shape that was passed in: httpx's, its successor's, an instrumented one."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from ..errors import ReadError, TransportError
from .backend import Attempt, Backend, RawAnswer, header_map
from .exchange import Outgoing
from .urls import Origin


class ClientSender(Backend):
    """Sends through a client that belongs to somebody else."""

    def __init__(self, client: Any, base_url: str, max_answer_bytes: int) -> None:
        super().__init__(max_answer_bytes)
        self._client = client
        self._origin = Origin(base_url)

    async def distrust(self) -> None:
        """Do nothing: the connections are not ours."""

    async def aclose(self) -> None:
        """Do nothing: the client is not ours."""

    async def _send(self, request: Outgoing, attempt: Attempt) -> RawAnswer:
        # With the client's own headers, hooks and transport, but without its redirects: across
        # one the client would keep our keys' headers, whatever the host.
        self._origin.check(request.url)
        built = self._client.build_request(
            request.method,
            request.url,
            headers=request.headers.reveal(),
            content=request.content,
            files=request.files,
            timeout=request.timeout,
        )
        attempt.check_time(request)
        try:
            response = await self._client.send(built, stream=True, follow_redirects=False)
        except Exception as error:
            attempt.is_answered = not _is_about(error, built)
            raise
        attempt.is_answered = True
        return await raw_answer(response)

    def _translated(
        self, error: Exception, request: Outgoing, attempt: Attempt
    ) -> TransportError | None:
        failure = super()._translated(error, request, attempt)
        if failure is None or type(failure).sent or not attempt.is_answered:
            return failure
        return ReadError(
            f"{request.method} {request.template}: the http_client that was passed in raised "
            f"{type(error).__name__}, perhaps after the answer",
            method=request.method,
            path=request.template,
        )


def _is_about(error: Exception, request: Any) -> bool:
    """Whether an error is that of sending a request.

    A hook may fail with one of a request of its own, and the client over an address to go on to,
    both after the answer.
    """
    with suppress(RuntimeError):
        return getattr(error, "request", None) is request
    return False


async def raw_answer(response: Any) -> RawAnswer:
    """The answer in a response of httpx's shape."""
    # Hooks of the client may have read it before us.
    content = await response.aread() if response.is_stream_consumed else None
    headers = header_map(response.headers.raw)
    return RawAnswer(response.status_code, headers, response.aiter_raw(), response.aclose, content)
