"""Whether an answer is the answer to its request: pure, from what was asked and what came.

A success that is about something else is not told as one: a connection may deliver the answer to
another request, and a proxy may answer 200 in its own words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson
from attrs import field, frozen

from ..errors import ResponseValidationError

_VOUCHER_ID: Final = re.compile(r"v_[A-Za-z0-9]{16,}")
_TOLD_OF: Final = (
    "redeemables",
    "redemptions",
    "inapplicable_redeemables",
    "skipped_redeemables",
)
"""Where the answer to a checkout tells of each redeemable."""


@frozen
class Asked:
    """What a request said of its own answer."""

    values: Mapping[str, str]
    """The values in its path."""
    content: bytes | None = field(default=None, repr=False)
    """Its JSON body."""

    def sent(self, key: str) -> Any:
        """What the body's JSON object has under a key."""
        body = orjson.loads(self.content) if self.content else None
        return body.get(key) if isinstance(body, dict) else None


@frozen
class Expected:
    """What the answer to a request has to be."""

    object: str | None
    """The `object` that it names, if it names one."""
    keys: tuple[str, ...] = ()
    """What it cannot be without."""
    repeats: str | None = field(default=None, kw_only=True)
    """The name of the path value that is its `code` or its `id`."""
    also: Callable[[Asked, Mapping[str, Any]], None] | None = field(default=None, kw_only=True)
    """What else is held against the request; raises where it does not fit."""

    def check(self, asked: Asked, body: Any) -> None:
        """Hold the body of a successful answer against its request.

        Raises:
            ResponseValidationError: It is not the answer to this request.
        """
        if not isinstance(body, dict):
            kind = type(body).__name__
            raise ResponseValidationError(
                json_path="$", expected="an object", value=body, shown=kind
            )
        named = body.get("object")
        if self.object is not None and isinstance(named, str) and named != self.object:
            raise ResponseValidationError(
                json_path="$.object", expected=f"{self.object!r}", value=named
            )
        for key in self.keys:
            if body.get(key) is None or body[key] == "":
                raise ResponseValidationError(
                    json_path=f"$.{key}", expected="a value", value=body.get(key)
                )
        if self.repeats is not None and not _is_named(asked.values[self.repeats], body):
            raise _another(f"$.{'code' if 'code' in body else 'id'}", body)
        if self.also is not None:
            self.also(asked, body)


class _Nothing(Expected):
    """An answer without a body."""

    def check(self, asked: Asked, body: Any) -> None:  # noqa: ARG002
        """Refuse an answer that has a body.

        Raises:
            ResponseValidationError: It has one.
        """
        if body is not None:
            raise ResponseValidationError(
                json_path="$", expected="no body", value=body, shown="one"
            )


def _is_named(asked: str, body: Mapping[str, Any]) -> bool:
    """Whether the code or the id of an object is the one that was asked for."""
    return any(_is_same(asked, body.get(key)) for key in ("code", "id"))


def _is_same(asked: str, told: Any) -> bool:
    # Voucherify compares codes without regard to case.
    return isinstance(told, str) and told.strip().casefold() == asked.strip().casefold()


def _another(json_path: str, value: Any) -> ResponseValidationError:
    # Codes are worth money and stay out of messages.
    return ResponseValidationError(
        json_path=json_path,
        expected="what was asked for",
        value=value,
        shown="something else",
    )


def _balance_of_this_card(asked: Asked, body: Mapping[str, Any]) -> None:
    """Hold the amount and the card of a balance against the update that was sent.

    Raises:
        ResponseValidationError: It is the answer to another update.
    """
    key = "amount" if body.get("amount") is not None else "points"
    if body.get(key) != asked.sent("amount"):
        raise ResponseValidationError(
            json_path=f"$.{key}", expected=f"{asked.sent('amount')!r}", value=body.get(key)
        )
    related = body.get("related_object")
    card = related.get("id") if isinstance(related, dict) else None
    code = asked.values["code"]
    if not isinstance(card, str) or _is_same(code, card):
        return
    # A card that was asked for by its code cannot be told from another one by its id.
    if _VOUCHER_ID.fullmatch(code) or not card.startswith("v_"):
        raise _another("$.related_object.id", card)


