"""What the namespaces share: route, send, structure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, TypeVar

from attrs import evolve

from .._calls import outcomes
from .._calls.caller import Call, Caller, CallOptions, check_options
from .._checks import check_limit
from .._conversion.converter import structure_at
from .._protocol import answers, bodies, queries
from .._protocol.answers import Answer
from .._protocol.listings import Envelope, Query, Scheme, open_envelope
from .._protocol.retry import SAFE_METHODS, RetryPolicy
from .._protocol.routes import Route
from ..errors import ResponseValidationError
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
            return structure_at(model, answers.decode_answer(answer))
        except ResponseValidationError as error:
            if route.method in SAFE_METHODS:
                raise
            raise outcomes.unreadable(error, call) from error

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
        check_options(options)
        check_limit(query["limit"])
        filled = {name: value for name, value in query.items() if value is not None}
        # Refused now, at the line that asked for it, and not at the first page.
        target = route.path(**path)
        queries.check_url(target, queries.encode_query(filled))

        async def fetch(query: Query) -> Envelope:
            answer = await self._caller.send(
                Call(route, target, queries.encode_query(query), options=options)
            )
            return open_envelope(answers.decode_answer(answer), key)

        return AsyncPaginator(
            fetch,
            partial(structure_at, model),
            scheme,
            filled,
            max_items=max_items,
            prefetch=prefetch,
        )

    def _patient(self, options: CallOptions) -> CallOptions:
        """The options of bulk work, which waits for the quota as long as it takes.

        A policy that was given for the call itself is obeyed.
        """
        check_options(options)
        if "retry" in options:
            return options
        policy = self._caller.settings.retry or RetryPolicy(max_attempts=1)
        return {**options, "retry": evolve(policy, max_wait=math.inf)}

    async def _accepted(self, route: Route, *, options: CallOptions, **send: Any) -> str:
        """Send work that goes on in the background, and return the id to follow it by."""
        accepted = await self._fetch(AsyncActionAccepted, route, options=options, **send)
        if not accepted.async_action_id:
            error = ResponseValidationError(
                path="$.async_action_id", expected="an id", value=accepted.async_action_id
            )
            raise outcomes.unreadable(error, Call(route, "")) from error
        return accepted.async_action_id


def _call(
    route: Route,
    path: Mapping[str, str],
    body: Any,
    params: Query | None,
    files: Mapping[str, Any] | None,
    options: CallOptions,
) -> Call:
    check_options(options)
    content = body if isinstance(body, bytes) else None
    if content is None and body is not _NO_BODY:
        content = bodies.encode_json(body)
    target, query = route.path(**path), queries.encode_query(params)
    queries.check_url(target, query)
    return Call(
        route,
        target,
        query,
        content,
        None if content is None else "application/json",
        files,
        options=options,
    )
