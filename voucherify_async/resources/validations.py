"""`client.validations`: what a cart would get, before it is paid."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, Unpack

from .._protocol.routes import VALIDATE, VALIDATE_AND_LOCK
from .._recovery.settlement import noted
from ..errors import ValidationRefusedError
from ..models.validations import Validation
from ._checkout import (
    AnyRedeemable,
    CheckoutOptions,
    checkout_body,
    reasons,
    split,
    summary,
    with_session_key,
)
from ._raw import RawResource, raw
from ._resource import Resource


class Validations(Resource):
    """Validate codes, promotions and gift cards against an order."""

    @cached_property
    def with_raw_response(self) -> RawValidations:
        """The same methods, which return status and headers too."""
        return RawValidations(self)

    async def validate(
        self,
        *,
        redeemables: Iterable[AnyRedeemable],
        raise_on_inapplicable: bool = False,
        **rest: Unpack[CheckoutOptions],
    ) -> Validation:
        """Ask what redeemables give for an order (`POST /v1/validations`).

        It changes nothing and is repeated like a read. With a `session` it locks what it validates;
        then it is repeated with the same key, a random one where the session has none. If the call
        is cancelled, a note on the cancellation keeps the key.

        Args:
            redeemables: Codes, `Redeemable`s or mappings, at most 30.
            raise_on_inapplicable: Whether to raise where one of them does not apply.
            **rest: The other keys of the body: `order` (an id, `Order` or mapping; amounts in minor
                currency units), `customer`, `session`, `tracking_id`, `metadata`, `options`; and
                the options of the call.

        Returns:
            The validation. Not everything need apply: see `is_complete`, `inapplicable` and
            `skipped`.

        Raises:
            InvalidArgumentError: There is no redeemable, or more than 30.
            ValidationRefusedError: With `raise_on_inapplicable`: one does not apply.
            BadRequestError: The request itself was refused, such as one with the same code twice.
            AmbiguousOutcomeError: With a `session`: it may or may not be locked, until the session
                ends. No use is counted and nothing is spent.
        """
        keys, options = split(rest)
        body = checkout_body(redeemables, keys)
        target = VALIDATE_AND_LOCK() if "session" in body else VALIDATE()
        body = with_session_key(body)
        with noted(_how_to_release(body)):
            found = await self._fetch(Validation, target, options, body=body)
        if raise_on_inapplicable and not found.is_complete:
            why = reasons((*found.inapplicable, *found.skipped))
            raise ValidationRefusedError(
                summary(why),
                status_code=200,
                key=why[0].key if why else None,
                reasons=why,
                result=found,
            )
        return found


class RawValidations(RawResource[Validations]):
    """`client.validations.with_raw_response`."""

    validate = raw(Validations.validate)


def _how_to_release(body: Mapping[str, Any]) -> str:
    """A sentence on what the lock that goes out can be released by; empty where there is none."""
    session = body.get("session")
    key = session.get("key") if isinstance(session, dict) else None
    if not key:
        return ""
    return (
        f"The validation that was under way has the session.key {key}: "
        "vouchers.release_session(code, key) releases what it may have locked"
    )
