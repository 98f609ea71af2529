"""What became of a redemption, a rollback or an order: the order, the session and they show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from .._conversion.converter import structure_at
from .._protocol.routes import (
    GET_ORDER,
    GET_REDEMPTION,
    GET_VOUCHER_REDEMPTIONS,
    ROLL_BACK_STACK,
)
from ..models.orders import Order
from ..models.redemptions import RedemptionResult, RedemptionRollback, StackRollback
from .evidence import Absent, Done, Evidence, Look, Lost, Unclear, agrees

Json = Mapping[str, Any]


async def find_redemption(lost: Lost, look: Look) -> Evidence:
    """Look at the order that was sent, or else at the redemptions of the session that was named."""
    order, session = lost.sent.get("order"), lost.sent.get("session")
    named = order.get("source_id") or order.get("id") if isinstance(order, dict) else None
    if isinstance(named, str):
        return await _find_by_order(named, lost, look)
    key = session.get("key") if isinstance(session, dict) else None
    codes = _codes(lost.sent)
    if isinstance(key, str) and codes:
        return await _find_by_session(key, codes, lost, look)
    return Unclear(
        "It named neither an order.source_id nor a session.key, so nothing tells it from another "
        "redemption of the same code"
    )


async def _find_by_order(named: str, lost: Lost, look: Look) -> Evidence:
    order = await look.read_or_none(GET_ORDER(id=named))
    if order is None:
        return Absent("There is no such order")
    entries = order.get("redemptions") or {}
    since = [id_ for id_, entry in entries.items() if lost.was_before(_instant(entry, "date"))]
    found = [parts for id_ in since if (parts := await _parts(id_, entries[id_], lost, look))]
    if len(found) > 1:
        return Unclear("The order holds several redemptions of the same since")
    if not found:
        return Absent("The order holds no such redemption")
    parent, children = found[0]
    body = {"redemptions": children or [parent], "order": order}
    if children:
        body["parent_redemption"] = parent
    return Done(structure_at(RedemptionResult, body))


async def _parts(
    id_: str, entry: Json, lost: Lost, look: Look
) -> tuple[Json, Sequence[Json]] | None:
    """A redemption of the order with its parts; None where it is of something else."""
    parent = await look.read(GET_REDEMPTION(id=id_))
    children = [await look.read(GET_REDEMPTION(id=child)) for child in entry.get("stacked") or ()]
    redeemed = {code for part in (parent, *children) for code in _redeemed(part)}
    asked = {str(item.get("id")).casefold() for item in lost.sent.get("redeemables") or ()}
    # What was redeemed of several may be a part of them, and a stack is known by its tiers.
    is_it = not redeemed or bool(redeemed & asked) or not _codes(lost.sent)
    return (parent, children) if is_it else None


async def _find_by_session(key: str, codes: Sequence[str], lost: Lost, look: Look) -> Evidence:
    found: list[Json] = []
    for code in codes:
        body = await look.read_or_none(GET_VOUCHER_REDEMPTIONS(code=code))
        entries = (body or {}).get("redemption_entries") or ()
        found += [
            entry
            for entry in entries
            if entry.get("object") != "redemption_rollback"
            and (entry.get("session") or {}).get("key") == key
            and entry.get("result") != "FAILURE"
            and lost.was_before(_instant(entry, "date"))
        ]
    if not found:
        return Absent("No redemption of the codes names the session")
    if len({entry.get("id") for entry in found}) > len(codes):
        return Unclear("Several redemptions name the session")
    return Done(structure_at(RedemptionResult, {"redemptions": found}))


async def find_rollback(lost: Lost, look: Look) -> Evidence:
    """Read the redemption back: is it rolled back, and since when?"""
    redemption = await look.read_or_none(GET_REDEMPTION(**lost.values))
    if redemption is None:
        return Unclear("There is no such redemption")
    entry = await _entry(redemption, look)
    rollback_id = entry.get("rollback_id")
    if not isinstance(rollback_id, str):
        if redemption.get("status") == "ROLLED_BACK":
            return Unclear("It is rolled back, but its order does not tell by what")
        return Absent("The redemption is not rolled back")
    at = _instant(entry, "rollback_date")
    if at is not None and not lost.was_before(at):
        return Absent("The redemption had been rolled back before")
    rollback = await look.read(GET_REDEMPTION(id=rollback_id))
    if lost.route != ROLL_BACK_STACK:
        return Done(structure_at(RedemptionRollback, rollback))
    ids = entry.get("rollback_stacked") or ()
    parts = [await look.read(GET_REDEMPTION(id=id_)) for id_ in ids]
    body = {"rollbacks": parts or [rollback], "parent_rollback": rollback}
    return Done(structure_at(StackRollback, body))


async def _entry(redemption: Json, look: Look) -> Json:
    """Its rollback, if there is one, as the order tells of it, or else the redemption itself."""
    # The order inside a redemption is the one of then.
    order_id = (redemption.get("order") or {}).get("id")
    order = await look.read_or_none(GET_ORDER(id=order_id)) if order_id else None
    entry = ((order or {}).get("redemptions") or {}).get(redemption.get("id"))
    if isinstance(entry, dict) and entry.get("rollback_id"):
        return entry
    rollbacks = (redemption.get("related_redemptions") or {}).get("rollbacks") or ()
    last = rollbacks[-1] if rollbacks else {}
    return {"rollback_id": last.get("id"), "rollback_date": last.get("date")}


async def find_order(lost: Lost, look: Look) -> Evidence:
    """Read the order back by its source id: is it as it was to be?"""
    named = lost.values.get("id") or lost.sent.get("source_id")
    if not isinstance(named, str):
        return Unclear("The order has no source_id by which it could be found")
    order = await look.read_or_none(GET_ORDER(id=named))
    if order is None:
        return Absent("There is no such order")
    written = _instant(order, "updated_at") or _instant(order, "created_at")
    sent = {key: lost.sent[key] for key in ("status", "amount", "metadata") if key in lost.sent}
    if agrees(sent, order) and lost.was_before(written):
        return Done(structure_at(Order, order))
    if lost.was_before(written):
        return Unclear("The order was written since, and is not as it was to be")
    return Absent("The order was not written since")


def _codes(sent: Json) -> list[str]:
    """The voucher codes that were to be redeemed."""
    redeemables = sent.get("redeemables") or ()
    return [item["id"] for item in redeemables if item.get("object", "voucher") == "voucher"]


def _redeemed(redemption: Json) -> set[str]:
    """What a redemption is of: a code or an id; nothing where it does not say."""
    voucher, tier = redemption.get("voucher"), redemption.get("promotion_tier")
    named = [
        voucher.get("code") if isinstance(voucher, dict) else None,
        tier.get("id") if isinstance(tier, dict) else None,
    ]
    return {text.casefold() for text in named if isinstance(text, str)}


def _instant(item: Json, key: str) -> datetime | None:
    text = item.get(key)
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return found if found is None or found.tzinfo is not None else None
