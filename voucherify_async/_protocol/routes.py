"""Every endpoint of the API as data, and the one place where path values are quoted."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final
from urllib.parse import quote

from attrs import field, frozen

from ..errors import InvalidArgumentError
from .listings import Cursor, EndDate, PageNumbers, Scheme


@frozen
class Listing:
    """How an endpoint lists: the key of its array, and how its pages follow one another."""

    key: str
    scheme: Callable[[], Scheme]


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
    values: dict[str, str] = field(factory=dict)
    """The path values as the caller gave them."""


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
_EXPORT_PAGES: Final = partial(
    PageNumbers,
    last_page=100,
    way_on="List the other end with order='created_at', or delete old exports.",
)

GET_VOUCHER: Final = Route("GET", _VOUCHER)
LIST_VOUCHERS: Final = Route("GET", "/v1/vouchers", listing=Listing("vouchers", _VOUCHER_PAGES))
CREATE_VOUCHER: Final = Route("POST", _VOUCHER, check="Read the code back with vouchers.get(code).")
GENERATE_VOUCHER: Final = Route(
    "POST", "/v1/vouchers", check="See vouchers.list(order='-created_at') for a voucher made then."
)
UPDATE_VOUCHER: Final = Route("PUT", _VOUCHER)
DELETE_VOUCHER: Final = Route("DELETE", _VOUCHER)
ENABLE_VOUCHER: Final = Route("POST", f"{_VOUCHER}/enable")
DISABLE_VOUCHER: Final = Route("POST", f"{_VOUCHER}/disable")
UPDATE_BALANCE: Final = Route("POST", f"{_VOUCHER}/balance", check=_BALANCE_CHECK)
RELEASE_SESSION: Final = Route("DELETE", f"{_VOUCHER}/sessions/{{session_key}}")
UPDATE_IN_BULK: Final = Route("POST", "/v1/vouchers/bulk/async", bulk=True, check=_BULK_CHECK)
UPDATE_METADATA: Final = Route("POST", "/v1/vouchers/metadata/async", bulk=True, check=_BULK_CHECK)

LIST_TRANSACTIONS: Final = Route("GET", f"{_VOUCHER}/transactions", listing=Listing("data", Cursor))
EXPORT_TRANSACTIONS: Final = Route("POST", f"{_VOUCHER}/transactions/export", check=_EXPORT_CHECK)

IMPORT_VOUCHERS: Final = Route("POST", "/v1/vouchers/import", bulk=True, check=_BULK_CHECK)
IMPORT_CSV: Final = Route("POST", "/v1/vouchers/importCSV", bulk=True, check=_BULK_CHECK)
IMPORT_TO_CAMPAIGN: Final = Route(
    "POST", "/v1/campaigns/{campaign_id}/import", bulk=True, check=_BULK_CHECK
)
IMPORT_CSV_TO_CAMPAIGN: Final = Route(
    "POST", "/v1/campaigns/{campaign_id}/importCSV", bulk=True, check=_BULK_CHECK
)

GET_ASYNC_ACTION: Final = Route("GET", "/v1/async-actions/{id}")
LIST_ASYNC_ACTIONS: Final = Route(
    "GET", "/v1/async-actions", listing=Listing("async_actions", EndDate)
)

CREATE_EXPORT: Final = Route("POST", "/v1/exports", check=_EXPORT_CHECK)
LIST_EXPORTS: Final = Route("GET", "/v1/exports", listing=Listing("exports", _EXPORT_PAGES))
GET_EXPORT: Final = Route("GET", "/v1/exports/{id}")
DELETE_EXPORT: Final = Route("DELETE", "/v1/exports/{id}")

OAUTH_TOKEN: Final = Route("POST", "/v1/oauth/token")
OAUTH_TOKEN_V2: Final = Route("POST", "/v2/oauth/token")
OAUTH_REVOKE: Final = Route("POST", "/v1/oauth/token/revoke")
