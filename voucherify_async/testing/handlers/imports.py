"""Bulk work: imports of vouchers (JSON, CSV), bulk updates, and the async actions they start."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, TypeAlias

from starlette.datastructures import UploadFile

from .._messages import Incoming, JsonObject, Reply, json_reply, require_media_type
from .._refusals import ApiFailure, invalid_payload, invalid_query, invalid_voucher
from .._state.catalog import StoredCampaign
from .._state.server_time import iso, parse_instant
from .._state.state import State
from .._state.stored_voucher import StoredVoucher
from ._csv_reading import MEMBERS, STANDALONE, RowError, failure_of, rows
from ._import_bodies import changes, importable, member_changes
from ._voucher_building import apply_changes, build, set_redeemed, touch
from ._voucher_fields import mapping, names

_Row: TypeAlias = tuple[int, str, JsonObject | RowError]


def _submit(
    state: State, call: Incoming, kind: str, work: Callable[[], JsonObject], status: int = 202
) -> Reply:
    action = state.actions.submit(kind, call.request_id, state.polls_until_done, work)
    return json_reply({"async_action_id": action.id}, status)


def import_vouchers(state: State, call: Incoming) -> Reply:
    """Import vouchers out of a JSON array."""
    items = _items(call)
    return _submit(state, call, "VOUCHERS.IMPORT", lambda: _import(state, items, None))


def import_to_campaign(state: State, call: Incoming) -> Reply:
    """Import vouchers out of a JSON array into a campaign."""
    campaign = state.catalog.campaign(call.path_params["campaign"])
    items = _items(call)
    taken = sum(item["code"] in state.vouchers for item in items)
    if taken:
        details = f"{taken} of the codes are taken"
        raise ApiFailure(400, "duplicate_key", "Duplicate codes", details)
    kind = "CAMPAIGN.VOUCHERS_IMPORT"
    return _submit(state, call, kind, lambda: _import(state, items, campaign))


def _items(call: Incoming) -> list[JsonObject]:
    items = call.json_array()
    if not all(isinstance(item, dict) for item in items):
        raise invalid_payload("The body has to be a JSON array of objects")
    nameless = sum(not isinstance(item.get("code"), str) or not item["code"] for item in items)
    if nameless:
        raise invalid_voucher(f"{nameless} voucher(s) have no code")
    return items


def _import(state: State, items: list[JsonObject], campaign: StoredCampaign | None) -> JsonObject:
    failed: list[JsonObject] = []
    for item in items:
        try:
            _add(state, item["code"], importable(item), campaign)
        except ApiFailure as error:
            failed.append({"code": item["code"], "reason": str(error)})
    return _import_result(len(items) - len(failed), failed)


def _add(state: State, code: str, body: JsonObject, campaign: StoredCampaign | None) -> None:
    if campaign is not None and campaign.members >= state.campaign_capacity:
        raise invalid_voucher(f"A campaign has at most {state.campaign_capacity} codes")
    state.vouchers.add(build(state, code, body, campaign=campaign))


def import_csv(state: State, call: Incoming) -> Reply:
    """Import vouchers out of a CSV file."""
    table = _rows(call, STANDALONE)
    return _submit(state, call, "VOUCHERS.IMPORT_CSV", lambda: _import_rows(state, table, None))


def import_csv_to_campaign(state: State, call: Incoming) -> Reply:
    """Import vouchers out of a CSV file into a campaign."""
    campaign = state.catalog.campaign(call.path_params["campaign"])
    table = _rows(call, MEMBERS)
    # The one import whose answer is documented with the status 200.
    return _submit(
        state,
        call,
        "CAMPAIGN.VOUCHERS_IMPORT_CSV",
        lambda: _import_rows(state, table, campaign),
        status=200,
    )


def _rows(call: Incoming, properties: frozenset[str]) -> list[_Row]:
    require_media_type(call, "multipart/form-data")
    upload = call.form.get("file") if call.form is not None else None
    if not isinstance(upload, UploadFile):
        raise invalid_payload("The form needs the file field 'file'")
    # An unreadable file is refused at once; a row that makes no voucher shows in the result.
    return list(rows(upload.file.read(), properties))


def _import_rows(state: State, table: list[_Row], campaign: StoredCampaign | None) -> JsonObject:
    failed: list[JsonObject] = []
    done = 0
    for number, code, body in table:
        try:
            _add_row(state, code, body, campaign)
            done += 1
        except (ApiFailure, RowError) as error:
            failed.append(failure_of(number, code, error))
    return _import_result(done, failed)


def _add_row(
    state: State, code: str, body: JsonObject | RowError, campaign: StoredCampaign | None
) -> None:
    if isinstance(body, RowError):
        raise body
    if not code:
        raise RowError("Code is required")
    known = state.vouchers.find_code(code)
    if known is not None:
        _change(state, known, body, campaign)
        return
    if campaign is None and body["type"] is None:
        raise RowError("Voucher Type is required")
    _add(state, code, body, campaign)


def _change(
    state: State, voucher: StoredVoucher, body: JsonObject, campaign: StoredCampaign | None
) -> None:
    if voucher.campaign is not campaign:
        raise RowError("The code belongs to another campaign")
    if campaign is not None:
        apply_changes(state, voucher, member_changes(body))
        return
    if body["type"] not in (None, voucher.type):
        raise RowError("Voucher Type is fixed at the creation")
    set_redeemed(voucher, body)
    apply_changes(state, voucher, changes(body, spent=voucher.redeemed))


def _import_result(done: int, failed: list[JsonObject]) -> JsonObject:
    return {
        "message": f"Imported {done} voucher(s), refused {len(failed)}.",
        "failed": failed,
        "done_count": done,
        "failed_count": len(failed),
    }


def update_in_bulk(state: State, call: Incoming) -> Reply:
    """Merge metadata into vouchers, each voucher's own."""
    pairs: list[tuple[str, JsonObject]] = []
    for item in call.json_array():
        if not isinstance(item, dict) or not isinstance(item.get("code"), str):
            raise invalid_payload("Every item has to be an object with a code")
        pairs.append((item["code"], mapping("metadata", item.get("metadata")) or {}))
    return _update(state, call, "VOUCHERS.BULK_UPDATE", pairs)


