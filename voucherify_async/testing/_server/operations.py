"""Every operation that the embedded server knows, as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias
from urllib.parse import unquote

from starlette.routing import Match, Route

from .._messages import Incoming, Reply
from .._refusals import ApiFailure, method_not_allowed
from .._state.state import State
from ..handlers import (
    exports,
    imports,
    oauth,
    orders,
    qualifications,
    redemptions,
    rollbacks,
    transactions,
    validations,
    vouchers,
)
from ..handlers._redemption_listing import list_redemptions

Handler: TypeAlias = Callable[[State, Incoming], Reply]
# What admits a request: API keys or a token; API keys alone; the handler itself.
Admission: TypeAlias = Literal["any", "keys", "handler"]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: where it is, what does it, who may, and which quota counts it."""

    route: Route
    handler: Handler
    bulk: bool = False
    admission: Admission = "any"

    @property
    def scope(self) -> str:
        """The scope of a token that opens it (``api`` opens everything)."""
        return self.route.path.split("/")[2]


def _operation(
    method: str, path: str, handler: Handler, *, bulk: bool = False, admission: Admission = "any"
) -> Operation:
    route = Route(path, handler, methods=[method])
    route.methods = {method}
    return Operation(route, handler, bulk, admission)


_CAMPAIGN = "/v1/campaigns/{campaign}"
_VOUCHER = "/v1/vouchers/{code}"
_REDEMPTION = "/v1/redemptions/{redemption}"

# The order matters: a literal path stands before the pattern that would match it as a code.
OPERATIONS = (
    _operation("GET", _VOUCHER, vouchers.get_voucher),
    _operation("GET", "/v1/vouchers", vouchers.list_vouchers),
    _operation("POST", "/v1/vouchers/import", imports.import_vouchers, bulk=True),
    _operation("POST", "/v1/vouchers/importCSV", imports.import_csv, bulk=True),
    _operation("POST", "/v1/vouchers/bulk/async", imports.update_in_bulk, bulk=True),
    _operation("POST", "/v1/vouchers/metadata/async", imports.update_metadata_in_bulk, bulk=True),
    _operation("POST", f"{_VOUCHER}/balance", transactions.update_balance),
    _operation("GET", f"{_VOUCHER}/transactions", transactions.list_transactions),
    _operation("POST", f"{_VOUCHER}/transactions/export", transactions.export_transactions),
    _operation("POST", f"{_VOUCHER}/enable", vouchers.enable_voucher),
    _operation("POST", f"{_VOUCHER}/disable", vouchers.disable_voucher),
    _operation("DELETE", f"{_VOUCHER}/sessions/{{session}}", vouchers.release_session),
    _operation("POST", _VOUCHER, vouchers.create_voucher),
    _operation("PUT", _VOUCHER, vouchers.update_voucher),
    _operation("DELETE", _VOUCHER, vouchers.delete_voucher),
    _operation("POST", "/v1/vouchers", vouchers.generate_voucher),
    _operation("GET", "/v1/async-actions/{action}", imports.get_action),
    _operation("GET", "/v1/async-actions", imports.list_actions),
    _operation("GET", "/v1/exports/{export}", exports.get_export),
    _operation("DELETE", "/v1/exports/{export}", exports.delete_export),
    _operation("GET", "/v1/exports", exports.list_exports),
    _operation("POST", "/v1/exports", exports.create_export),
    _operation("POST", "/v1/validations", validations.validate),
    _operation("POST", "/v1/redemptions", redemptions.redeem),
    _operation("GET", "/v1/redemptions", list_redemptions),
    _operation("GET", _REDEMPTION, redemptions.get_redemption),
    _operation("GET", f"{_VOUCHER}/redemption", redemptions.redemptions_of_voucher),
    _operation("POST", f"{_REDEMPTION}/rollback", rollbacks.rollback),
    _operation("POST", f"{_REDEMPTION}/rollbacks", rollbacks.rollback_stack),
    _operation("POST", "/v1/qualifications", qualifications.qualify),
    _operation("POST", "/v1/orders", orders.create_order),
    _operation("GET", "/v1/orders", orders.list_orders),
    _operation("POST", "/v1/orders/import", orders.import_orders, bulk=True),
    _operation("POST", "/v1/orders/export", orders.export_orders),
    _operation("GET", "/v1/orders/{order}", orders.get_order),
    _operation("PUT", "/v1/orders/{order}", orders.update_order),
    _operation("POST", f"{_CAMPAIGN}/import", imports.import_to_campaign, bulk=True),
    _operation("POST", f"{_CAMPAIGN}/importCSV", imports.import_csv_to_campaign, bulk=True),
    _operation("GET", f"{_CAMPAIGN}/transactions", transactions.list_campaign_transactions),
    _operation(
        "POST",
        f"{_CAMPAIGN}/transactions/export",
        transactions.export_campaign_transactions,
    ),
    _operation("POST", "/v1/oauth/token", oauth.generate_token, admission="keys"),
    _operation("POST", "/v1/oauth/introspect", oauth.introspect_token, admission="keys"),
    _operation("POST", "/v1/oauth/token/revoke", oauth.revoke_token, admission="keys"),
    _operation("POST", "/v2/oauth/token", oauth.generate_service_token, admission="handler"),
)


def match(method: str, raw_path: str) -> tuple[Operation, Mapping[str, str]] | ApiFailure:
    """Return the operation of a request and its path values, or the 404 or 405 that it gets.

    The path is matched with its percent-escapes, so that a value may hold an escaped slash. A slash
    at its end counts for nothing: the official JS SDK generates codes at ``/v1/vouchers/``.
    """
    # A name of Starlette's for "the path below the mount"; the values are unquoted one by one.
    scope = {"type": "http", "method": method, "path": raw_path.removesuffix("/"), "root_path": ""}
    allowed: set[str] = set()
    for operation in OPERATIONS:
        found, inner = operation.route.matches(scope)
        if found is Match.FULL:
            values = {key: unquote(value) for key, value in inner["path_params"].items()}
            return operation, values
        if found is Match.PARTIAL:
            allowed |= operation.route.methods or set()
    if allowed:
        return method_not_allowed(method, allowed)
    return ApiFailure(404, "not_found", "Resource not found", f"There is nothing at {raw_path}")
