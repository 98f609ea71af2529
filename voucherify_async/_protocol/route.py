"""What is known of an endpoint, and the one place where path values are quoted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, Literal
from urllib.parse import quote

from attrs import field, frozen

from ..errors import InvalidArgumentError
from .expected_answers import Asked, Expected
from .listings import Listing

# What `quote` leaves as it is, after ten times as long.
_UNRESERVED: Final = re.compile(r"[A-Za-z0-9_.~-]+")

FinderName = Literal[
    "balance update",
    "voucher creation",
    "voucher change",
    "voucher deletion",
    "export",
    "export deletion",
    "import",
    "redemption",
    "rollback",
    "order",
]
"""What `_recovery` knows how to find."""


@frozen
class Route:
    """An endpoint: a method and a path template, and what is particular about it.

    Calling it with its path values binds them: `GET_VOUCHER(code="SUMMER-10")`.
    """

    name: str
    """The method of the client that calls it, such as `vouchers.get`."""
    method: str
    template: str
    bulk: bool = field(default=False, kw_only=True)
    """Whether it counts in Voucherify's quota for bulk calls."""
    listing: Listing | None = field(default=None, kw_only=True)
    """How its pages are walked, where it lists."""
    answer: Expected | None = field(default=None, kw_only=True)
    """What a successful answer has to be; None takes any."""
    repeats_like: Literal["GET", "PUT", "POST"] | None = field(default=None, kw_only=True)
    """The method by whose rules it is repeated, where that is another than its own: a POST that
    changes nothing is repeated like a GET, a PUT that pays is not repeated, like a POST."""
    finder: FinderName | None = field(default=None, kw_only=True)
    """What finds out later what became of a write; None where nothing can."""
    check: str = field(default="Read the resource back before you send it again.", kw_only=True)
    """Tells a caller whose write came to an unknown end how to find out what happened."""

    @property
    def rule(self) -> str:
        """The method by whose rules it is repeated."""
        return self.repeats_like or self.method

    def __call__(self, **values: str) -> BoundRoute:
        """The route with its path values, each percent-quoted, slashes included.

        Raises:
            InvalidArgumentError: A value is empty, not a string, `.` or `..`.
        """
        segments = {name: _segment(name, value) for name, value in values.items()}
        return BoundRoute(self, self.template.format(**segments), values)


@frozen
class BoundRoute:
    """A route and the path that it has with its values."""

    route: Route
    path: str
    values: Mapping[str, str] = field(factory=dict)
    """The path values as the caller gave them."""

    def received(self, content: bytes | None, body: Any) -> Any:
        """The body of an answer, held against what was asked; that of a listing taken apart.

        Args:
            content: The JSON body of the request.
            body: The decoded body of the answer.

        Raises:
            ResponseValidationError: It is not the answer to this request.
        """
        route = self.route
        if route.answer is not None:
            route.answer.check(Asked(self.values, content), body)
        return body if route.listing is None else route.listing.open(body)


def _segment(name: str, value: str) -> str:
    if not isinstance(value, str):
        kind = type(value).__name__
        raise InvalidArgumentError(f"{name}: expected a string, got {value!r} ({kind})")
    if not value.strip():
        raise InvalidArgumentError(f"{name}: is empty, and would address another endpoint")
    if value in {".", ".."}:
        # Servers and proxies resolve dot segments even where they are percent-quoted.
        raise InvalidArgumentError(f"{name}: {value!r} is a dot segment and cannot be addressed")
    if _UNRESERVED.fullmatch(value):
        return value
    try:
        return quote(value, safe="")
    except UnicodeEncodeError:
        raise InvalidArgumentError(f"{name}: {value!r} is not valid Unicode text") from None
