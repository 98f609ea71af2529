"""FakeVoucherify: what a test holds in its hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import httpx

from ._checkout.sessions import Lock
from ._server.asgi_app import FakeApp
from ._server.delivery import post_signed
from ._server.engine import Credentials, Engine, RecordedRequest
from ._server.faults import Faults
from ._server.in_process import FakeTransport
from ._state.server_time import iso, real_time
from ._state.state import State
from ._state.views import ServedVouchers, Setting
from .handlers._promotion_building import seed_stack, seed_tier
from .handlers._voucher_building import seed

if TYPE_CHECKING:
    from .. import AsyncVoucherify

JsonObject = dict[str, Any]

BASE_URL = "https://fake.voucherify.test"
DEFAULT_APP_ID = "id"
DEFAULT_APP_TOKEN = "token"  # noqa: S105 - opens nothing but this server


class FakeVoucherify:
    """An embedded Voucherify: it keeps what it is told, and fails on demand.

    Its checkout is calculated: discounts of every documented type and effect, one redeemable after
    another, gift credits and loyalty points, promotion tiers and stacks, dates, weekdays,
    ``active``, quantities, limits for each customer, locks, rollbacks and orders. What it does not
    calculate:

    - validation rules: a discount on items is for all items, or for the ``discounted_products``
      that a test names; segments, order rules and budgets refuse nobody;
    - formulas: the plain value beside a formula counts;
    - rewards and earning rules: a loyalty point pays one minor unit of the order;
    - ``validity_timeframe`` and ``validity_hours``; of the stacking rules, categories, sorting and
      the application to products (see ``stacking_rules``);
    - taxes, currencies, and products beyond what an order says of them and ``set_price``.

    Args:
        app_id: the only application id to accept; None accepts any that is not empty.
        app_token: the only application token to accept; None accepts any that is not empty.
        client_id: the only OAuth service key id to accept at ``/v2/oauth/token``.
        client_secret: the only OAuth service key secret to accept there.
        page_size: how many items a listing has when the request gives no ``limit``.
        now: the clock, a callable that returns an aware datetime; real time if None.
        seed: the seed of the identifiers and codes that the server makes up.
        record: keep every request in ``requests`` and every event in ``events``. Switch it off for
            load tests.

    Attributes:
        faults: what goes wrong with which request.
        polls_until_done: how many reads of an async action or an export answer less than its end.
        clock_skew: seconds by which ``Date`` and ``X-Rate-Limit-Retry`` are ahead of the clock.
        inclusive_dates: whether ``created_at[after]`` and its like include their own instant.
        async_actions_has_more: whether the listing of async actions tells ``has_more``.
        campaign_capacity: how many codes a campaign takes.
        failed_redemption_status: what a redemption that fails answers, 400 or 200.
    """

    polls_until_done: Setting[int] = Setting[int]("polls_until_done")
    clock_skew: Setting[float] = Setting[float]("clock", "skew")
    inclusive_dates: Setting[bool] = Setting[bool]("inclusive_dates")
    async_actions_has_more: Setting[bool] = Setting[bool]("actions", "has_more_shown")
    campaign_capacity: Setting[int] = Setting[int]("campaign_capacity")
    failed_redemption_status: Setting[int] = Setting[int]("failed_redemption_status")

    def __init__(
        self,
        *,
        app_id: str | None = DEFAULT_APP_ID,
        app_token: str | None = DEFAULT_APP_TOKEN,
        client_id: str | None = None,
        client_secret: str | None = None,
        page_size: int = 10,
        now: Callable[[], datetime] | None = None,
        seed: int = 0,
        record: bool = True,
    ) -> None:
        self._state = State(now or real_time, seed)
        self._state.page_size = page_size
        credentials = Credentials(app_id, app_token, client_id, client_secret)
        self.faults: Faults = Faults(self._state.clock, self._state.tokens.revoke)
        self._engine = Engine(self._state, self.faults, credentials, record=record)
        self.app: FakeApp = FakeApp(self._engine)
        self._clients: list[httpx.AsyncClient] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the HTTP clients that ``client`` and ``http_client`` made."""
        while self._clients:
            await self._clients.pop().aclose()

    @property
    def app_id(self) -> str:
        """An application id that the server accepts."""
        return self._engine.credentials.app_id or DEFAULT_APP_ID

    @property
    def app_token(self) -> str:
        """An application token that the server accepts."""
        return self._engine.credentials.app_token or DEFAULT_APP_TOKEN

    def transport(self) -> FakeTransport:
        """Return a transport for ``httpx.AsyncClient`` that ends in this server."""
        return FakeTransport(self._engine)

    def http_client(self, **options: Any) -> httpx.AsyncClient:
        """Return a plain ``httpx.AsyncClient`` wired to this server in process.

        It has no credentials; ``options`` go to ``httpx.AsyncClient``.
        """
        options = {"base_url": BASE_URL, **options}
        client = httpx.AsyncClient(transport=self.transport(), **options)
        self._clients.append(client)
        return client

    def client(self, **options: Any) -> AsyncVoucherify:
        """Return an ``AsyncVoucherify`` wired to this server in process.

        It has credentials that the server accepts unless ``options`` bring their own; ``options``
        go to ``AsyncVoucherify``.
        """
        from .. import AsyncVoucherify

        if options.get("auth") is None:
            options = {"app_id": self.app_id, "app_token": self.app_token, **options}
        settings = {"base_url": BASE_URL, "http_client": self.http_client(), **options}
        return AsyncVoucherify(**settings)

    def serve(self, host: str = "127.0.0.1", port: int = 0) -> AbstractContextManager[str]:
        """Serve on a port (0: a free one) from a thread of its own.

        The context manager yields the base URL.
        """
        from ._server.loopback import serve

        return serve(self.app, host, port)

    @property
    def requests(self) -> list[RecordedRequest]:
        """The requests that arrived, in their order."""
        return self._engine.requests

    def clear_requests(self) -> None:
        """Forget the requests that arrived."""
        self._engine.requests.clear()

    @property
    def events(self) -> list[JsonObject]:
        """What happened, oldest first, as a webhook would tell it: copies, to read.

        Every request that changes vouchers, balances, redemptions, customers or orders leaves the
        events that Voucherify documents for it, such as ``voucher.updated``. What a test itself
        adds to the state leaves none, nor do vouchers that are imported or changed in bulk.
        """
        with self._state.lock:
            return self._state.events.all()

    def clear_events(self) -> None:
        """Forget what happened."""
        with self._state.lock:
            self._state.events.clear()

    async def deliver(
        self,
        event: str | Mapping[str, Any],
        url: str,
        secret: str,
        *,
        http_client: httpx.AsyncClient | None = None,
    ) -> int:
        """Send an event to a webhook endpoint, signed, once; return the status of its answer.

        ```python
        assert await fake.deliver("redemption.succeeded", f"{service}/voucherify", SECRET) == 204
        ```

        Args:
            event: the type of one that happened (the latest of it is sent), one of ``events``, or
                any other as ``{"type": "campaign.created", "data": {"campaign": {...}}}``; keys of
                the envelope that it lacks are filled in.
            url: where the endpoint is.
            secret: the webhook's secret.
            http_client: what sends it, for an endpoint that is not on the network, such as a client
                with ``httpx.ASGITransport(app)``.

        Raises:
            ValueError: a mapping has no type.
            LookupError: no event of this type has happened; the message names those that have.
            httpx.HTTPError: the endpoint could not be reached, or took longer than 10 seconds.
        """
        with self._state.lock:
            body = self._state.events.addressed(self._event(event), url)
        return await post_signed(body, url, secret, http_client)

    def _event(self, event: str | Mapping[str, Any]) -> JsonObject:
        log = self._state.events
        if not isinstance(event, str):
            if not event.get("type"):
                raise ValueError("event: a mapping needs a 'type', such as 'voucher.updated'")
            return log.complete(event)
        found = log.latest(event)
        if found is None:
            happened = ", ".join(log.kinds()) or "nothing"
            raise LookupError(f"No {event!r} has happened, only: {happened}")
        return found

    @property
    def vouchers(self) -> Mapping[str, JsonObject]:
        """The vouchers by code, each as the API would serve it now: a copy, to read."""
        return ServedVouchers(self._state.vouchers)

    @property
    def bin(self) -> Mapping[str, JsonObject]:
        """The vouchers that were deleted without ``force``, by code."""
        with self._state.lock:
            return {code: voucher.render() for code, voucher in self._state.bin.items()}

    def transactions(self, code: str) -> list[JsonObject]:
        """Return the ledger of a card (by code or id), oldest transaction first."""
        with self._state.lock:
            voucher = self._state.vouchers.find(code) or self._state.bin.get(code)
            return [] if voucher is None else list(self._state.ledger.of(voucher.id))

    def add_voucher(self, voucher: JsonObject | None = None, **properties: Any) -> JsonObject:
        """Add a voucher, or replace the one with its code; return it as the API serves it.

        Any property of a served voucher can be given, in the mapping or by keyword. What is missing
        is filled in: a random code, the type that the value implies, a discount of 1000. A campaign
        is made if its name is unknown. Properties that the API doesn't have are served as they are,
        but for two that only the checkout reads: ``redemptions_per_customer`` (how often each
        customer can redeem it) and ``discounted_products`` (ids or source ids of the only products
        that a discount on items is for).
        """
        data = {**(voucher or {}), **properties}
        with self._state.lock:
            former = self._state.vouchers.find(data.get("code") or "")
            if former is not None:
                # So that the card keeps its ledger.
                data.setdefault("id", former.id)
            built = seed(self._state, data)
            if former is not None:
                self._state.vouchers.remove(former)
            self._state.vouchers.add(built)
            return built.render()

    def add_vouchers(self, vouchers: Iterable[JsonObject]) -> int:
        """Add vouchers whose codes are new, as ``add_voucher`` does; return how many."""
        with self._state.lock:
            before = len(self._state.vouchers)
            for voucher in vouchers:
                self._state.vouchers.add(seed(self._state, voucher))
            return len(self._state.vouchers) - before

    def add_campaign(
        self,
        name: str,
        *,
        campaign_type: str = "DISCOUNT_COUPONS",
        type: str = "STATIC",  # noqa: A002 - the API's name
        id: str | None = None,  # noqa: A002 - the API's name
        voucher: JsonObject | None = None,
    ) -> JsonObject:
        """Add a campaign and return it.

        ``campaign_type``: ``DISCOUNT_COUPONS``, ``GIFT_VOUCHERS``, ``LOYALTY_PROGRAM``,
        ``REFERRAL_PROGRAM`` or ``PROMOTION``. ``voucher``: the discount, gift or loyalty card that
        its vouchers have when they name none.
        """
        with self._state.lock:
            created_at = iso(self._state.clock.now())
            campaign = self._state.catalog.add_campaign(
                name, created_at, campaign_type=campaign_type, type=type, id=id, template=voucher
            )
            return campaign.render()

    def add_customer(self, customer: JsonObject | None = None, **properties: Any) -> JsonObject:
        """Add a customer, or change the one with its ``id`` or ``source_id``; return it."""
        with self._state.lock:
            return self._state.customers.upsert({**(customer or {}), **properties}).render()

    def add_session(
        self, code: str, key: str, *, amount: int = 0, lifetime: float = 7 * 86_400
    ) -> None:
        """Hold a use of a voucher by a validation session, as a validation does.

        ``amount``: the credits or points that it holds. ``lifetime``: seconds of the server's
        clock.
        """
        with self._state.lock:
            voucher = self._state.vouchers.get(code)
            ends = self._state.clock.now() + timedelta(seconds=lifetime)
            self._state.locks.hold(Lock(key, voucher.id, amount, ends))

    def add_promotion_tier(
        self,
        discount: JsonObject,
        *,
        id: str | None = None,  # noqa: A002 - the API's name
        campaign: str = "Promotion",
        name: str | None = None,
        quantity: int | None = None,
        redemptions_per_customer: int | None = None,
        discounted_products: Iterable[str] = (),
        **properties: Any,
    ) -> JsonObject:
        """Add a promotion tier and return it; its campaign is made if its name is unknown.

        Args:
            discount: what it takes off, as a discount voucher has it.
            id: its id; made up if None.
            campaign: the name or id of its campaign.
            name: its name.
            quantity: how often it can be redeemed; any number if None.
            redemptions_per_customer: how often each customer can redeem it; any number if None.
            discounted_products: ids or source ids of the only products that a discount on items
                is for.
            properties: ``banner``, ``hierarchy``, ``active``, ``start_date``,
                ``expiration_date``, ``validity_day_of_week``, ``metadata``.
        """
        with self._state.lock:
            seeded = {
                "id": id,
                "name": name or campaign,
                "discount": discount,
                "quantity": quantity,
                "per_customer": redemptions_per_customer,
                "targets": tuple(discounted_products),
                **properties,
            }
            return seed_tier(self._state, campaign, seeded).render()

    def add_promotion_stack(
        self,
        tiers: Iterable[str],
        *,
        id: str | None = None,  # noqa: A002 - the API's name
        name: str = "Stack",
    ) -> JsonObject:
        """Add a promotion stack of tiers, by their ids, and return it."""
        with self._state.lock:
            return seed_stack(self._state, id, name, tuple(tiers)).render()

    def set_price(self, unit: str, price: int) -> None:
        """Say what a product or SKU costs that a unit discount adds, in minor units."""
        with self._state.lock:
            self._state.promotions.prices[unit] = price

    @property
    def stacking_rules(self) -> JsonObject:
        """The project's stacking rules, to change in place.

        ``redeemables_application_mode`` (``ALL`` or ``PARTIAL``), ``redeemables_limit``,
        ``applicable_redeemables_limit`` and ``redeemables_no_effect_rule`` change what happens; the
        others are told and nothing more.
        """
        return self._state.stacking_rules

    @property
    def redemptions(self) -> list[JsonObject]:
        """Every redemption and rollback, failed ones included, oldest first: copies, to read."""
        with self._state.lock:
            return [dict(entry) for entry in self._state.redemptions]

    @property
    def orders(self) -> list[JsonObject]:
        """Every order as the API serves it, oldest first."""
        with self._state.lock:
            return [order.render() for order in self._state.orders.listed("created_at")]

    def add_token(self, token: str, *, lifetime: float = 900, scope: str = "api") -> None:
        """Accept a bearer token for so many seconds of the server's clock.

        ``scope``: what it opens, names separated by spaces; ``api`` opens everything.
        """
        with self._state.lock:
            self._state.tokens.adopt(token, lifetime, scope)

    @property
    def tokens_issued(self) -> int:
        """How many OAuth tokens the server issued."""
        return self._state.tokens.issued

    def set_quota(
        self, limit: int | None, window_seconds: float = 60, bulk_limit: int | None = None
    ) -> None:
        """Allow so many requests a window from now on (None: any number).

        Imports and bulk updates count apart if ``bulk_limit`` is given.
        """
        with self._state.lock:
            self._state.quota.set(limit, window_seconds, bulk_limit)

    def fail_next_action(self, message: str = "The action failed") -> None:
        """Let the next async action end FAILED, without effect."""
        with self._state.lock:
            self._state.actions.fail_next(message)

    def fail_next_export(self) -> None:
        """Let the next export end in ERROR."""
        with self._state.lock:
            self._state.exports.failures += 1
