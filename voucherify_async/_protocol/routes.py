"""Every endpoint of the API as data, and the one place where path values are quoted."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final, Literal
from urllib.parse import quote

from attrs import field, frozen

from ..errors import InvalidArgumentError
from .expectations import (
    ACCEPTED,
    ASYNC_ACTION,
    BALANCE,
    EXPORT,
    LISTING,
    NEW_EXPORT,
    NEW_VOUCHER,
    NOTHING,
    VOUCHER,
    Asked,
    Expected,
)
from .listings import Cursor, EndDate, Listing, PageNumbers
from .windows import Windows

FinderName = Literal[
    "balance update",
    "voucher creation",
    "voucher change",
    "voucher deletion",
    "export",
    "export deletion",
    "import",
]
"""What `_recovery` knows how to find."""


@frozen
class Route:
    """An endpoint: a method and a path template, and what is particular about it.

    Calling it with its path values binds them: `GET_VOUCHER(code="SUMMER-10")`.
    """

    method: str
    template: str
    bulk: bool = field(default=False, kw_only=True)
    """Whether it counts in Voucherify's quota for bulk calls."""
    listing: Listing | None = field(default=None, kw_only=True)
    """How its pages are walked, where it lists."""
    answer: Expected | None = field(default=None, kw_only=True)
    """What a successful answer has to be; None takes any."""
    finder: FinderName | None = field(default=None, kw_only=True)
    """What finds out later what became of a write; None where nothing can."""
    check: str = field(default="Read the resource back before you send it again.", kw_only=True)
    """Tells a caller whose write came to an unknown end how to find out what happened."""

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
    try:
        return quote(value, safe="")
    except UnicodeEncodeError:
        raise InvalidArgumentError(f"{name}: {value!r} is not valid Unicode text") from None


_VOUCHER: Final = "/v1/vouchers/{code}"
_BALANCE_CHECK: Final = (
    "Look it up with transactions.find(code, source_id=...) before you send it again."
)
_BULK_CHECK: Final = "See async_actions.list() for a job of that moment before you send it again."
_EXPORT_CHECK: Final = "See exports.list() before you send it again; an export changes no data."

_VOUCHER_PAGES: Final = partial(
    PageNumbers,
    last_page=99,
    way_on="Narrow the listing with created_at=, campaign_id= or category=, and walk each part.",
)
_VOUCHER_WINDOWS: Final = partial(
    Windows,
    unique_order="code",
    way_on="Narrow the listing with category=, campaign_id=, customer= or filters=, and walk each "
    "part; or take exports.create(), which has no such limit",
)
_EXPORT_PAGES: Final = partial(
    PageNumbers,
    last_page=100,
    way_on="List the other end with order='created_at', or delete old exports.",
)

GET_VOUCHER: Final = Route("GET", _VOUCHER, answer=VOUCHER)
LIST_VOUCHERS: Final = Route(
    "GET",
    "/v1/vouchers",
    answer=LISTING,
    listing=Listing("vouchers", _VOUCHER_PAGES, _VOUCHER_WINDOWS),
)
CREATE_VOUCHER: Final = Route(
    "POST",
    _VOUCHER,
    answer=VOUCHER,
    finder="voucher creation",
    check="Read the code back with vouchers.get(code).",
)
GENERATE_VOUCHER: Final = Route(
    "POST",
    "/v1/vouchers",
    answer=NEW_VOUCHER,
    check="See vouchers.list(order='-created_at') for a voucher made then.",
)
UPDATE_VOUCHER: Final = Route("PUT", _VOUCHER, answer=VOUCHER, finder="voucher change")
DELETE_VOUCHER: Final = Route("DELETE", _VOUCHER, answer=NOTHING, finder="voucher deletion")
ENABLE_VOUCHER: Final = Route("POST", f"{_VOUCHER}/enable", answer=VOUCHER, finder="voucher change")
DISABLE_VOUCHER: Final = Route(
    "POST", f"{_VOUCHER}/disable", answer=VOUCHER, finder="voucher change"
)
UPDATE_BALANCE: Final = Route(
    "POST", f"{_VOUCHER}/balance", answer=BALANCE, finder="balance update", check=_BALANCE_CHECK
)
RELEASE_SESSION: Final = Route("DELETE", f"{_VOUCHER}/sessions/{{session_key}}", answer=NOTHING)
LIST_TRANSACTIONS: Final = Route(
    "GET", f"{_VOUCHER}/transactions", answer=LISTING, listing=Listing("data", Cursor)
)
EXPORT_TRANSACTIONS: Final = Route(
    "POST", f"{_VOUCHER}/transactions/export", answer=NEW_EXPORT, check=_EXPORT_CHECK
)

_job: Final = partial(Route, "POST", bulk=True, answer=ACCEPTED, check=_BULK_CHECK)
UPDATE_IN_BULK: Final = _job("/v1/vouchers/bulk/async")
UPDATE_METADATA: Final = _job("/v1/vouchers/metadata/async")
IMPORT_VOUCHERS: Final = _job("/v1/vouchers/import", finder="import")
IMPORT_CSV: Final = _job("/v1/vouchers/importCSV", finder="import")
IMPORT_TO_CAMPAIGN: Final = _job("/v1/campaigns/{campaign_id}/import", finder="import")
IMPORT_CSV_TO_CAMPAIGN: Final = _job("/v1/campaigns/{campaign_id}/importCSV", finder="import")

GET_ASYNC_ACTION: Final = Route("GET", "/v1/async-actions/{id}", answer=ASYNC_ACTION)
LIST_ASYNC_ACTIONS: Final = Route(
    "GET", "/v1/async-actions", answer=LISTING, listing=Listing("async_actions", EndDate)
)

CREATE_EXPORT: Final = Route(
    "POST", "/v1/exports", answer=NEW_EXPORT, finder="export", check=_EXPORT_CHECK
)
LIST_EXPORTS: Final = Route(
    "GET", "/v1/exports", answer=LISTING, listing=Listing("exports", _EXPORT_PAGES)
)
GET_EXPORT: Final = Route("GET", "/v1/exports/{id}", answer=EXPORT)
DELETE_EXPORT: Final = Route("DELETE", "/v1/exports/{id}", answer=NOTHING, finder="export deletion")

OAUTH_TOKEN: Final = Route("POST", "/v1/oauth/token")
OAUTH_TOKEN_V2: Final = Route("POST", "/v2/oauth/token")
OAUTH_REVOKE: Final = Route("POST", "/v1/oauth/token/revoke")

_BY_NAME: Final = {
    (route.method, route.template): route
    for route in list(globals().values())
    if isinstance(route, Route)
}


def route_of(method: str, template: str) -> Route | None:
    """The route with this method and path template, or None where there is none."""
    return _BY_NAME.get((method, template))
