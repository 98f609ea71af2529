"""What the namespaces share: route, send, structure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, TypeVar

from .. import _protocol
from .._caller import Call, Caller, CallOptions, describe
from .._converter import structure_at
from .._protocol import Answer
from .._routes import Route
from .._schemes import Envelope, Query, Scheme, open_envelope
from ..errors import ResponseValidationError, UnreadableAnswerError
from ..models.async_actions import AsyncActionAccepted
from ..pagination import AsyncPaginator

T = TypeVar("T")

DEFAULT_LIMIT: Final = 100
_NO_BODY: Final = object()


class Resource:
    """The base of a namespace: it knows the caller and nothing of HTTP."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def _send(
        self,
        route: Route,
        *,
        body: Any = _NO_BODY,
        params: Query | None = None,
        files: Mapping[str, Any] | None = None,
        options: CallOptions,
        **path: str,
    ) -> Answer:
        return await self._caller.send(_call(route, path, body, params, files, options))

    async def _fetch(
        self,
        model: type[T],
        route: Route,
        *,
        body: Any = _NO_BODY,
        params: Query | None = None,
        files: Mapping[str, Any] | None = None,
        options: CallOptions,
        **path: str,
    ) -> T:
        call = _call(route, path, body, params, files, options)
        answer = await self._caller.send(call)
        try:
            return structure_at(model, _protocol.decode_answer(answer))
        except ResponseValidationError as error:
            if route.method == "GET":
                raise
            raise _unreadable(error, call) from error

    def _list(
        self,
        model: type[T],
        route: Route,
        key: str,
        scheme: Callable[[], Scheme],
        query: Query,
        *,
        max_items: int | None,
        prefetch: int,
        options: CallOptions,
        **path: str,
    ) -> AsyncPaginator[T]:
        _protocol.check_limit(query["limit"])
        filled = {name: value for name, value in query.items() if value is not None}
        # Refused now, at the line that asked for it, and not at the first page.
        _protocol.encode_query(filled)
        target = route.path(**path)

        async def fetch(query: Query) -> Envelope:
            answer = await self._caller.send(
                Call(route, target, _protocol.encode_query(query), options=options)
            )
            return open_envelope(_protocol.decode_answer(answer), key)

        return AsyncPaginator(
            fetch,
            partial(structure_at, model),
            scheme,
            filled,
            max_items=max_items,
            prefetch=prefetch,
        )

    async def _accepted(self, route: Route, *, options: CallOptions, **send: Any) -> str:
        """Send work that goes on in the background, and return the id to follow it by."""
        accepted = await self._fetch(AsyncActionAccepted, route, options=options, **send)
        if not accepted.async_action_id:
            error = ResponseValidationError(
                path="$.async_action_id", expected="an id", value=accepted.async_action_id
            )
            raise _unreadable(error, Call(route, "")) from error
        return accepted.async_action_id


def _call(
    route: Route,
    path: Mapping[str, str],
    body: Any,
    params: Query | None,
    files: Mapping[str, Any] | None,
    options: CallOptions,
) -> Call:
    content = None if body is _NO_BODY else _protocol.encode_json(body)
    return Call(
        route,
        route.path(**path),
        _protocol.encode_query(params),
        content,
        None if content is None else "application/json",
        files,
        options=options,
    )


def _unreadable(error: ResponseValidationError, call: Call) -> UnreadableAnswerError:
    """It was answered with success, so that repeating it would do it twice."""
    failure = UnreadableAnswerError(
        path=error.path, expected=error.expected, value=error.value, model=error.model
    )
    describe(failure, call)
    return failure
