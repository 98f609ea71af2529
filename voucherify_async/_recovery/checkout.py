"""What became of a redemption: its order shows it, or else the session that it was made with.

A redemption that is found is the one that was lost, surely another one, or one that cannot be told
from it. Only what is surely another one is passed over; what cannot be told is never told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias, TypeVar

from attrs import evolve, frozen

from .._conversion.converter import structure_at
from .._protocol.expected_answers import folded
from .._protocol.routes import GET_ORDER, GET_REDEMPTION, GET_VOUCHER_REDEMPTIONS
from ..errors import ResponseValidationError
from ..models.orders import Order
from ..models.redeemables import ValidatedRedeemable
from ..models.redemptions import Redemption, RedemptionEntry, RedemptionResult, VoucherRedemptions
from .evidence import Absent, Done, Evidence, Look, Lost, Unclear, agrees

T = TypeVar("T")
Likeness: TypeAlias = Literal["same", "another", "unclear"]


@frozen
class _Made:
    """A redemption that is on record, with its parts where several were made at once."""

    whole: Redemption
    parts: Sequence[Redemption] = ()
    shows_all: bool = True
    """Whether `parts` are all that were made at once."""

    @property
    def uses(self) -> Sequence[Redemption]:
        """Each use of a redeemable."""
        return self.parts or (self.whole,)


async def find_redemption(lost: Lost, look: Look) -> Evidence:
    """Look at the order that was sent, or else at the redemptions of the session that was named."""
    order, session = lost.sent.get("order"), lost.sent.get("session")
    named = order.get("source_id") or order.get("id") if isinstance(order, dict) else None
    if isinstance(named, str):
        return await _find_by_order(named, lost, look)
    key = session.get("key") if isinstance(session, dict) else None
    codes = [item.get("id", "") for item in _asked(lost) if _kind(item) == "voucher"]
    if isinstance(key, str) and codes:
        return await _find_by_session(key, codes, lost, look)
    return Unclear(
        "It names neither an order nor a voucher with a session.key, so nothing tells it from "
        "another redemption of the same; see redemptions.list() for one of that moment"
    )


async def _find_by_order(named: str, lost: Lost, look: Look) -> Evidence:
    body = await look.read_or_none(GET_ORDER(id=named))
    if body is None:
        return Absent("There is no such order")
    order = structure_at(Order, body)
    made = [
        _Made(await _read(id_, look), [await _read(part, look) for part in entry.stacked or ()])
        for id_, entry in (order.redemptions or {}).items()
    ]
    return _judged(made, lost, Absent("The order holds no such redemption"), order)


async def _find_by_session(key: str, codes: Sequence[str], lost: Lost, look: Look) -> Evidence:
    found: dict[str, list[Redemption]] = {}
    # A loyalty card's redemption does not name its session, nor is a promotion's looked up by code.
    shows_all = all(_kind(item) == "voucher" and not item.get("reward") for item in _asked(lost))
    for code in codes:
        body = await look.read_or_none(GET_VOUCHER_REDEMPTIONS(code=code))
        told = structure_at(VoucherRedemptions, body or {})
        entries = told.redemption_entries or ()
        shows_all = shows_all and body is not None and len(entries) >= (told.total or 0)
        for entry in entries:
            if isinstance(entry, Redemption) and entry.session and entry.session.key == key:
                found.setdefault(entry.redemption or entry.id, []).append(entry)
    made = [
        await _with_parent(id_, parts, look, shows_all=shows_all) for id_, parts in found.items()
    ]
    if shows_all:
        return _judged(made, lost, Absent("No redemption of the codes names the session"))
    return _judged(made, lost, Unclear("Not every redemption that may be it can be looked through"))


async def _with_parent(
    id_: str, found: Sequence[Redemption], look: Look, *, shows_all: bool
) -> _Made:
    if found[0].id == id_:
        return _Made(found[0])
    whole = await _read(id_, look)
    related = whole.related_redemptions
    ids = [part.id for part in (related.redemptions if related else None) or () if part.id]
    if not ids:
        return _Made(whole, found, shows_all)
    return _Made(whole, [await _read(part, look) for part in ids])


async def _read(id_: str, look: Look) -> Redemption:
    return await read_entry(Redemption, id_, look)


async def read_entry(kind: type[T], id_: str, look: Look) -> T:
    """Read a redemption or a rollback, as what it has to be.

    Raises:
        ResponseValidationError: It is of another kind.
    """
    # A union, which no `type[T]` takes.
    entries: Any = RedemptionEntry
    entry: object = structure_at(entries, await look.read(GET_REDEMPTION(id=id_)))
    if not isinstance(entry, kind):
        raise ResponseValidationError(
            json_path="$.object", expected=kind.__name__, value=type(entry).__name__
        )
    return entry


def _judged(
    made: Iterable[_Made], lost: Lost, otherwise: Evidence, order: Order | None = None
) -> Evidence:
    """What redemptions say of the one that was lost; `otherwise` where they are all others."""
    candidates = [
        (one, likeness) for one in made if (likeness := _likeness(one, lost)) != "another"
    ]
    if not candidates:
        return otherwise
    if len(candidates) > 1:
        return Unclear("There are several redemptions that may be it")
    one, likeness = candidates[0]
    if likeness == "unclear":
        return Unclear("There is a redemption that may be it or another one")
    asked = _by_name(lost)
    for use in one.uses:
        for name in _names(use):
            asked.pop(name, None)
    missing = [
        ValidatedRedeemable(id=item.get("id"), object=_kind(item), status="INAPPLICABLE")
        for item in asked.values()
        if _kind(item) in _SINGLE
    ]
    result = RedemptionResult(redemptions=one.uses, order=one.whole.order or order)
    if one.parts:
        result = evolve(result, parent_redemption=one.whole)
    return Done(evolve(result, inapplicable_redeemables=missing) if missing else result)


_SINGLE = {"voucher", "promotion_tier"}
"""What is redeemed under the id that it is asked for by; a stack is redeemed as its tiers."""


def _likeness(made: _Made, lost: Lost) -> Likeness:
    """Whether a redemption is the one that was lost."""
    judgements = (
        _of_success(made.whole),
        _of_session(made, lost),
        _of_uses(made, lost),
        _of_time(made.whole, lost),
        _of_metadata(made.whole, lost),
    )
    if "another" in judgements:
        return "another"
    return "unclear" if "unclear" in judgements else "same"


def _of_success(whole: Redemption) -> Likeness:
    # What was refused is on record too.
    if whole.result == "FAILURE":
        return "another"
    return "same" if whole.is_successful else "unclear"


def _of_session(made: _Made, lost: Lost) -> Likeness:
    session = lost.sent.get("session")
    key = session.get("key") if isinstance(session, dict) else None
    told = {one.session.key for one in (made.whole, *made.parts) if one.session} - {None}
    return "another" if key and told and key not in told else "same"


def _of_uses(made: _Made, lost: Lost) -> Likeness:
    """Whether it is of what was to be redeemed: all of it, or the part of it that applied."""
    asked = _by_name(lost)
    is_stack = any(_kind(item) not in _SINGLE for item in asked.values())
    for use in made.uses:
        names = _names(use)
        if not names:
            return "unclear"
        item = next((asked[name] for name in names if name in asked), None)
        if item is None and not (is_stack and use.promotion_tier is not None):
            return "another"
        if item is not None and _spends_more(use, item):
            return "another"
    if len(made.uses) < len(asked) and not (made.parts and made.shows_all):
        return "unclear"
    return "same"


def _spends_more(use: Redemption, item: Mapping[str, Any]) -> bool:
    """Whether a use took more off a card than was asked for."""
    credits_ = (item.get("gift") or {}).get("credits")
    points = (item.get("reward") or {}).get("points")
    limit = credits_ if credits_ is not None else points
    return limit is not None and use.amount is not None and use.amount > limit


def _of_time(whole: Redemption, lost: Lost) -> Likeness:
    if lost.may_be_of(whole.date):
        return "same"
    is_over = whole.date is not None and whole.status == "ROLLED_BACK"
    # One that stands may be it, if the clock by which the time was noted went wrong; to redeem
    # again what was rolled back does no harm.
    return "another" if is_over else "unclear"


def _of_metadata(whole: Redemption, lost: Lost) -> Likeness:
    sent = lost.sent.get("metadata")
    differs = sent and whole.metadata and not agrees(sent, whole.metadata)
    return "unclear" if differs else "same"


def _asked(lost: Lost) -> Sequence[Mapping[str, Any]]:
    """What was to be redeemed."""
    asked: Sequence[Mapping[str, Any]] = lost.sent.get("redeemables") or ()
    return asked


def _by_name(lost: Lost) -> dict[str, Mapping[str, Any]]:
    return {folded(str(item.get("id"))): item for item in _asked(lost)}


def _kind(item: Mapping[str, Any]) -> str:
    return str(item.get("object", "voucher"))


def _names(use: Redemption) -> set[str]:
    """The code and the ids of what was redeemed."""
    named = {use.promotion_tier.id} if use.promotion_tier else set()
    if use.voucher:
        named |= {use.voucher.code, use.voucher.id}
    return {folded(name) for name in named if name}
