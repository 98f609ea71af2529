"""`client.orders`: the orders that customers place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Unpack

from .._calls.caller import CallOptions
from .._checks import check_count
from .._conversion.converter import to_json_types
from .._protocol.routes import (
    CREATE_ORDER,
    EXPORT_ORDERS,
    GET_ORDER,
    IMPORT_ORDERS,
    LIST_ORDERS,
    PAY_ORDER,
    UPDATE_ORDER,
    UPSERT_ORDER,
)
from ..errors import InvalidArgumentError
from ..jobs import AsyncJob, ExportJob
from ..models.exports import Export
from ..models.orders import Order
from ..pagination import AsyncPaginator
from . import _arguments
from ._raw import RawResource, raw
from ._resource import DEFAULT_LIMIT, Resource
from .async_actions import AsyncActions
from .exports import Exports

if TYPE_CHECKING:
    from ..models import OrderExportField, OrderExportOrder

MAX_IMPORTED = 2_000


class Orders(Resource):
    """Create, read, change and list orders."""

    @cached_property
    def with_raw_response(self) -> RawOrders:
        """The same methods, which return status and headers too."""
        return RawOrders(self)

    async def create(
        self, body: Order | Mapping[str, Any], **options: Unpack[CallOptions]
    ) -> Order:
        """Create an order, or update the one with the same `source_id` (`POST /v1/orders`).

        One with a `source_id` is repeated like an update. One without is not, as it would be made
        twice; neither is a `PAID` one, which earns points.

        Args:
            body: An `Order` or a mapping; amounts in minor currency units.

        Returns:
            The order.

        Raises:
            AmbiguousOutcomeError: It may or may not have happened; `client.settle(error)` tells, if
                the order has a `source_id`.
        """
        sent = to_json_types(_arguments.object_body(body), "body")
        repeatable = sent.get("source_id") and not _pays(sent)
        target = UPSERT_ORDER() if repeatable else CREATE_ORDER()
        return await self._fetch(Order, target, options, body=sent)

    async def get(
        self,
        id: str,  # noqa: A002
        **options: Unpack[CallOptions],
    ) -> Order:
        """Read an order by its id or source id (`GET /v1/orders/{id}`)."""
        return await self._fetch(Order, GET_ORDER(id=id), options)

    async def update(
        self,
        id: str,  # noqa: A002
        changes: Order | Mapping[str, Any],
        **options: Unpack[CallOptions],
    ) -> Order:
        """Change an order (`PUT /v1/orders/{id}`); one that becomes `PAID` is sent just once.

        Args:
            id: The order's id or source id.
            changes: What to change; amounts in minor currency units.

        Returns:
            The order as it is now.

        Raises:
            NotFoundError: There is no such order.
            AmbiguousOutcomeError: It may or may not have happened; `client.settle(error)` tells.
        """
        sent = to_json_types(_arguments.object_body(changes), "changes")
        target = PAY_ORDER(id=id) if _pays(sent) else UPDATE_ORDER(id=id)
        return await self._fetch(Order, target, options, body=sent)

    def list(
        self,
        *,
        limit: int = DEFAULT_LIMIT,
        page: int = 1,
        order: str | None = None,
        max_items: int | None = None,
        prefetch: int = 1,
        **options: Unpack[CallOptions],
    ) -> AsyncPaginator[Order]:
        """List orders (`GET /v1/orders`), 9,900 at the most.

        Args:
            limit: How many a page holds, 1 to 100.
            page: The first page, 1 to 99.
            order: `created_at` or `updated_at`; a dash before it sorts downwards.
            max_items: How many to yield at the most.
            prefetch: How many pages to read ahead; 0 reads none.
        """
        check_count("page", page, most=99)
        return self._list(
            Order,
            LIST_ORDERS(),
            {"limit": limit, "page": page, "order": order},
            options,
            max_items=max_items,
            prefetch=prefetch,
        )

    async def bulk_import(
        self, items: Iterable[Order | Mapping[str, Any]], **options: Unpack[CallOptions]
    ) -> AsyncJob:
        """Import up to 2,000 orders (`POST /v1/orders/import`); one import a project at a time.

        Args:
            items: `Order`s or mappings; amounts in minor currency units.

        Returns:
            A handle on the background job.

        Raises:
            InvalidArgumentError: There are none, or more than 2,000 or 10 MB of them.
            AmbiguousOutcomeError: The import may or may not have been accepted.
        """
        listed = _arguments.items_body(items)
        if len(listed) > MAX_IMPORTED:
            raise InvalidArgumentError(
                f"items: {len(listed):,} are more than the {MAX_IMPORTED:,} that Voucherify takes "
                "in one request; split them"
            )
        job = await self._accepted(IMPORT_ORDERS(), options, body=listed)
        return AsyncJob(job, AsyncActions(self._caller), self._caller.settings.clock)

    async def export(
        self,
        *,
        order: OrderExportOrder | None = None,
        fields: Sequence[OrderExportField] | None = None,
        filters: Mapping[str, Any] | None = None,
        **options: Unpack[CallOptions],
    ) -> ExportJob:
        """Export orders as CSV (`POST /v1/orders/export`).

        Args:
            order: What to sort by; a dash before it sorts downwards.
            fields: The columns; by default all.
            filters: Which orders, as Voucherify documents them.

        Returns:
            A handle on the export.

        Raises:
            AmbiguousOutcomeError: The export may or may not have been accepted.
        """
        chosen = {"order": order, "fields": fields, "filters": filters}
        parameters = {key: value for key, value in chosen.items() if value is not None}
        body = {"parameters": parameters}
        return Exports(self._caller).follow(
            await self._fetch(Export, EXPORT_ORDERS(), options, body=body)
        )


class RawOrders(RawResource[Orders]):
    """`client.orders.with_raw_response`."""

    create = raw(Orders.create)
    get = raw(Orders.get)
    update = raw(Orders.update)
    list = raw(Orders.list)
    bulk_import = raw(Orders.bulk_import)
    export = raw(Orders.export)


def _pays(order: Mapping[str, Any]) -> bool:
    return order.get("status") in {"PAID", "FULFILLED"}
