"""Every endpoint of the API as data."""

from __future__ import annotations

from functools import partial
from typing import Final

from .expected_answers import (
    ACCEPTED,
    ASYNC_ACTION,
    BALANCE,
    EXPORT,
    LISTING,
    NEW_EXPORT,
    NEW_VOUCHER,
    NOTHING,
    VOUCHER,
)
from .expected_checkout import (
    ORDER,
    REDEMPTION,
    REDEMPTION_RESULT,
    ROLLBACK,
    STACK_ROLLBACK,
    VALIDATION,
    VOUCHER_REDEMPTIONS,
)
from .listings import Cursor, EndDate, Listing, PageNumbers
from .route import Route
from .windows import Windows

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

GET_VOUCHER: Final = Route("vouchers.get", "GET", _VOUCHER, answer=VOUCHER)
LIST_VOUCHERS: Final = Route(
    "vouchers.list",
    "GET",
    "/v1/vouchers",
    answer=LISTING,
    listing=Listing("vouchers", _VOUCHER_PAGES, _VOUCHER_WINDOWS),
)
CREATE_VOUCHER: Final = Route(
    "vouchers.create",
    "POST",
    _VOUCHER,
    answer=VOUCHER,
    finder="voucher creation",
    check="Read the code back with vouchers.get(code).",
)
GENERATE_VOUCHER: Final = Route(
    "vouchers.generate",
    "POST",
    "/v1/vouchers",
    answer=NEW_VOUCHER,
    check="See vouchers.list(order='-created_at') for a voucher made then.",
)
UPDATE_VOUCHER: Final = Route(
    "vouchers.update", "PUT", _VOUCHER, answer=VOUCHER, finder="voucher change"
)
DELETE_VOUCHER: Final = Route(
    "vouchers.delete", "DELETE", _VOUCHER, answer=NOTHING, finder="voucher deletion"
)
ENABLE_VOUCHER: Final = Route(
    "vouchers.enable", "POST", f"{_VOUCHER}/enable", answer=VOUCHER, finder="voucher change"
)
DISABLE_VOUCHER: Final = Route(
    "vouchers.disable", "POST", f"{_VOUCHER}/disable", answer=VOUCHER, finder="voucher change"
)
UPDATE_BALANCE: Final = Route(
    "vouchers.update_balance",
    "POST",
    f"{_VOUCHER}/balance",
    answer=BALANCE,
    finder="balance update",
    check=_BALANCE_CHECK,
)
RELEASE_SESSION: Final = Route(
    "vouchers.release_session", "DELETE", f"{_VOUCHER}/sessions/{{session_key}}", answer=NOTHING
)
LIST_TRANSACTIONS: Final = Route(
    "transactions.list",
    "GET",
    f"{_VOUCHER}/transactions",
    answer=LISTING,
    listing=Listing("data", Cursor),
)
EXPORT_TRANSACTIONS: Final = Route(
    "transactions.export",
    "POST",
    f"{_VOUCHER}/transactions/export",
    answer=NEW_EXPORT,
    check=_EXPORT_CHECK,
)

_job: Final = partial(Route, method="POST", bulk=True, answer=ACCEPTED, check=_BULK_CHECK)
UPDATE_IN_BULK: Final = _job("vouchers.update_in_bulk", template="/v1/vouchers/bulk/async")
UPDATE_METADATA: Final = _job(
    "vouchers.update_metadata_in_bulk", template="/v1/vouchers/metadata/async"
)
IMPORT_VOUCHERS: Final = _job("imports.vouchers", template="/v1/vouchers/import", finder="import")
IMPORT_CSV: Final = _job("imports.csv", template="/v1/vouchers/importCSV", finder="import")
IMPORT_TO_CAMPAIGN: Final = _job(
    "imports.vouchers_to_campaign", template="/v1/campaigns/{campaign_id}/import", finder="import"
)
IMPORT_CSV_TO_CAMPAIGN: Final = _job(
    "imports.csv_to_campaign", template="/v1/campaigns/{campaign_id}/importCSV", finder="import"
)

GET_ASYNC_ACTION: Final = Route(
    "async_actions.get", "GET", "/v1/async-actions/{id}", answer=ASYNC_ACTION
)
LIST_ASYNC_ACTIONS: Final = Route(
    "async_actions.list",
    "GET",
    "/v1/async-actions",
    answer=LISTING,
    listing=Listing("async_actions", EndDate),
)

CREATE_EXPORT: Final = Route(
    "exports.create", "POST", "/v1/exports", answer=NEW_EXPORT, finder="export", check=_EXPORT_CHECK
)
LIST_EXPORTS: Final = Route(
    "exports.list", "GET", "/v1/exports", answer=LISTING, listing=Listing("exports", _EXPORT_PAGES)
)
GET_EXPORT: Final = Route("exports.get", "GET", "/v1/exports/{id}", answer=EXPORT)
DELETE_EXPORT: Final = Route(
    "exports.delete", "DELETE", "/v1/exports/{id}", answer=NOTHING, finder="export deletion"
)

