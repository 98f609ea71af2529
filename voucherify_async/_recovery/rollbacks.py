"""What became of a rollback: the redemption and its order show it."""

from __future__ import annotations

from .._conversion.converter import structure_at
from .._protocol.routes import GET_ORDER, GET_REDEMPTION, ROLL_BACK_STACK
from ..models.orders import Order, OrderRedemption
from ..models.redemptions import Redemption, RedemptionRollback, StackRollback
from .checkout import read_entry
from .evidence import Absent, Done, Evidence, Look, Lost, Unclear, agrees


async def find_rollback(lost: Lost, look: Look) -> Evidence:
    """Read the redemption back: is it rolled back, and since when?"""
    body = await look.read_or_none(GET_REDEMPTION(**lost.values))
    if body is None:
        return Unclear("There is no such redemption")
    redemption = structure_at(Redemption, body)
    entry = await _in_order(redemption, look)
    rollback = await _rollback_of(redemption, entry, look)
    if rollback is None:
        if redemption.status == "ROLLED_BACK":
            return Unclear("It is rolled back, but nothing tells by what")
        return Absent("The redemption is not rolled back")
    doubt = _doubt(rollback, lost)
    if doubt is not None:
        return doubt
    is_stack = lost.route == ROLL_BACK_STACK
    return Done(await _stack(rollback, entry, look) if is_stack else rollback)


def _doubt(rollback: RedemptionRollback, lost: Lost) -> Evidence | None:
    """Why a rollback is not the one that was lost, or may not be it; None if it is."""
    if rollback.date is None:
        return Unclear("It is rolled back, but nothing tells when")
    if not lost.was_before(rollback.date):
        return Absent("The redemption had been rolled back before")
    sent = (lost.sent or {}).get("metadata")
    if sent and rollback.metadata and not agrees(sent, rollback.metadata):
        return Unclear("It was rolled back since, but with other metadata")
    return None


async def _in_order(redemption: Redemption, look: Look) -> OrderRedemption:
    """What the order tells of the redemption; nothing where it tells nothing."""
    # The order inside a redemption is the one of then.
    named = redemption.order.id if redemption.order else None
    body = await look.read_or_none(GET_ORDER(id=named)) if named else None
    told = structure_at(Order, body).redemptions if body is not None else None
    return (told or {}).get(redemption.id) or OrderRedemption()


async def _rollback_of(
    redemption: Redemption, entry: OrderRedemption, look: Look
) -> RedemptionRollback | None:
    """The rollback that succeeded; those that failed are on record too."""
    related = redemption.related_redemptions
    told = [rollback.id for rollback in (related.rollbacks if related else None) or ()]
    for id_ in dict.fromkeys(filter(None, [entry.rollback_id, *told])):
        rollback = await _read(id_, look)
        if rollback.is_successful:
            return rollback
    return None


async def _stack(rollback: RedemptionRollback, entry: OrderRedemption, look: Look) -> StackRollback:
    parts = [await _read(id_, look) for id_ in entry.rollback_stacked or ()]
    if parts:
        return StackRollback(rollbacks=parts, parent_rollback=rollback, order=rollback.order)
    return StackRollback(rollbacks=[rollback], order=rollback.order)


async def _read(id_: str, look: Look) -> RedemptionRollback:
    return await read_entry(RedemptionRollback, id_, look)
