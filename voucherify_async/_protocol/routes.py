"""Every path of the API as data, and the one place where path values are quoted."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

from attrs import field, frozen

from ..errors import InvalidArgumentError


@frozen
class Route:
    """A method and a path template.

    `bulk` routes count in Voucherify's quota for bulk calls. `check` tells a caller whose write
    came to an unknown end how to find out what happened.
    """

    method: str
    template: str
    bulk: bool = field(default=False, kw_only=True)
    check: str = field(default="Read the resource back before you send it again.", kw_only=True)

    def path(self, **values: str) -> str:
        """The path with each value percent-quoted, slashes included.

        Raises:
            InvalidArgumentError: A value is empty, no string, `.` or `..`.
        """
        return re.sub(r"{(\w+)}", lambda m: _segment(m[1], values[m[1]]), self.template)


def _segment(name: str, value: str) -> str:
    if not isinstance(value, str):
        kind = type(value).__name__
        raise InvalidArgumentError(f"{name}: expected a string, got {value!r} ({kind})")
    if not value.strip():
        raise InvalidArgumentError(f"{name}: is empty; it would address another endpoint")
    if value in {".", ".."}:
        # Servers and proxies resolve dot segments even where they are percent-quoted.
        raise InvalidArgumentError(f"{name}: {value!r} is a dot segment and names no resource")
    try:
        return quote(value, safe="")
    except UnicodeEncodeError:
        raise InvalidArgumentError(f"{name}: {value!r} is no valid Unicode text") from None


_VOUCHER: Final = "/v1/vouchers/{code}"
_BALANCE_CHECK: Final = (
    "Look it up with transactions.find(code, source_id=...) before you send it again."
)
_BULK_CHECK: Final = "See async_actions.list() for a job of that moment before you send it again."
_EXPORT_CHECK: Final = "See exports.list() before you send it again; an export changes no data."

GET_VOUCHER: Final = Route("GET", _VOUCHER)
LIST_VOUCHERS: Final = Route("GET", "/v1/vouchers")
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

LIST_TRANSACTIONS: Final = Route("GET", f"{_VOUCHER}/transactions")
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
LIST_ASYNC_ACTIONS: Final = Route("GET", "/v1/async-actions")

CREATE_EXPORT: Final = Route("POST", "/v1/exports", check=_EXPORT_CHECK)
LIST_EXPORTS: Final = Route("GET", "/v1/exports")
GET_EXPORT: Final = Route("GET", "/v1/exports/{id}")
DELETE_EXPORT: Final = Route("DELETE", "/v1/exports/{id}")

OAUTH_TOKEN: Final = Route("POST", "/v1/oauth/token")
OAUTH_TOKEN_V2: Final = Route("POST", "/v2/oauth/token")
OAUTH_REVOKE: Final = Route("POST", "/v1/oauth/token/revoke")
OAUTH_INTROSPECT: Final = Route("POST", "/v1/oauth/introspect")
