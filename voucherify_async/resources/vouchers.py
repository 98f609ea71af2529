"""`client.vouchers`: the vouchers themselves."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable, Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Unpack

from .._bulk.batches import BodyBuilder
from .._bulk.combined_jobs import job_of
from .._bulk.lookups import VoucherLookups
from .._bulk.request_series import send_items
from .._calls.call import CallOptions, check_options
from .._checks import check_count, check_ids
from .._protocol import bodies
from .._protocol.route import Route
from .._protocol.routes import (
    CREATE_VOUCHER,
    DELETE_VOUCHER,
    DISABLE_VOUCHER,
    ENABLE_VOUCHER,
    GENERATE_VOUCHER,
    GET_VOUCHER,
    LIST_VOUCHERS,
    RELEASE_SESSION,
    UPDATE_BALANCE,
    UPDATE_IN_BULK,
    UPDATE_METADATA,
    UPDATE_VOUCHER,
)
from .._recovery.settlement import CONFIRM_WITHIN, noted
from ..errors import InvalidArgumentError
from ..jobs import AsyncJob
from ..models.vouchers import BalanceUpdate, Voucher
from ..pagination import AsyncPaginator
from . import _arguments
from ._raw import RawResource, raw
from ._resource import DEFAULT_LIMIT, Resource
from .async_actions import AsyncActions

if TYPE_CHECKING:
    from ..models import (
        TimeRange,
        VoucherCreate,
        VoucherMetadataUpdate,
        VoucherOrder,
        VoucherUpdate,
    )


class Vouchers(Resource):
    """Create, read, change and list vouchers, gift cards and loyalty cards."""

    @cached_property
    def with_raw_response(self) -> RawVouchers:
        """The same methods, which return status and headers too."""
        return RawVouchers(self)

    async def get(self, code: str, **options: Unpack[CallOptions]) -> Voucher:
        """Read a voucher by its code or its id (`GET /v1/vouchers/{code}`, get-voucher).

        Raises:
            NotFoundError: There is no such voucher.
        """
        return await self._fetch(Voucher, GET_VOUCHER(code=code), options)

    def get_many(
        self,
        codes: Iterable[str] | AsyncIterable[str],
        *,
        concurrency: int | None = None,
        **options: Unpack[CallOptions],
    ) -> VoucherLookups:
        """Read many vouchers, of which each may fail on its own. Sends nothing until used.

        ```python
        for found in await client.vouchers.get_many(codes):
            print(found.code, found.voucher if found.ok else found.error)
        ```

        Awaited, it gives a list in the order of the codes. Iterated, it gives results as they
        complete and reads the codes as it goes, so that they may be without end: what it keeps in
        memory does not grow. There is one result for each code given, and each distinct code is
        asked for once; when codes that come one by one are iterated, that holds for the last
        1,000 distinct ones. Lookups wait for the quota as long as it takes, unless `retry` is
        given.

        Args:
            codes: Codes or ids: any iterable or async iterable. An async generator is closed at the
                end.
            concurrency: How many lookups are under way at the most; by default the client's
                `max_concurrency`.

        Returns:
            The lookups: await them, or iterate them.

        Raises:
            InvalidArgumentError: `codes` is one text, or `concurrency` is below 1.
        """
        look_up = partial(self.get, **self._patient(options))
        if concurrency is None:
            concurrency = self._caller.connections.max_concurrency
        return VoucherLookups(look_up, codes, concurrency)

    def list(
        self,
        *,
        limit: int = DEFAULT_LIMIT,
        page: int = 1,
        category: str | None = None,
        campaign_id: str | None = None,
        customer: str | None = None,
        campaign: str | None = None,
        created_at: TimeRange | Mapping[str, Any] | None = None,
        updated_at: TimeRange | Mapping[str, Any] | None = None,
        order: VoucherOrder | None = None,
        code: str | None = None,
        ids: Sequence[str] | None = None,
        filters: Mapping[str, Any] | None = None,
        max_items: int | None = None,
        prefetch: int = 1,
        **options: Unpack[CallOptions],
    ) -> AsyncPaginator[Voucher]:
        """List vouchers (`GET /v1/vouchers`, operation list-vouchers). Sends nothing until used.

        Args:
            limit: Vouchers a page, 1 to 100.
            page: The page to begin with, 1 to 99.
            category: Only those of this category.
            campaign_id: Only those of the campaign with this id.
            customer: Only those held by the customer with this id.
            campaign: Only those of the campaign with this name.
            created_at: Only those created `before` or `after` an instant.
            updated_at: Only those changed `before` or `after` an instant.
            order: What to sort by; a dash before it sorts downwards.
            code: Only those with this code.
            ids: Only those with these ids.
            filters: Advanced filters as Voucherify documents them, such as
                `{"code": {"conditions": {"$contains": ["SUMMER"]}}}`.
            max_items: How many vouchers to yield at the most.
            prefetch: Pages to read ahead while you work on one; 0 reads none ahead.

        Returns:
            A paginator: iterate it, or await it for the first page.

        Raises:
            InvalidArgumentError: An argument is out of range.
            PaginationLimitError: While walking: there is more after page 99.
        """
        query = {
            "limit": limit,
            "page": page,
            "category": category,
            "campaign_id": campaign_id,
            "customer": customer,
            "campaign": campaign,
            "created_at": created_at,
            "updated_at": updated_at,
            "order": order,
            "code": code,
            "ids": check_ids(ids),
            "filters": filters,
        }
        check_count("page", page, most=99)
        return self._list(
            Voucher,
            LIST_VOUCHERS(),
            query,
            options,
            max_items=max_items,
            prefetch=prefetch,
        )

    def list_all(
        self,
        *,
        limit: int = DEFAULT_LIMIT,
        category: str | None = None,
        campaign_id: str | None = None,
        customer: str | None = None,
        campaign: str | None = None,
        created_at: TimeRange | Mapping[str, Any] | None = None,
        updated_at: TimeRange | Mapping[str, Any] | None = None,
        code: str | None = None,
        ids: Sequence[str] | None = None,
        filters: Mapping[str, Any] | None = None,
        max_items: int | None = None,
        concurrency: int = 1,
        **options: Unpack[CallOptions],
    ) -> AsyncPaginator[Voucher]:
        """List every voucher that matches, also past the 9,900 that `list` reaches.

        They come oldest first (those of nearly one instant in any order), each exactly once: every
        voucher that is there when the walk begins and is neither deleted nor changed meanwhile so
        that it matches no more. Vouchers created during the walk are left out. What the pages show
        is held against the API's `total`; what does not add up is read again, and a walk that
        cannot be completed raises. The pages' `total` is that of the query at hand, not of the
        whole listing. Waits for the quota as long as it takes, unless `retry` is given.

        Args:
            limit: Vouchers a page, 1 to 100; the walk asks for 10 at the least.
            category: Only those of this category.
            campaign_id: Only those of the campaign with this id.
            customer: Only those held by the customer with this id.
            campaign: Only those of the campaign with this name.
            created_at: Only those created `before` or `after` an instant.
            updated_at: Only those changed `before` or `after` an instant.
            code: Only those with this code.
            ids: Only those with these ids.
            filters: Advanced filters as Voucherify documents them.
            max_items: How many vouchers to yield at the most.
            concurrency: How many pages are read at once.

        Returns:
            A paginator: iterate it, or await it for the first page.

        Raises:
            InvalidArgumentError: An argument is out of range.
            PaginationLimitError: While walking: more than 9,900 were created in one instant.
            PaginationError: While walking: what the pages show does not add up to their `total`,
                because it is wrong, or because the listing changes faster than it can be read.
            ResponseValidationError: While walking: a page has no `total`, or an item no id.
        """
        query = {
            "limit": limit,
            "category": category,
            "campaign_id": campaign_id,
            "customer": customer,
            "campaign": campaign,
            "created_at": created_at,
            "updated_at": updated_at,
            "code": code,
            "ids": check_ids(ids),
            "filters": filters,
        }
        return self._list_all(
            Voucher, LIST_VOUCHERS(), query, options, max_items=max_items, concurrency=concurrency
        )

    async def create(
        self,
        code: str,
        body: VoucherCreate | Mapping[str, Any],
        *,
        confirm_within: float = CONFIRM_WITHIN,
        **options: Unpack[CallOptions],
    ) -> Voucher:
        """Create a voucher with a code of your own (`POST /v1/vouchers/{code}`, create-voucher).

        Where the answer is lost, the code is read back: a voucher that is what was sent, made just
        now, is returned. It is never sent again where it may have been done.

        Args:
            code: The code.
            body: `DiscountVoucherCreate`, `GiftVoucherCreate`, `LoyaltyCardCreate`, or the mapping
                that Voucherify documents. Amounts are in minor currency units.
            confirm_within: Seconds to look for it at the most, where the answer is lost.

        Returns:
            The voucher.

        Raises:
            InvalidArgumentError: The body names another code, or cannot be sent.
            ConflictError: The code exists.
            AmbiguousOutcomeError: It may or may not have been created, and reading back did not
                settle it; `client.settle(error)` may, later.
        """
        sent = _arguments.creation_body(code, body)
        return await self._confirmed(
            Voucher, CREATE_VOUCHER(code=code), options, body=sent, within=confirm_within
        )

    async def generate(
        self, body: VoucherCreate | Mapping[str, Any], **options: Unpack[CallOptions]
    ) -> Voucher:
        """Create a voucher with a random code (`POST /v1/vouchers`, generate-random-code).

        Args:
            body: As for `create`; it needs a type at least. Its `code_config` shapes the code.

        Returns:
            The voucher.

        Raises:
            InvalidArgumentError: The body is empty; no voucher can be made of nothing.
            AmbiguousOutcomeError: It may or may not have been created, which nothing tells later.
        """
        if not _arguments.object_body(body):
            raise InvalidArgumentError(
                "body: is empty; say what the voucher is worth: its discount, gift or loyalty_card"
            )
        return await self._fetch(Voucher, GENERATE_VOUCHER(), options, body=body)

    async def update(
        self, code: str, changes: VoucherUpdate | Mapping[str, Any], **options: Unpack[CallOptions]
    ) -> Voucher:
        """Change a voucher (`PUT /v1/vouchers/{code}`); a field left out stays, None clears it.

        Raises:
            NotFoundError: There is no such voucher.
            AmbiguousOutcomeError: The change may or may not have been made.
        """
        body = _arguments.object_body(changes)
        return await self._fetch(Voucher, UPDATE_VOUCHER(code=code), options, body=body)

    async def delete(
        self, code: str, *, force: bool = False, **options: Unpack[CallOptions]
    ) -> None:
        """Delete a voucher (`DELETE /v1/vouchers/{code}`): to the bin, or with `force` for good.

        Raises:
            NotFoundError: There is no such voucher.
            AmbiguousOutcomeError: It may or may not have been deleted.
        """
        params = {"force": True} if force else None
        await self._send(DELETE_VOUCHER(code=code), options, params=params)

    async def enable(self, code: str, **options: Unpack[CallOptions]) -> Voucher:
        """Enable a voucher (`POST /v1/vouchers/{code}/enable`, enable-voucher).

        Raises:
            NotFoundError: There is no such voucher.
            AmbiguousOutcomeError: It may or may not have been enabled.
        """
        return await self._fetch(Voucher, ENABLE_VOUCHER(code=code), options)

    async def disable(self, code: str, **options: Unpack[CallOptions]) -> Voucher:
        """Disable a voucher (`POST /v1/vouchers/{code}/disable`, disable-voucher).

        Raises:
            NotFoundError: There is no such voucher.
            AmbiguousOutcomeError: It may or may not have been disabled.
        """
        return await self._fetch(Voucher, DISABLE_VOUCHER(code=code), options)

    async def update_balance(
        self,
        code: str,
        amount: int,
        *,
        source_id: str | None = None,
        reason: str | None = None,
        confirm: bool = False,
        confirm_within: float = CONFIRM_WITHIN,
        **options: Unpack[CallOptions],
    ) -> BalanceUpdate:
        """Add to or take from a card (`POST /v1/vouchers/{code}/balance`, update-voucher-balance).

        It is never sent again where it may have been done. Every update carries a `source_id`, by
        which `client.settle(error)` finds one of unknown outcome. If the call is cancelled, a note
        on the cancellation keeps it.

        Args:
            code: The gift or loyalty card's code.
            amount: Minor currency units of a gift card, points of a loyalty card; below zero to
                take away. Not 0.
            source_id: Your label for this update and no other; by default a random one.
            reason: Why, for the card's history.
            confirm: Whether to look for an update of unknown outcome here, by its `source_id`: if
                the card's history has it, its balance is returned.
            confirm_within: Seconds to look for it at the most.

        Returns:
            The balance after the update.

        Raises:
            InvalidArgumentError: The amount is 0 or not an integer.
            NotFoundError: There is no such voucher.
            BadRequestError: The balance would fall below zero, or the voucher is not a card.
            AmbiguousOutcomeError: It may or may not have happened, and was not found in time;
                `client.settle(error)` tells later.
        """
        body = _arguments.balance_body(amount, source_id, reason)
        target = UPDATE_BALANCE(code=code)
        label = body["source_id"]
        with noted(
            f"The balance update that was under way has the source_id {label}: "
            "transactions.find(code, source_id=...) tells whether it was done"
        ):
            if not confirm:
                return await self._fetch(BalanceUpdate, target, options, body=body)
            return await self._confirmed(
                BalanceUpdate, target, options, body=body, within=confirm_within
            )

    async def release_session(
        self, code: str, session_key: str, **options: Unpack[CallOptions]
    ) -> None:
        """Release a validation session (`DELETE /v1/vouchers/{code}/sessions/{sessionKey}`).

        Raises:
            NotFoundError: There is no such voucher or session; `resource_type` says which.
            AmbiguousOutcomeError: It may or may not have been released.
        """
        await self._send(RELEASE_SESSION(code=code, session_key=session_key), options)

    async def update_in_bulk(
        self,
        items: Iterable[VoucherMetadataUpdate | Mapping[str, Any]]
        | AsyncIterable[VoucherMetadataUpdate | Mapping[str, Any]],
        **options: Unpack[CallOptions],
    ) -> AsyncJob:
        """Change the metadata of many vouchers, each its own (`POST /v1/vouchers/bulk/async`).

        Args:
            items: A code and its metadata each: any iterable or async iterable. More than 10 MB go
                out in several requests.

        Returns:
            A handle on the background job; a `CombinedJob` where there are several requests.

        Raises:
            InvalidArgumentError: There are no items, or one cannot be sent.
            AmbiguousOutcomeError: The job may or may not have been accepted.
            BulkInterruptedError: Something failed after the first request was accepted.
        """
        return await self._in_parts(UPDATE_IN_BULK, items, "items", BodyBuilder(), options)

    async def update_metadata_in_bulk(
        self,
        codes: Iterable[str] | AsyncIterable[str],
        metadata: Mapping[str, Any],
        **options: Unpack[CallOptions],
    ) -> AsyncJob:
        """Give many vouchers the same metadata (`POST /v1/vouchers/metadata/async`).

        Args:
            codes: The vouchers' codes: any iterable or async iterable. More than 10 MB go out in
                several requests.
            metadata: What to set; other keys stay.

        Returns:
            A handle on the background job; a `CombinedJob` where there are several requests.

        Raises:
            InvalidArgumentError: There are no codes, or `metadata` cannot be sent.
            AmbiguousOutcomeError: The job may or may not have been accepted.
            BulkInterruptedError: Something failed after the first request was accepted.
        """
        shared = bodies.encode_json(metadata, name="metadata")
        body = BodyBuilder(b'{"metadata":' + shared + b',"codes":[', behind=b"]}")
        return await self._in_parts(UPDATE_METADATA, codes, "codes", body, options)

    async def _in_parts(
        self,
        route: Route,
        items: Iterable[Any] | AsyncIterable[Any],
        name: str,
        body: BodyBuilder,
        options: CallOptions,
    ) -> AsyncJob:
        check_options(options)

        async def post(content: bytes) -> str:
            return await self._accepted(route(), options, body=content)

        sent = await send_items(items, name, body, post)
        return job_of(sent, AsyncActions(self._caller), self._caller.settings.clock)


class RawVouchers(RawResource[Vouchers]):
    """`client.vouchers.with_raw_response`."""

    get = raw(Vouchers.get)
    list = raw(Vouchers.list)
    create = raw(Vouchers.create)
    generate = raw(Vouchers.generate)
    update = raw(Vouchers.update)
    delete = raw(Vouchers.delete)
    enable = raw(Vouchers.enable)
    disable = raw(Vouchers.disable)
    update_balance = raw(Vouchers.update_balance)
    release_session = raw(Vouchers.release_session)
