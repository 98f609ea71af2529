"""A client of httpx's shape that was passed in: httpx's, its successor's, an instrumented one."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from ..errors import ConfigurationError, ReadError, TransportError
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
        built = self._built(request)
        attempt.check_time(request)
        refused = None
        try:
            response = await self._client.send(built, stream=True, follow_redirects=False)
        except Exception as error:
            response = refused = _refused_response(error, built)
            if refused is None:
                attempt.is_answered = not _is_about(error, built)
                raise
        attempt.is_answered = True
        answer = await raw_answer(response)
        if refused is not None and refused.is_closed and answer.content is None:
            # What the hook had not read went with the connection, which the client closed.
            answer.content = b""
        return answer

    def _built(self, request: Outgoing) -> Any:
        """The client's own request.

        Raises:
            ConfigurationError: HTTP cannot carry what the client adds to it.
        """
        with suppress(UnicodeError):
            return self._client.build_request(
                request.method,
                request.url,
                headers=request.headers.reveal(),
                content=request.content,
                files=request.files,
                timeout=request.timeout,
            )
        # Out here, as the error quotes what may be a secret.
        raise ConfigurationError(
            "http_client: a cookie or a header of the client that was passed in is not ASCII; "
            "nothing was sent"
        )

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


def _refused_response(error: Exception, request: Any) -> Any:
    """The response that a client raised an error for, if it is to this request.

    So do clients, and hooks of theirs, that call `response.raise_for_status()`.
    """
    response: Any = getattr(error, "response", None)
    with suppress(AttributeError, RuntimeError):
        if response.request is request and not response.is_success:
            return response
    return None


async def raw_answer(response: Any) -> RawAnswer:
    """The answer in a response of httpx's shape."""
    # Hooks of the client may have read it before us.
    content = await response.aread() if response.is_stream_consumed else None
    headers = header_map(response.headers.raw)
    return RawAnswer(response.status_code, headers, response.aiter_raw(), response.aclose, content)
