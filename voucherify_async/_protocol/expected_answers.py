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
            raise another(f"$.{'code' if 'code' in body else 'id'}", body)
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
    return is_same(asked, body.get("code")) or is_same(asked, body.get("id"))


def is_same(asked: str, told: Any) -> bool:
    """Whether two codes or ids are the same."""
    return asked == told or (isinstance(told, str) and folded(told) == folded(asked))


def folded(name: str) -> str:
    """A code or an id as Voucherify compares it: without regard to case."""
    # `casefold` would take "ß" for "ss", which is another code.
    return name.strip().lower()


def another(json_path: str, value: Any) -> ResponseValidationError:
    """The error of an answer that is about something else than what was asked."""
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
    if not isinstance(card, str) or is_same(code, card):
        return
    # A card that was asked for by its code cannot be told from another one by its id.
    if _VOUCHER_ID.fullmatch(code) or not card.startswith("v_"):
        raise another("$.related_object.id", card)


NOTHING: Final = _Nothing(None)
LISTING: Final = Expected("list")
VOUCHER: Final = Expected("voucher", repeats="code")
NEW_VOUCHER: Final = Expected("voucher", ("code",))
BALANCE: Final = Expected("balance", also=_balance_of_this_card)
ACCEPTED: Final = Expected(None, ("async_action_id",))
ASYNC_ACTION: Final = Expected("async_action", repeats="id")
EXPORT: Final = Expected("export", repeats="id")
NEW_EXPORT: Final = Expected("export", ("id",))