def _of_these_redeemables(asked: Asked, body: Mapping[str, Any]) -> None:
    """Hold what was validated or redeemed, and its order, against what was sent.

    Raises:
        ResponseValidationError: It is the answer to another request, or says nothing of this one.
    """
    sent = [item for item in asked.sent("redeemables") or () if isinstance(item, dict)]
    if not any(isinstance(body.get(key), list) for key in _TOLD_OF):
        raise ResponseValidationError(
            json_path="$.redeemables", expected="an array", value=body.get("redeemables")
        )
    # Stacks and campaigns are answered by what is in them.
    if all(item.get("object", "voucher") == "voucher" for item in sent):
        codes = {str(item.get("id")).strip().casefold() for item in sent}
        for key in _TOLD_OF:
            for index, item in enumerate(body.get(key) or ()):
                if not codes >= {code.strip().casefold() for code in _codes_of(item)}:
                    raise _another(f"$.{key}[{index}]", item)
    order, answered = asked.sent("order"), body.get("order")
    if isinstance(order, dict) and isinstance(answered, dict):
        for key in ("id", "source_id"):
            if order.get(key) and answered.get(key) and order[key] != answered[key]:
                raise _another(f"$.order.{key}", answered[key])


def _codes_of(item: Any) -> set[str]:
    """The voucher codes that an entry of a validation or a redemption is about."""
    if not isinstance(item, dict):
        return set()
    voucher = item.get("voucher")
    code = voucher.get("code") if isinstance(voucher, dict) else None
    if code is None and item.get("object") == "voucher":
        code = item.get("id")
    return {code} if isinstance(code, str) else set()


def _of_this_redemption(asked: Asked, body: Mapping[str, Any]) -> None:
    """Hold a rollback against the redemption that was to be rolled back.

    Raises:
        ResponseValidationError: It is of another one.
    """
    if not _is_same(asked.values["id"], body.get("redemption")):
        raise _another("$.redemption", body.get("redemption"))


def _of_this_stack(asked: Asked, body: Mapping[str, Any]) -> None:
    rollbacks, parent = body.get("rollbacks"), body.get("parent_rollback")
    if not isinstance(rollbacks, list):
        raise ResponseValidationError(json_path="$.rollbacks", expected="an array", value=rollbacks)
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
    if named and named not in {body.get("id"), body.get("source_id")}:
        raise _another("$.id", body.get("id"))


def _is_redemption(asked: Asked, body: Mapping[str, Any]) -> None:
    kinds = {"redemption", "redemption_rollback"}
    named = body.get("object")
    if not _is_same(asked.values["id"], body.get("id")):
        raise _another("$.id", body.get("id"))
    if isinstance(named, str) and named not in kinds and not named.startswith("redemption"):
        raise ResponseValidationError(json_path="$.object", expected="'redemption'", value=named)


NOTHING: Final = _Nothing(None)
LISTING: Final = Expected("list")
VOUCHER: Final = Expected("voucher", repeats="code")
NEW_VOUCHER: Final = Expected("voucher", ("code",))
BALANCE: Final = Expected("balance", also=_balance_of_this_card)
ACCEPTED: Final = Expected(None, ("async_action_id",))
ASYNC_ACTION: Final = Expected("async_action", repeats="id")
EXPORT: Final = Expected("export", repeats="id")
NEW_EXPORT: Final = Expected("export", ("id",))
VALIDATION: Final = Expected(None, ("valid",), also=_of_these_redeemables)
REDEMPTION_RESULT: Final = Expected(None, also=_of_these_redeemables)
REDEMPTION: Final = Expected(None, ("id",), also=_is_redemption)
ROLLBACK: Final = Expected("redemption_rollback", ("id",), also=_of_this_redemption)
STACK_ROLLBACK: Final = Expected(None, also=_of_this_stack)
ORDER: Final = Expected("order", ("id",), also=_of_this_order)
