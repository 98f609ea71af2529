"""`client.qualifications`: what a customer could redeem."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Unpack

from .._calls.caller import CallOptions
from .._conversion.converter import to_json_types
from .._protocol.routes import CHECK_ELIGIBILITY
from ..models.qualifications import QualifiedRedeemable
from ..pagination import AsyncPaginator
from ._checkout import AnyCustomer, AnyOrder, parties
from ._raw import RawResource, raw
from ._resource import Resource

if TYPE_CHECKING:
    from ..models import QualificationOptions


class Qualifications(Resource):
    """Find what a customer or an order qualifies for."""

    @cached_property
    def with_raw_response(self) -> RawQualifications:
        """The same methods, which return status and headers too."""
        return RawQualifications(self)

    def check(
        self,
        *,
        customer: AnyCustomer | None = None,
        order: AnyOrder | None = None,
        scenario: str | None = None,
        tracking_id: str | None = None,
        session: Any = None,
        metadata: Mapping[str, Any] | None = None,
        options: QualificationOptions | Mapping[str, Any] | None = None,
        max_items: int | None = None,
        prefetch: int = 1,
        **call_options: Unpack[CallOptions],
    ) -> AsyncPaginator[QualifiedRedeemable]:
        """List what could be redeemed (`POST /v1/qualifications`), up to 50 a page.

        It changes nothing. It does not look at redemption limits, and Voucherify keeps its answers
        for five minutes: validate what it lists before you promise it.

        Args:
            customer: An id or source id, a `Customer`, or a mapping.
            order: An id or source id, an `Order`, or a mapping; amounts in minor currency units.
            scenario: `ALL`, `PRODUCTS`, `CUSTOMER_WALLET` and the like; by default `ALL`.
            tracking_id: The customer's tracking id.
            session: A session, as for `validations.validate`.
            metadata: The attributes that redemption rules look at.
            options: `QualificationOptions` or a mapping: page size, filters, expansion, sorting.
            max_items: How many to yield at the most.
            prefetch: How many pages to read ahead; 0 reads none.
            **call_options: The options of the call, for each page.

        Returns:
            A paginator: iterate it, or await it for the first page.
        """
        keys = {
            "customer": customer,
            "order": order,
            "scenario": scenario,
            "tracking_id": tracking_id,
            "session": session,
            "metadata": metadata,
            "options": None if options is None else to_json_types(options, "options"),
        }
        return self._list(
            QualifiedRedeemable,
            CHECK_ELIGIBILITY(),
            parties(keys),
            call_options,
            max_items=max_items,
            prefetch=prefetch,
        )


class RawQualifications(RawResource[Qualifications]):
    """`client.qualifications.with_raw_response`."""

    check = raw(Qualifications.check)
