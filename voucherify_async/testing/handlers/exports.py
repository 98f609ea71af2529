"""Exports: order, list, get, delete, download."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from .._messages import Incoming, JsonObject, Reply, json_reply, no_content
from .._refusals import ApiFailure, invalid_payload, unauthorized
from .._state.state import State
from ._export_fields import DEFAULT_FIELDS, FIELDS, SORT_KEYS
from ._export_files import table
from ._export_rows import cell_of, rows_of
from ._filters import compile_filters, read_object
from ._voucher_fields import mapping

_ORDERS = ("created_at", "-created_at", "status", "-status")


def create_export(state: State, call: Incoming) -> Reply:
    """Order an export of any object."""
    body = call.json_object()
    exported = body.get("exported_object")
    if exported not in FIELDS:
        raise invalid_payload(f".exported_object: one of {', '.join(FIELDS)} is expected")
    parameters = mapping("parameters", body.get("parameters")) or {}
    return order_export(state, call, exported, parameters)


def order_export(state: State, call: Incoming, exported: str, parameters: JsonObject) -> Reply:
    """Write an export's file and answer with the scheduled export."""
    content = _content(state, exported, parameters)
    polls = state.polls_until_done
    export = state.exports.order(exported, parameters, content, polls)
    return json_reply(export.render(call.origin))


def _content(state: State, exported: str, parameters: JsonObject) -> bytes:
    fields = _fields(exported, parameters.get("fields"))
    order = _order(exported, parameters.get("order"))
    filters = mapping("parameters.filters", parameters.get("filters")) or {}
    test = compile_filters(filters, invalid_payload)
    rows = rows_of(state, exported)
    if test is not None:
        rows = [row for row in rows if test(partial(_read, row)) or test(partial(read_object, row))]
    name = order.removeprefix("-")
    rows.sort(key=lambda row: str(row.get(name) or ""))
    return table(fields, rows[::-1] if order.startswith("-") else rows, cell_of(exported))


def _read(row: JsonObject, name: str) -> Any:
    # A voucher_id condition may hold a code: that of the path, in a card's own export.
    return row["code"] if name == "voucher_id" and "code" in row else read_object(row, name)


def _fields(exported: str, given: Any) -> tuple[str, ...]:
    if not given and given in (None, []):
        return DEFAULT_FIELDS[exported]
    allowed = FIELDS[exported]
    if not isinstance(given, list) or not all(_is_field(name, allowed) for name in given):
        details = f"One of the fields is unknown; there are {', '.join(allowed)}"
        raise ApiFailure(400, "invalid_export_fields", "Invalid Export", details)
    return tuple(given)


def _order(exported: str, given: Any) -> str:
    keys = SORT_KEYS[exported]
    order = given or f"-{keys[0]}"
    if not isinstance(order, str) or order.removeprefix("-") not in keys:
        raise invalid_payload(f".parameters.order: one of {', '.join(keys)} is expected")
    return order


def _is_field(name: Any, allowed: tuple[str, ...]) -> bool:
    return name in allowed or (
        "metadata" in allowed and isinstance(name, str) and name.startswith("metadata.")
    )


def list_exports(state: State, call: Incoming) -> Reply:
    """Serve one page of the exports."""
    query = call.query
    limit = query.integer("limit", state.page_size, 1, 100)
    page = query.integer("page", 1, 1)
    found = state.exports.listed(query.choice("order", _ORDERS, "-created_at"))
    shown = found[(page - 1) * limit : page * limit]
    exports = [export.render(call.origin) for export in shown]
    body = {"object": "list", "data_ref": "exports", "exports": exports, "total": len(found)}
    return json_reply(body)


def get_export(state: State, call: Incoming) -> Reply:
    """Serve an export one stage further than the last read; with a token, its file."""
    if call.query.text("token") is not None:
        return _download(state, call)
    export = state.exports.get(call.path_params["export"])
    export.reads += 1
    return json_reply(export.render(call.origin))


def delete_export(state: State, call: Incoming) -> Reply:
    """Delete an export."""
    state.exports.remove(call.path_params["export"])
    return no_content()


def _download(state: State, call: Incoming) -> Reply:
    export = state.exports.find(call.path_params["export"])
    if export is None or export.token != call.query.text("token"):
        raise unauthorized("The token is not the one of this export")
    content, tag = export.content, f'"{export.id}"'
    headers = {
        "content-type": "text/plain; charset=utf-8",
        "accept-ranges": "bytes",
        "etag": tag,
    }
    asked = re.fullmatch(r"bytes=(\d+)-", call.headers.get("range", ""))
    if asked is None or call.headers.get("if-range", tag) != tag:
        return Reply(200, content, headers)
    start = int(asked[1])
    if start >= len(content):
        headers["content-range"] = f"bytes */{len(content)}"
        return Reply(416, b"", headers)
    headers["content-range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
    return Reply(206, content[start:], headers)
