"""What became of a voucher's creation, change or deletion: the voucher itself shows it."""

from __future__ import annotations

from typing import Any, Final

from .._conversion.converter import structure_at
from .._protocol.routes import DISABLE_VOUCHER, ENABLE_VOUCHER, GET_VOUCHER
from ..models.vouchers import Voucher
from .evidence import Absent, Done, Evidence, Look, Lost, Unclear, agrees

# What a creation may send that the voucher's answer states in the same words.
_COMPARABLE: Final = ("type", "discount", "gift", "loyalty_card", "metadata", "additional_info")
_SWITCHES: Final[dict[Any, Any]] = {
    ENABLE_VOUCHER: {"active": True},
    DISABLE_VOUCHER: {"active": False},
}


async def find_creation(lost: Lost, look: Look) -> Evidence:
    """Read the code back: is it what was sent, made since?"""
    body = await look.read_or_none(GET_VOUCHER(**lost.values))
    if body is None:
        return Absent("There is no voucher with the code")
    found = structure_at(Voucher, body)
    sent = {key: lost.sent[key] for key in _COMPARABLE if key in lost.sent}
    if lost.was_before(found.created_at) and agrees(sent, body):
        return Done(found)
    return Unclear("There is such a voucher, but it is older than the call or differs from it")


async def find_change(lost: Lost, look: Look) -> Evidence:
    """Read the voucher back: is it as it was to be?"""
    body = await look.read_or_none(GET_VOUCHER(**lost.values))
    if body is None:
        return Unclear("There is no such voucher any more")
    found = structure_at(Voucher, body)
    if agrees(_SWITCHES.get(lost.route, lost.sent), body):
        return Done(found)
    if lost.was_before(found.updated_at or found.created_at):
        return Unclear("The voucher has been changed since, and is not as it was to be")
    return Absent("The voucher has not been changed since")


async def find_deletion(lost: Lost, look: Look) -> Evidence:
    """Read it back: is it gone?"""
    body = await look.read_or_none(GET_VOUCHER(**lost.values))
    if body is None:
        return Done()
    if lost.was_before(structure_at(Voucher, body).created_at):
        return Unclear("There is such a voucher, which was created since")
    return Absent("It is still there")