_REDEMPTION: Final = "/v1/redemptions/{id}"
_REDEMPTION_CHECK: Final = (
    "It may still be done for 3 minutes. Before you send it again, look for it in the redemptions "
    "of orders.get(id or source_id); where no order was named, by your session.key in "
    "redemptions.of_voucher(code); or else by its code and time in redemptions.list(), which is "
    "evidence and no proof."
)
_ROLLBACK_CHECK: Final = (
    "It may still be done for 3 minutes. Before you send it again, see with redemptions.get(id) "
    "whether the status is ROLLED_BACK."
)
_ORDER_CHECK: Final = (
    "Read it back with orders.get(id or source_id) before you send it again; one without a "
    "source_id stands in orders.list(order='-created_at')."
)
_REDEMPTION_PAGES: Final = partial(
    PageNumbers,
    last_page=99,
    way_on="Take list_all(), or narrow the listing with created_at=, customer= or campaign=.",
)
_REDEMPTION_WINDOWS: Final = partial(
    Windows,
    item_field="date",
    unique_order="id",
    way_on="Narrow the listing with customer=, campaign= or filters=, and walk each part; or take "
    "exports.create(), which has no such limit",
)
_ORDER_PAGES: Final = partial(
    PageNumbers,
    last_page=99,
    way_on="List the other end with the opposite order=, or take orders.export().",
)

_validation: Final = partial(Route, method="POST", template="/v1/validations", answer=VALIDATION)
VALIDATE: Final = _validation("validations.validate", repeats_like="GET")
VALIDATE_AND_LOCK: Final = _validation(
    "validations.validate",
    repeats_like="PUT",  # the same session key replaces the lock
    check="Validate again with the same session.key, or release it with "
    "vouchers.release_session(code, key); a lock ends by itself in time.",
)
REDEEM: Final = Route(
    "redemptions.redeem",
    "POST",
    "/v1/redemptions",
    answer=REDEMPTION_RESULT,
    finder="redemption",
    check=_REDEMPTION_CHECK,
)
GET_REDEMPTION: Final = Route("redemptions.get", "GET", _REDEMPTION, answer=REDEMPTION)
LIST_REDEMPTIONS: Final = Route(
    "redemptions.list",
    "GET",
    "/v1/redemptions",
    answer=LISTING,
    listing=Listing("redemptions", _REDEMPTION_PAGES, _REDEMPTION_WINDOWS),
)
GET_VOUCHER_REDEMPTIONS: Final = Route(
    "redemptions.of_voucher", "GET", f"{_VOUCHER}/redemption", answer=VOUCHER_REDEMPTIONS
)
ROLL_BACK: Final = Route(
    "redemptions.rollback",
    "POST",
    f"{_REDEMPTION}/rollback",
    answer=ROLLBACK,
    finder="rollback",
    check=_ROLLBACK_CHECK,
)
ROLL_BACK_STACK: Final = Route(
    "redemptions.rollback_stack",
    "POST",
    f"{_REDEMPTION}/rollbacks",
    answer=STACK_ROLLBACK,
    finder="rollback",
    check=_ROLLBACK_CHECK,
)
CHECK_ELIGIBILITY: Final = Route(
    "qualifications.check",
    "POST",
    "/v1/qualifications",
    repeats_like="GET",
    listing=Listing(
        "data",
        partial(Cursor, "options.starting_after", limit="options.limit", by_id=False),
        under="redeemables",
    ),
)
_order: Final = partial(Route, answer=ORDER, finder="order", check=_ORDER_CHECK)
CREATE_ORDER: Final = _order("orders.create", "POST", "/v1/orders")
UPSERT_ORDER: Final = _order("orders.create", "POST", "/v1/orders", repeats_like="PUT")
GET_ORDER: Final = Route("orders.get", "GET", "/v1/orders/{id}", answer=ORDER)
UPDATE_ORDER: Final = _order("orders.update", "PUT", "/v1/orders/{id}")
PAY_ORDER: Final = _order("orders.update", "PUT", "/v1/orders/{id}", repeats_like="POST")
LIST_ORDERS: Final = Route(
    "orders.list", "GET", "/v1/orders", answer=LISTING, listing=Listing("orders", _ORDER_PAGES)
)
IMPORT_ORDERS: Final = _job("orders.bulk_import", template="/v1/orders/import")
EXPORT_ORDERS: Final = Route(
    "orders.export", "POST", "/v1/orders/export", answer=NEW_EXPORT, check=_EXPORT_CHECK
)

OAUTH_TOKEN: Final = Route("oauth.token", "POST", "/v1/oauth/token")
OAUTH_TOKEN_V2: Final = Route("oauth.token", "POST", "/v2/oauth/token")
OAUTH_REVOKE: Final = Route("oauth.revoke", "POST", "/v1/oauth/token/revoke")

_BY_NAME: Final = {
    (route.method, route.template): route
    for route in list(globals().values())
    if isinstance(route, Route)
}


def route_of(method: str, template: str) -> Route | None:
    """The route with this method and path template, or None where there is none."""
    return _BY_NAME.get((method, template))
