"""`client.redemptions`: redeem what a cart is paid with, and take it back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Unpack

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
from .._recovery.settlement import CONFIRM_WITHIN, noted
from ..errors import AmbiguousOutcomeError, APIError, RedemptionRefusedError, RefusalReason
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
    failures,
    how_to_find,
    parties,
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

        It is never sent again where it may have been done. What became of it is found by the order,
        if it has an id or `source_id`, or else by the session, if you gave it a `key`; without
        either it cannot be found. If the call is cancelled, a note on the cancellation keeps them.

        Args:
            redeemables: Codes, `Redeemable`s or mappings, at most 30.
            raise_on_inapplicable: Whether to raise where one of them was not redeemed. What was
                redeemed stays redeemed: see the error's `result`.
            confirm: Whether to look for a redemption of unknown outcome here, and return it if it
                is found. An order that has neither id nor `source_id` is given a random
                `source_id` to find it by.
            confirm_within: Seconds to look for it at the most.
            **rest: The other keys of the body: `order` (an id, `Order` or mapping; amounts in minor
                currency units), `customer`, `session`, `tracking_id`, `metadata`, `options`; and
                the options of the call.

        Returns:
            What was redeemed, which need not be everything, nor anything: see `is_complete`,
            `failed`, `inapplicable` and `skipped`.

        Raises:
            InvalidArgumentError: There is no redeemable, or more than 30.
            RedemptionRefusedError: It was refused and is on record as failed, under the error's
                `redemption_id`; `reasons` say why. With `raise_on_inapplicable` also where the
                answer says so, or says that only a part was redeemed.
            BadRequestError: The request itself was refused, such as one with the same code twice.
            NotFoundError: There is no such voucher, promotion, customer or order.
            AmbiguousOutcomeError: It may or may not have happened, and was not found in time;
                `client.settle(error)` tells later, where there is anything to find it by.
        """
        keys, options = split(rest)
        body = checkout_body(redeemables, keys)
        if confirm:
            body = with_order_label(body)
        within = confirm_within if confirm else None
        try:
            with noted(how_to_find(body)):
                done = await self._write(RedemptionResult, REDEEM(), options, body, within)
        except APIError as error:
            refused = _refusal_in(error)
            if refused is None:
                raise
            raise refused from error
        if raise_on_inapplicable and not done.is_complete:
            raise _incomplete(done)
        return done

    async def get(
        self,
        id: str,  # noqa: A002
        **options: Unpack[CallOptions],
    ) -> RedemptionEntry:
        """Read a redemption or a rollback (`GET /v1/redemptions/{id}`), told apart by `object`.

        Raises:
            NotFoundError: There is no such redemption.
        """
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
        """Read a voucher's redemptions and rollbacks (`GET /v1/vouchers/{code}/redemption`).

        Raises:
            NotFoundError: There is no such voucher.
        """
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

        It is never sent again where it may have been done. Whoever sends it again after an
        `AmbiguousOutcomeError` is refused with `already_rolled_back` if it was done: that is
        success, and nothing is given back twice.

        Args:
            id: The redemption's id; of several made at once use `rollback_stack`.
            reason: Why, for the record.
            tracking_id: The customer's tracking id.
            customer: The customer, whose data are updated.
            order: The order, whose data are updated.
            metadata: The merchant's own attributes of the rollback.
            confirm: Whether to look for a rollback of unknown outcome here, and return it if the
                redemption turns out to be rolled back since. Nothing tells it from one that
                somebody else made at the same moment.
            confirm_within: Seconds to look for it at the most.

        Returns:
            The rollback; `is_successful` says whether it was made.

        Raises:
            NotFoundError: There is no such redemption.
            BadRequestError: Its `key` says why: `already_rolled_back`, `multiple_requests` (two at
                once), `invalid_redemption_parent` (a part of a stack) or `invalid_redemption` (a
                stack, or one that failed).
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

        Args:
            parent_id: The id of a `RedemptionResult.parent_redemption`, or of a redemption that was
                made alone.
            reason: As for `rollback`, like all that follow.
            tracking_id: The customer's tracking id.
            customer: The customer, whose data are updated.
            order: The order, whose data are updated.
            metadata: The merchant's own attributes of the rollback.
            confirm: Whether to look for a rollback of unknown outcome here.
            confirm_within: Seconds to look for it at the most.

        Returns:
            The rollbacks; `is_complete` says whether all were made.

        Raises:
            NotFoundError: There is no such redemption.
            BadRequestError: Its `key` says why, as for `rollback`.
            AmbiguousOutcomeError: It may or may not have happened; `client.settle(error)` tells.
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


def _refusal_in(error: APIError) -> RedemptionRefusedError | None:
    """The error of a redemption that is on record as failed; None where it is another error."""
    if isinstance(error, AmbiguousOutcomeError):
        return None
    refused = RedemptionRefusedError(
        error.message,
        reasons=[RefusalReason(None, error.key, error.message, error.details)],
        status_code=error.status_code,
        key=error.key,
        details=error.details,
        request_id=error.request_id,
        resource_id=error.resource_id,
        resource_type=error.resource_type,
        headers=error.headers,
        body=error.body,
    )
    return None if refused.redemption_id is None else refused


def _incomplete(done: RedemptionResult) -> RedemptionRefusedError:
    """The error of a redemption that was answered with success, and was not made, or in part."""
    failed = [one for one in done.redemptions or () if not one.is_successful]
    why = reasons((*done.inapplicable, *done.skipped)) or failures(failed or done.failed)
    # A stack is on record as a whole, and is told last.
    on_record = done.failed[-1] if done.failed else None
    return RedemptionRefusedError(
        summary(why),
        status_code=200,
        key=why[0].key if why else None,
        resource_id=on_record.id if on_record else None,
        resource_type="redemption" if on_record else None,
        reasons=why,
        result=done,
    )
