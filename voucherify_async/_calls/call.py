"""One call of the API as data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

from attrs import field, frozen

from .._protocol import bodies, queries
from .._protocol.headers import NO_HEADERS, SignedHeaders, wrap
from .._protocol.retry import RetryPolicy
from .._protocol.route import BoundRoute, Route
from .._unset import UNSET
from ..errors import InvalidArgumentError
from .settings import check_retry, check_timeout


class CallOptions(TypedDict, total=False):
    """What every method takes as `**options`: settings for one call, over the client's own.

    A method that sends several requests applies them to each.
    """

    timeout: Any
    """Seconds for each step of an attempt (connect, write, read), None for no bound, or an
    `httpx.Timeout`."""
    retry: RetryPolicy | None
    """The retry policy; None sends once."""
    extra_headers: Mapping[str, str]
    """More headers; they go over the client's own, but not over what signs or frames."""
    extra_query: Mapping[str, Any]
    """More of the query: None is left out, lists repeat their key, mappings become `key[inner]`."""


def seal(options: Any) -> None:
    """Take the headers among a method's `**options` out of sight.

    In place: the method's own frame holds this very mapping, and error trackers write frames out.

    Raises:
        InvalidArgumentError: HTTP cannot carry the headers.
    """
    given = options.pop("extra_headers", None)
    if given is None:
        return
    try:
        options["extra_headers"] = wrap(given, name="extra_headers", error=InvalidArgumentError)
    finally:
        del given


def check_options(options: CallOptions) -> None:
    """Refuse what `**options` would swallow: a misspelt argument, a value that makes no sense.

    Raises:
        TypeError: A name is unknown.
        InvalidArgumentError: The timeout, the retry policy or a header is not one.
    """
    if not options:
        return
    seal(options)
    unknown = options.keys() - CallOptions.__optional_keys__
    if unknown:
        # As Python itself says it of a method without **options.
        raise TypeError(f"unexpected keyword argument: {', '.join(sorted(unknown))}")
    check_timeout(options.get("timeout"), error=InvalidArgumentError)
    check_retry(options.get("retry"), error=InvalidArgumentError)


@frozen
class Call:
    """One call of the API, ready to be sent as often as it takes."""

    target: BoundRoute
    query: str = ""
    content: bytes | None = field(default=None, repr=False)
    content_type: str | None = None
    files: Mapping[str, Any] | None = field(default=None, repr=False)
    headers: SignedHeaders = NO_HEADERS
    options: CallOptions = field(factory=CallOptions)

    @property
    def route(self) -> Route:
        """The endpoint."""
        return self.target.route

    @classmethod
    def of(
        cls,
        target: BoundRoute,
        options: CallOptions,
        *,
        body: Any = UNSET,
        query: str = "",
        params: Mapping[str, Any] | None = None,
        files: Mapping[str, Any] | None = None,
        headers: SignedHeaders | None = None,
    ) -> Call:
        """The call of a route with what a method was given.

        Args:
            target: The route with its path values.
            options: The options of the call.
            body: What goes out as JSON, or the bytes of a JSON text.
            query: A query that is encoded already.
            params: What to add to it.
            files: A multipart upload in place of a body.
            headers: Headers of this call.

        Raises:
            TypeError: An option is unknown.
            InvalidArgumentError: Something in it cannot be sent.
        """
        check_options(options)
        extra = options.get("extra_query")
        if params or extra:
            added = (query, queries.encode_query(params), queries.encode_query(extra))
            query = "&".join(filter(None, added))
        queries.check_url(target.path, query)
        extra_headers = options.get("extra_headers")
        if extra_headers is not None:
            headers = SignedHeaders(headers or {}, extra_headers)
        content = body if isinstance(body, bytes) else None
        if content is None and body is not UNSET:
            content = bodies.encode_json(body)
        content_type = None if content is None else "application/json"
        return cls(target, query, content, content_type, files, headers or NO_HEADERS, options)
