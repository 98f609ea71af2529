"""From a request to its answer: what every face of the server shares."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson
from python_multipart.exceptions import FormParserError
from starlette.datastructures import Headers
from starlette.formparsers import FormParser, MultiPartException, MultiPartParser

from .._messages import Incoming, Query, Reply, json_reply
from .._refusals import ApiFailure, TooLarge, missing_permission, not_acceptable, unauthorized
from .._state.state import State
from ..handlers.oauth import basic_credentials
from .faults import Fault, Faults
from .operations import Operation, match

CEILING = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """A request as it arrived.

    Attributes:
        method: the HTTP method.
        path: the path, its percent-escapes untouched.
        raw_query: the query as it was sent, without the question mark.
        headers: the headers; names are case-insensitive, ``getlist`` gives repeated ones.
        body: the body; of one over the ceiling of 10 MiB, the part below it.
    """

    method: str
    path: str
    raw_query: str
    headers: Headers
    body: bytes

    @property
    def query(self) -> list[tuple[str, str]]:
        """The query parameters, decoded, in the order in which they were sent."""
        return Query(self.raw_query).pairs

    def json(self) -> Any:
        """Return the decoded JSON body."""
        return orjson.loads(self.body)


@dataclass(slots=True)
class Credentials:
    """What admits a request; None admits any value that is not empty."""

    app_id: str | None = None
    app_token: str | None = None
    client_id: str | None = None
    client_secret: str | None = None


class _FormParser(MultiPartParser):
    # An upload is in memory already: no spooling to disk, which would need a thread.
    spool_max_size = CEILING + 1


_PARSERS: dict[str, type[_FormParser | FormParser]] = {
    "multipart/form-data": _FormParser,
    "application/x-www-form-urlencoded": FormParser,
}


class Engine:
    """Answers requests out of the state, as the faults allow."""

    def __init__(
        self, state: State, faults: Faults, credentials: Credentials, *, record: bool
    ) -> None:
        self.state = state
        self.faults = faults
        self.credentials = credentials
        self.record = record
        self.requests: list[RecordedRequest] = []
        state.events.kept = record

    async def respond(self, call: Incoming) -> Reply:
        """Return the answer to a request, or raise ``Abort`` where the connection ends."""
        with self.state.lock:
            call.request_id = self.state.ids.request()
            if self.record:
                self.requests.append(
                    RecordedRequest(
                        call.method, call.raw_path, call.raw_query, call.headers, call.body
                    )
                )
            fault = self.faults.take(call)
        if call.media_type in _PARSERS:
            async with _form(call):
                return await self._answer(call, fault)
        return await self._answer(call, fault)

    async def _answer(self, call: Incoming, fault: Fault | None) -> Reply:
        if fault is None:
            return self._execute(call)
        reply = await fault.behaviour(call, partial(self._execute, call))
        reply.headers.setdefault("date", self.state.clock.date_header())
        return reply

    def _execute(self, call: Incoming) -> Reply:
        with self.state.lock:
            self.faults.land_due()
            self.state.events.begin(call.request_id, call.headers.get("x-app-id"))
            call.rate_headers = self.state.quota.free_headers()
            try:
                reply = self._dispatch(call)
            except ApiFailure as failure:
                reply = json_reply(failure.body(call.request_id), failure.status)
                reply.headers |= failure.headers
            reply.headers = {
                **call.rate_headers,
                **reply.headers,
                "date": self.state.clock.date_header(),
                "x-request-id": call.request_id,
            }
        return reply

    def _dispatch(self, call: Incoming) -> Reply:
        matched = match(call.method, call.raw_path)
        operation = None if isinstance(matched, ApiFailure) else matched[0]
        self._admit(call, operation)
        if isinstance(matched, ApiFailure):
            raise matched
        operation, call.path_params = matched
        if not _accepts_json(call):
            raise not_acceptable(call.headers["accept"])
        call.rate_headers = self.state.quota.count(bulk=operation.bulk)
        if call.too_large:
            raise TooLarge(CEILING)
        return operation.handler(self.state, call)

    def _admit(self, call: Incoming, operation: Operation | None) -> None:
        admission = operation.admission if operation is not None else "any"
        if admission == "handler":
            expected = (self.credentials.client_id, self.credentials.client_secret)
            given = basic_credentials(call)
        else:
            scheme, _, token = call.headers.get("authorization", "").partition(" ")
            if admission == "any" and scheme.lower() == "bearer":
                scopes = self.state.tokens.scopes(token.strip())
                if scopes is None:
                    raise unauthorized("The token is unknown, revoked or expired")
                if operation is not None and scopes.isdisjoint(("api", operation.scope)):
                    raise missing_permission(operation.scope)
                return
            expected = (self.credentials.app_id, self.credentials.app_token)
            given = (call.headers.get("x-app-id", ""), call.headers.get("x-app-token", ""))
        if not all(given):
            raise unauthorized("The credentials are missing")
        if any(want is not None and want != got for want, got in zip(expected, given, strict=True)):
            raise unauthorized("The credentials are wrong")


def _accepts_json(call: Incoming) -> bool:
    # The file of an export is text; every other answer is JSON.
    accepted = call.headers.get("accept", "*/*") or "*/*"
    ranges = {part.partition(";")[0].strip().lower() for part in accepted.split(",")}
    return call.query.text("token") is not None or not ranges.isdisjoint(
        ("*/*", "application/*", "application/json")
    )


@asynccontextmanager
async def _form(call: Incoming) -> AsyncIterator[None]:
    if not call.too_large:
        # A form that cannot be read is like one without fields: the handler words the error.
        async with aclosing(_stream(call.body)) as stream:
            with suppress(MultiPartException, FormParserError, KeyError):
                call.form = await _PARSERS[call.media_type](call.headers, stream).parse()
    try:
        yield
    finally:
        if call.form is not None:
            await call.form.close()


async def _stream(body: bytes) -> AsyncGenerator[bytes, None]:
    yield body
    yield b""
