"""What validations, redemptions and qualifications share: their bodies and their refusals."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias, TypedDict, TypeVar, cast

from .._calls.call import CallOptions, seal
from .._conversion.converter import to_json_types
from ..errors import InvalidArgumentError, RefusalReason
from ..models.customers import Customer
from ..models.orders import Order
from ..models.redeemables import Redeemable, ValidatedRedeemable
from ..models.redemptions import Redemption

AnyRedeemable: TypeAlias = str | Redeemable | Mapping[str, Any]
"""A code, a model, or the documented mapping."""
AnyCustomer: TypeAlias = str | Customer | Mapping[str, Any]
"""An id (`cust_...`) or source id, a model, or the documented mapping."""
AnyOrder: TypeAlias = str | Order | Mapping[str, Any]
"""An id (`ord_...`) or source id, a model, or the documented mapping."""

T = TypeVar("T")

MAX_REDEEMABLES: Final = 30


class CheckoutBody(TypedDict, total=False):
    """What a validation and a redemption take, under the keys of their JSON body."""

    order: AnyOrder | None
    customer: AnyCustomer | None
    session: Any
    tracking_id: str | None
    metadata: Mapping[str, Any] | None
    options: Any


class CheckoutOptions(CheckoutBody, CallOptions, total=False):
    """The keys of a checkout's body, and the options of the call."""


def split(rest: CheckoutOptions) -> tuple[dict[str, Any], CallOptions]:
    """The keys of the body, and the options of the call, where misspelt names are refused."""
    seal(rest)
    keys = {name: value for name, value in rest.items() if name in CheckoutBody.__optional_keys__}
    options = {name: value for name, value in rest.items() if name not in keys}
    return keys, cast("CallOptions", options)


def checkout_body(redeemables: Iterable[AnyRedeemable], rest: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON object of a validation or redemption; what is None is left out.

    Raises:
        InvalidArgumentError: There is no redeemable, or more than Voucherify takes.
    """
    if isinstance(redeemables, (str, Mapping)):
        raise InvalidArgumentError(
            f"redeemables: expected a list, got {type(redeemables).__name__}; write [code]"
        )
    listed = [_redeemable(item, index) for index, item in enumerate(redeemables)]
    if not 1 <= len(listed) <= MAX_REDEEMABLES:
        raise InvalidArgumentError(
            f"redeemables: expected 1 to {MAX_REDEEMABLES}, got {len(listed)}"
        )
    return {"redeemables": listed, **parties(rest)}


def parties(rest: Mapping[str, Any]) -> dict[str, Any]:
    """The other keys, with customer and order as objects; what is None is left out."""
    body = {key: value for key, value in rest.items() if value is not None}
    for key, prefix in (("customer", "cust_"), ("order", "ord_")):
        named = body.get(key)
        if isinstance(named, str):
            if not named.strip():
                raise InvalidArgumentError(f"{key}: is empty")
            body[key] = {"id" if named.startswith(prefix) else "source_id": named}
    return {key: to_json_types(value, key) for key, value in body.items()}


def with_order_label(body: dict[str, Any]) -> dict[str, Any]:
    """The body with an order that can be found again: it gets a source id if it has no id."""
    order = body.get("order")
    if not isinstance(order, dict) or order.get("id") or order.get("source_id"):
        return body
    return {**body, "order": {**order, "source_id": str(uuid.uuid4())}}


def with_session_key(body: dict[str, Any]) -> dict[str, Any]:
    """The body with a session that can be repeated: it gets a key if it has none."""
    session = body.get("session")
    if not isinstance(session, dict) or session.get("key"):
        return body
    return {**body, "session": {**session, "key": f"ssn_{uuid.uuid4().hex}"}}


def how_to_find(body: Mapping[str, Any]) -> str:
    """A sentence on what a redemption that goes out can be found by; empty where by nothing."""
    order, session = body.get("order"), body.get("session")
    named = order.get("source_id") or order.get("id") if isinstance(order, dict) else None
    if named:
        return (
            f"The redemption that was under way is of the order {named}: the redemptions of "
            f"orders.get({named!r}) tell whether it was done"
        )
    key = session.get("key") if isinstance(session, dict) else None
    if key:
        return (
            f"The redemption that was under way has the session.key {key}: "
            "redemptions.of_voucher(code) tells whether it was done"
        )
    return ""


def reasons(refused: Sequence[ValidatedRedeemable]) -> list[RefusalReason]:
    """Why redeemables do not apply."""
    found = []
    for redeemable in refused:
        result = redeemable.result
        error = result.error if result else None
        found.append(
            RefusalReason(
                redeemable.id,
                error.key if error else redeemable.reason,
                error.message if error else None,
                error.details if error else None,
            )
        )
    return found


def failures(failed: Sequence[Redemption]) -> list[RefusalReason]:
    """Why redemptions that are on record failed."""
    return [
        RefusalReason(_redeemed(one), one.failure_code, one.failure_message, None) for one in failed
    ]


def _redeemed(redemption: Redemption) -> str | None:
    voucher, tier = redemption.voucher, redemption.promotion_tier
    return voucher.code if voucher else tier.id if tier else None


def summary(found: Sequence[RefusalReason]) -> str:
    """The reasons in a sentence, without the codes, which are worth money."""
    said = sorted({reason.key or reason.message or "no reason was given" for reason in found})
    return f"{len(found)} of the redeemables do not apply: {', '.join(said)}"


def _redeemable(item: Any, index: int) -> Any:
    if isinstance(item, str):
        if not item.strip():
            raise InvalidArgumentError(f"redeemables[{index}]: is empty")
        return {"object": "voucher", "id": item}
    if not isinstance(item, (Redeemable, Mapping)):
        raise InvalidArgumentError(
            f"redeemables[{index}]: expected a code, a Redeemable or a mapping, got "
            f"{type(item).__name__}"
        )
    return to_json_types(item, f"redeemables[{index}]")
