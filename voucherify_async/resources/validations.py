"""`client.validations`: what a cart would get, before it is paid."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Unpack

from .._protocol.routes import VALIDATE, VALIDATE_AND_LOCK
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
        then it is repeated with the same key, which is made up where the session has none.

        Args:
            redeemables: Codes, `Redeemable`s or mappings, at most 30.
            raise_on_inapplicable: Whether to raise where one of them does not apply.
            **rest: The other keys of the body: `order` (an id, `Order` or mapping; amounts in minor
                currency units), `customer`, `session`, `tracking_id`, `metadata`, `options`; and
                the options of the call.

        Returns:
            The validation. That it came does not say that everything applies: see `is_complete`,
            `inapplicable` and `skipped`.

        Raises:
            InvalidArgumentError: There is no redeemable, or more than 30.
            ValidationRefusedError: With `raise_on_inapplicable`: one does not apply.
            AmbiguousOutcomeError: With a `session`: it may or may not be locked.
        """
        keys, options = split(rest)
        body = checkout_body(redeemables, keys)
        target = VALIDATE_AND_LOCK() if "session" in body else VALIDATE()
        found = await self._fetch(Validation, target, options, body=with_session_key(body))
        if raise_on_inapplicable and not found.is_complete:
            why = reasons((*found.inapplicable, *found.skipped))
            raise ValidationRefusedError(summary(why), status_code=200, reasons=why, result=found)
        return found


class RawValidations(RawResource[Validations]):
    """`client.validations.with_raw_response`."""

    validate = raw(Validations.validate)
