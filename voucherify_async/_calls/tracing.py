"""Spans of OpenTelemetry: one a call, whatever backend sends it.

A span holds the route's template and the outcome: never a code, a header or a body.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from .._protocol.answers import Answer, request_id
from .._protocol.route import Route
from .._version import __version__

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

_NAME: Final = "voucherify_async"


class Tracing:
    """Makes the spans of one client."""

    def __init__(self, api: Any) -> None:
        self._api = api
        self._tracer: Tracer = api.get_tracer(_NAME, __version__)

    def is_recording(self) -> bool:
        """Whether a provider was set, so that somebody sees the spans."""
        provider = self._api.get_tracer_provider()
        return not isinstance(
            provider, (self._api.ProxyTracerProvider, self._api.NoOpTracerProvider)
        )

    @contextmanager
    def span(self, route: Route, base_url: str) -> Iterator[CallSpan]:
        """The span of a call, current while the block runs."""
        attributes = {
            "http.request.method": route.method,
            "url.template": route.template,
            "server.address": urlsplit(base_url).hostname or "",
        }
        with self._tracer.start_as_current_span(
            route.name,
            kind=self._api.SpanKind.CLIENT,
            attributes=attributes,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            yield CallSpan(span, self._api)

    def attempted(self, number: int) -> None:
        """Note an attempt on the span of the call that goes on."""
        if number > 1:
            self._api.get_current_span().set_attribute("http.request.resend_count", number - 1)


class CallSpan:
    """The span of one call, which learns how it ended."""

    def __init__(self, span: Span, api: Any) -> None:
        self._span = span
        self._api = api

    def answered(self, answer: Answer) -> None:
        """Note an answer with success."""
        self._note(answer.status_code, request_id(answer.headers))

    def failed(self, error: Exception) -> None:
        """Note an error by its class, as its text may name a code."""
        self._note(getattr(error, "status_code", None), getattr(error, "request_id", None))
        self._span.set_attribute("error.type", type(error).__name__)
        self._span.set_status(self._api.StatusCode.ERROR)

    def _note(self, status: int | None, request: str | None) -> None:
        if status is not None:
            self._span.set_attribute("http.response.status_code", status)
        if request is not None:
            self._span.set_attribute("voucherify.request_id", request)


def tracing() -> Tracing | None:
    """The spans of a client that is made now; None where the service does not use OpenTelemetry.

    Whoever sets OpenTelemetry up has imported it by then.
    """
    api = sys.modules.get("opentelemetry.trace")
    return None if api is None else Tracing(api)
