"""Whether the answer to a checkout is the answer to its request: codes, amounts, order, session."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from ..errors import ResponseValidationError
from .expected_answers import Asked, Expected, another, folded, is_same

_TOLD_OF: Final = (
    "redeemables",
    "redemptions",
    "inapplicable_redeemables",
    "skipped_redeemables",
)
"""Where the answer to a checkout tells of each redeemable."""
_SINGLE: Final = ("voucher", "promotion_tier")
"""What is answered under the id that it is asked for by."""


def _of_these_redeemables(asked: Asked, body: Mapping[str, Any]) -> None:
    """Hold what was validated or redeemed, its order and its session against what was sent.

    Raises:
        ResponseValidationError: It is the answer to another request, or says nothing of this one.
    """
    told = {key: body[key] for key in _TOLD_OF if body.get(key) is not None}
    if not any(told.values()):
        raise ResponseValidationError(
            json_path="$", expected="what became of a redeemable", value=body, shown="nothing of it"
        )
    sent = {
        folded(str(item.get("id"))): item
        for item in asked.sent("redeemables") or ()
        if isinstance(item, dict)
    }
    # A stack is answered by the tiers that are in it.
    singles = {name for name, item in sent.items() if item.get("object", "voucher") in _SINGLE}
    is_closed = len(singles) == len(sent)
    for key, items in told.items():
        if not isinstance(items, list):
            raise _no_array(key, items)
        for index, item in enumerate(items):
            names = _names_of(item)
            fitting = [sent[name] for name in names if name in sent]
            is_another = is_closed and names and not fitting
            if is_another or any(_spends_more(item, wish) for wish in fitting):
                raise another(f"$.{key}[{index}]", item)
            _of_this_session(asked, item, f"$.{key}[{index}]")
    _of_each(singles, [item for items in told.values() for item in items], body)
    _of_the_order_sent(asked.sent("order"), body.get("order"), "$.order")
    _of_this_session(asked, body, "$")


def _of_each(asked_for: set[str], told: list[Any], body: Mapping[str, Any]) -> None:
    """Hold a success against everything that it has to tell of.

    Raises:
        ResponseValidationError: It does not say what became of one of them.
    """
    if body.get("valid") is False or any(_inner(item, "result") == "FAILURE" for item in told):
        return
    names = [_names_of(item) for item in told]
    unnamed = sum(
        not of_item and bool(_inner(item, "id")) for of_item, item in zip(names, told, strict=True)
    )
    if len(asked_for.difference(*names)) > unnamed:
        raise ResponseValidationError(
            json_path="$",
            expected="what became of each redeemable",
            value=body,
            shown="nothing of one of them",
        )


def _no_array(key: str, value: Any) -> ResponseValidationError:
    return ResponseValidationError(json_path=f"$.{key}", expected="an array", value=value)


def _inner(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None


def _names_of(item: Any) -> set[str]:
    """The code and the ids of what an entry of a validation or a redemption is about."""
    names = [
        _inner(_inner(item, "voucher"), "code"),
        _inner(_inner(item, "voucher"), "id"),
        _inner(_inner(item, "promotion_tier"), "id"),
        _inner(item, "id") if _inner(item, "object") in _SINGLE else None,
    ]
    return {folded(name) for name in names if isinstance(name, str)}


def _spends_more(item: Any, wish: Mapping[str, Any]) -> bool:
    """Whether more was taken off a card than was asked for."""
    result = _inner(item, "result")
    for named, unit, kept in (("gift", "credits", "amount"), ("reward", "points", "points")):
        limit = _inner(wish.get(named), unit)
        card = "gift" if named == "gift" else "loyalty_card"
        taken = [_inner(_inner(item, card), kept), _inner(_inner(result, card), unit)]
        if _is_number(limit) and any(_is_number(one) and one > limit for one in taken):
            return True
    return False


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _of_this_session(asked: Asked, item: Any, json_path: str) -> None:
    key, told = _inner(asked.sent("session"), "key"), _inner(_inner(item, "session"), "key")
    if key and told and told != key:
        raise another(f"{json_path}.session.key", told)


def _of_the_order_sent(sent: Any, told: Any, json_path: str) -> None:
    """Hold an order against the one that was sent.

    Raises:
        ResponseValidationError: It is another one.
    """
    names = {key: _inner(sent, key) for key in ("id", "source_id") if _inner(sent, key)}
    for key, named in names.items():
        if _inner(told, key) and _inner(told, key) != named:
            raise another(f"{json_path}.{key}", _inner(told, key))
    if names or _inner(sent, "items") or _inner(told, "items"):
        # Of an order that is on record the stored amount counts, of items the sum of their prices.
        return
    amount = _inner(sent, "amount")
    amounts = [_inner(told, key) for key in ("amount", "initial_amount") if _inner(told, key)]
    if _is_number(amount) and amounts and amount not in amounts:
        raise another(f"{json_path}.amount", amounts[0])


def _of_this_redemption(asked: Asked, body: Mapping[str, Any]) -> None:
    """Hold a rollback against the redemption that was to be rolled back.

    Raises:
        ResponseValidationError: It is of another one.
    """
    if not is_same(asked.values["id"], body.get("redemption")):
        raise another("$.redemption", body.get("redemption"))


def _of_this_stack(asked: Asked, body: Mapping[str, Any]) -> None:
    rollbacks, parent = body.get("rollbacks"), body.get("parent_rollback")
    if not isinstance(rollbacks, list):
        raise _no_array("rollbacks", rollbacks)
    if isinstance(parent, dict):
        _of_this_redemption(asked, parent)
    elif len(rollbacks) != 1 or not isinstance(rollbacks[0], dict):
        raise ResponseValidationError(
            json_path="$.parent_rollback", expected="an object", value=parent
        )
    else:
        _of_this_redemption(asked, rollbacks[0])


def _of_this_order(asked: Asked, body: Mapping[str, Any]) -> None:
    named = asked.values.get("id") or asked.sent("source_id")
    if named and named not in (body.get("id"), body.get("source_id")):
        raise another("$.id", body.get("id"))
    if not asked.values:
        body_sent = orjson.loads(asked.content) if asked.content else None
        _of_the_order_sent(body_sent, body, "$")


def _is_redemption(asked: Asked, body: Mapping[str, Any]) -> None:
    kinds = {"redemption", "redemption_rollback"}
    named = body.get("object")
    if not is_same(asked.values["id"], body.get("id")):
        raise another("$.id", body.get("id"))
    if isinstance(named, str) and named not in kinds and not named.startswith("redemption"):
        raise ResponseValidationError(json_path="$.object", expected="'redemption'", value=named)


def _of_this_voucher(asked: Asked, body: Mapping[str, Any]) -> None:
    """Hold the redemptions of a voucher against its code.

    Raises:
        ResponseValidationError: They are another one's, or are missing.
    """
    entries = body.get("redemption_entries")
    if not isinstance(entries, list):
        raise _no_array("redemption_entries", entries)
    code = folded(asked.values["code"])
    for index, entry in enumerate(entries):
        names = _names_of(entry)
        if names and code not in names:
            raise another(f"$.redemption_entries[{index}]", entry)


VALIDATION: Final = Expected(None, ("valid",), also=_of_these_redeemables)
REDEMPTION_RESULT: Final = Expected(None, ("redemptions",), also=_of_these_redeemables)
REDEMPTION: Final = Expected(None, ("id",), also=_is_redemption)
VOUCHER_REDEMPTIONS: Final = Expected("list", also=_of_this_voucher)
ROLLBACK: Final = Expected("redemption_rollback", ("id",), also=_of_this_redemption)
STACK_ROLLBACK: Final = Expected(None, also=_of_this_stack)
ORDER: Final = Expected("order", ("id",), also=_of_this_order)