def update_metadata_in_bulk(state: State, call: Incoming) -> Reply:
    """Merge the same metadata into vouchers."""
    body = call.json_object()
    codes = names("codes", body.get("codes"))
    metadata = mapping("metadata", body.get("metadata"))
    if not codes or metadata is None:
        raise invalid_payload(".codes and .metadata are expected")
    return _update(state, call, "VOUCHERS.METADATA_UPDATE", [(code, metadata) for code in codes])


def _update(
    state: State, call: Incoming, kind: str, pairs: Iterable[tuple[str, JsonObject]]
) -> Reply:
    def work() -> JsonObject:
        done, errors = 0, []
        for code, metadata in pairs:
            voucher = state.vouchers.find(code)
            if voucher is None:
                errors.append(_update_error(kind, code))
                continue
            _merge(state, voucher, metadata)
            done += 1
        report = f"https://reports.voucherify.test/{call.request_id}.csv"
        return {
            "done_count": done,
            "failed_count": len(errors),
            "reports": [report],
            "reports_available_till": iso(state.clock.now() + timedelta(days=30)),
            "errors": errors,
        }

    return _submit(state, call, kind, work)


def _merge(state: State, voucher: StoredVoucher, metadata: JsonObject) -> None:
    voucher.metadata = {**voucher.metadata, **metadata}
    touch(state, voucher)


def _update_error(kind: str, code: str) -> dict[str, Any]:
    error = {
        "message": "Resource not found",
        "details": f"There is no voucher with the code {code}",
        "key": "not_found",
    }
    return {**error, "code": code} if kind == "VOUCHERS.BULK_UPDATE" else error


def get_action(state: State, call: Incoming) -> Reply:
    """Serve an async action one stage further than the last read."""
    return json_reply(state.actions.read(call.path_params["action"]).render())


def list_actions(state: State, call: Incoming) -> Reply:
    """Serve the newest async actions before an instant."""
    limit = call.query.integer("limit", state.page_size, 1, 100)
    end = call.query.text("end_date")
    try:
        instant = None if end is None else parse_instant(end)
    except ValueError:
        raise invalid_query(".end_date: an ISO 8601 date is expected") from None
    found, more = state.actions.before(instant, limit)
    actions = [action.render(listed=True) for action in found]
    body = {"object": "list", "data_ref": "async_actions", "async_actions": actions}
    return json_reply({**body, "has_more": more} if state.actions.has_more_shown else body)
