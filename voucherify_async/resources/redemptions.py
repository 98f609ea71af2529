"""`client.redemptions`: redeem what a cart is paid with, and take it back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NoReturn, Unpack

from .._calls.caller import CallOptions
from .._checks import check_count
from .._protocol.route import BoundRoute
from .._protocol.routes import (
    GET_REDEMPTION,
    GET_VOUCHER_REDEMPTIONS,
    LIST_REDEMPTIONS,
    REDEEM,
    ROLL_BACK,
    ROLL_BACK_STACK,
)
from .._recovery.settlement import CONFIRM_WITHIN
from ..errors import APIError, RedemptionRefusedError
from ..models.redemptions import (
    RedemptionEntry,
    RedemptionResult,
    RedemptionRollback,
    StackRollback,
    VoucherRedemptions,
)
from ..pagination import AsyncPaginator
from ._checkout import (
    AnyCustomer,
    AnyOrder,
    AnyRedeemable,
    CheckoutOptions,
    T,
    checkout_body,
    parties,
    reason_of,
    reasons,
    split,
    summary,
    with_order_label,
)
from ._raw import RawResource, raw
from ._resource import DEFAULT_LIMIT, Resource

if TYPE_CHECKING:
    from ..models import RedemptionListOrder, TimeRange


# A union, which no `type[T]` takes.
_ENTRY: Final[Any] = RedemptionEntry


class Redemptions(Resource):
    """Redeem, look redemptions up, and roll them back."""

    @cached_property
    def with_raw_response(self) -> RawRedemptions:
        """The same methods, which return status and headers too."""
        return RawRedemptions(self)

    async def redeem(
        self,
        *,
        redeemables: Iterable[AnyRedeemable],
        raise_on_inapplicable: bool = False,
        confirm: bool = False,
        confirm_within: float = CONFIRM_WITHIN,
        **rest: Unpack[CheckoutOptions],
    ) -> RedemptionResult:
        """Redeem codes, promotions and gift cards (`POST /v1/redemptions`).

        It is never sent again where it may have been done. What became of it shows the order, by
        its `source_id` or id, or else the session, by its own `key`; without either nothing does.

        Args:
            redeemables: Codes, `Redeemable`s or mappings, at most 30.
            raise_on_inapplicable: Whether to raise where one of them was not redeemed. What was
                redeemed stays so: see the error's `result`.
            confirm: Whether to look for a redemption of unknown outcome here. An order that has
                neither id nor `source_id` is given a `source_id` to find it by.
            confirm_within: Seconds to look for it at the most.
            **rest: The other keys of the body: `order` (an id, `Order` or mapping; amounts in minor
                currency units), `customer`, `session`, `tracking_id`, `metadata`, `options`; and
                the options of the call.

        Returns:
            What was redeemed. That it came does not say that everything was: see `is_complete`,
            `inapplicable` and `skipped`.

        Raises:
            InvalidArgumentError: There is no redeemable, or more than 30.
            RedemptionRefusedError: It was refused and is on record as failed; `reasons` say why.
            AmbiguousOutcomeError: It may or may not have happened, and was not found in time;
                `client.settle(error)` tells later.
        """
        keys, options = split(rest)
        body = checkout_body(redeemables, keys)
        if confirm:
            body = with_order_label(body)
        within = confirm_within if confirm else None
        try:
            done = await self._write(RedemptionResult, REDEEM(), options, body, within)
        except APIError as error:
            _refused(error)
        if raise_on_inapplicable and not done.is_complete:
            why = reasons((*done.inapplicable, *done.skipped))
            raise RedemptionRefusedError(summary(why), status_code=200, reasons=why, result=done)
        return done

    async def get(
        self,
        id: str,  # noqa: A002
        **options: Unpack[CallOptions],
    ) -> RedemptionEntry:
        """Read a redemption or a rollback (`GET /v1/redemptions/{id}`), told apart by `object`."""
        entry: RedemptionEntry = await self._fetch(_ENTRY, GET_REDEMPTION(id=id), options)
        return entry

    def list(
        self,
        *,
        limit: int = DEFAULT_LIMIT,
        page: int = 1,
        order: RedemptionListOrder | None = None,
        result: str | None = None,
        campaign: str | None = None,
        customer: str | None = None,
        created_at: TimeRange | Mapping[str, Any] | None = None,
        filters: Any = None,
        max_items: int | None = None,
        prefetch: int = 1,
        **options: Unpack[CallOptions],
    ) -> AsyncPaginator[RedemptionEntry]:
        """List redemptions and rollbacks (`GET /v1/redemptions`), 9,900 at the most.

        Args:
            limit: How many a page holds, 1 to 100.
            page: The first page, 1 to 99.
            order: What to sort by; a dash before it sorts downwards.
            result: `SUCCESS`, `FAILURE`, or the other values that Voucherify documents.
            campaign: The name of a campaign.
            customer: The id or source id of a customer.
            created_at: `before` and `after`, aware datetimes or ISO 8601 texts.
            filters: Advanced filters, as Voucherify documents them.
            max_items: How many to yield at the most.
            prefetch: How many pages to read ahead; 0 reads none.

        Returns:
            A paginator: iterate it, or await it for the first page.

        Raises:
            InvalidArgumentError: An argument is out of range.
            PaginationLimitError: While walking: there are more than 9,900; `list_all` has no limit.
        """
        check_count("page", page, most=99)
        query = {
            "limit": limit,
            "page": page,
            "order": order,
            "result": result,
            "campaign": campaign,
            "customer": customer,
            "created_at": created_at,
            "filters": filters,
        }
        return self._list(
            _ENTRY,
            LIST_REDEMPTIONS(),
            query,
            options,
            max_items=max_items,
            prefetch=prefetch,
        )

    def list_all(
        self,
        *,
        result: str | None = None,
        campaign: str | None = None,
        customer: str | None = None,
        created_at: TimeRange | Mapping[str, Any] | None = None,
        filters: Any = None,
        max_items: int | None = None,
        concurrency: int = 1,
        **options: Unpack[CallOptions],
    ) -> AsyncPaginator[RedemptionEntry]:
        """List all redemptions and rollbacks, oldest first, past the 9,900 that pages reach.

        The arguments are those of `list`; `concurrency` is how many pages to read at once.

        Raises:
            InvalidArgumentError: An argument is out of range.
            PaginationError: While walking: what came does not add up to the listing's total.
        """
        query = {
            "limit": DEFAULT_LIMIT,
            "result": result,
            "campaign": campaign,
            "customer": customer,
            "created_at": created_at,
            "filters": filters,
        }
        return self._list_all(
            _ENTRY,
            LIST_REDEMPTIONS(),
            query,
            options,
            max_items=max_items,
            concurrency=concurrency,
        )

    async def of_voucher(self, code: str, **options: Unpack[CallOptions]) -> VoucherRedemptions:
        """Read a voucher's redemptions and rollbacks (`GET /v1/vouchers/{code}/redemption`)."""
        return await self._fetch(VoucherRedemptions, GET_VOUCHER_REDEMPTIONS(code=code), options)

    async def rollback(
        self,
        id: str,  # noqa: A002
        *,
        reason: str | None = None,
        tracking_id: str | None = None,
        customer: AnyCustomer | None = None,
        order: AnyOrder | None = None,
        metadata: Mapping[str, Any] | None = None,
        confirm: bool = False,
        confirm_within: float = CONFIRM_WITHIN,
        **options: Unpack[CallOptions],
    ) -> RedemptionRollback:
        """Take a redemption back (`POST /v1/redemptions/{id}/rollback`), up to 3 months later.

        It is never sent again where it may have been done.

        Args:
            id: The redemption's id; of several made at once use `rollback_stack`.
            reason: Why, for the record.
            tracking_id: The customer's tracking id.
            customer: The customer, whose data are updated.
            order: The order, whose data are updated.
            metadata: The merchant's own attributes of the rollback.
            confirm: Whether to look for a rollback of unknown outcome here, by the redemption.
            confirm_within: Seconds to look for it at the most.

        Returns:
            The rollback.

        Raises:
            NotFoundError: There is no such redemption.
            BadRequestError: It was rolled back before (`already_rolled_back`), or belongs to a
                stack (`invalid_redemption_parent`).
            AmbiguousOutcomeError: It may or may not have happened; `client.settle(error)` tells.
        """
        body = parties({"customer": customer, "order": order, "metadata": metadata})
        params = {"reason": reason, "tracking_id": tracking_id}
        within = confirm_within if confirm else None
        return await self._write(
            RedemptionRollback, ROLL_BACK(id=id), options, body, within, params
        )

    async def rollback_stack(
        self,
        parent_id: str,
        *,
        reason: str | None = None,
        tracking_id: str | None = None,
        customer: AnyCustomer | None = None,
        order: AnyOrder | None = None,
        metadata: Mapping[str, Any] | None = None,
        confirm: bool = False,
        confirm_within: float = CONFIRM_WITHIN,
        **options: Unpack[CallOptions],
    ) -> StackRollback:
        """Take back what was redeemed at once (`POST /v1/redemptions/{id}/rollbacks`).

        As `rollback`, for the id of a `RedemptionResult.parent_redemption`, or of a single one.
        """
        body = parties({"customer": customer, "order": order, "metadata": metadata})
        params = {"reason": reason, "tracking_id": tracking_id}
        within = confirm_within if confirm else None
        return await self._write(
            StackRollback, ROLL_BACK_STACK(id=parent_id), options, body, within, params
        )

    async def _write(
        self,
        model: type[T],
        target: BoundRoute,
        options: CallOptions,
        body: Any,
        within: float | None,
        params: Mapping[str, Any] | None = None,
    ) -> T:
        """Send a write, and where its answer is lost look for it, if there are seconds for that."""
        if within is None:
            return await self._fetch(model, target, options, body=body, params=params)
        return await self._confirmed(
            model, target, options, body=body, within=within, params=params
        )


class RawRedemptions(RawResource[Redemptions]):
    """`client.redemptions.with_raw_response`."""

    redeem = raw(Redemptions.redeem)
    get = raw(Redemptions.get)
    list = raw(Redemptions.list)
    of_voucher = raw(Redemptions.of_voucher)
    rollback = raw(Redemptions.rollback)
    rollback_stack = raw(Redemptions.rollback_stack)


def _refused(error: APIError) -> NoReturn:
    """Raise the error of a redemption that is on record as failed as what it is.

    Raises:
        RedemptionRefusedError: It is.
        APIError: `error`, where it is something else.
    """
    refused = RedemptionRefusedError(
        error.message,
        reasons=[reason_of(error)],
        status_code=error.status_code,
        key=error.key,
        details=error.details,
        request_id=error.request_id,
        resource_id=error.resource_id,
        resource_type=error.resource_type,
        headers=error.headers,
        body=error.body,
    )
    if refused.redemption_id is None:
        raise error
    raise refused from error
