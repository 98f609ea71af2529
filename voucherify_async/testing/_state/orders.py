"""Orders, and what redemptions took off them."""

from __future__ import annotations

from dataclasses import dataclass, field

from .._checkout.orders import Cart, Effect, cart_of
from .._messages import JsonObject
from .._refusals import not_found
from .ids import Ids
from .server_time import ServerTime, iso

STATUSES = ("CREATED", "PAID", "CANCELED", "FULFILLED")
# What of a request describes the order; the rest of an order is made by the server.
_SENT = ("amount", "discount_amount", "items")


@dataclass(slots=True, eq=False, kw_only=True)
class StoredOrder:
    """One order: as it was sent, and the effects of its redemptions by redemption id."""

    id: str
    created_at: str
    source_id: str | None = None
    updated_at: str | None = None
    status: str = "CREATED"
    sent: JsonObject = field(default_factory=dict)
    metadata: JsonObject = field(default_factory=dict)
    customer_id: str | None = None
    referrer_id: str | None = None
    effects: dict[str, Effect] = field(default_factory=dict)
    redemptions: JsonObject = field(default_factory=dict)

    def cart(self) -> Cart:
        """Return what the order comes to, its redemptions included."""
        return cart_of(self.sent, self.effects.values())

    def render(self, totals: JsonObject | None = None) -> JsonObject:
        """Return the order as the API serves it; ``totals`` stand in for the present ones."""
        served: JsonObject = {
            "id": self.id,
            "source_id": self.source_id,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
            "status": self.status,
            **(self.cart().totals() if totals is None else totals),
            "metadata": self.metadata,
            "customer": None,
            "customer_id": self.customer_id,
            "referrer_id": self.referrer_id,
        }
        for name in ("customer", "referrer"):
            identifier = served[f"{name}_id"]
            if identifier is not None:
                served[name] = {"id": identifier, "object": "customer"}
        if self.redemptions:
            served["redemptions"] = {key: dict(entry) for key, entry in self.redemptions.items()}
        return {**served, "object": "order"}


class OrderStore:
    """Every order, oldest first."""

    def __init__(self, ids: Ids, clock: ServerTime) -> None:
        self._ids = ids
        self._clock = clock
        self._by_id: dict[str, StoredOrder] = {}
        self._by_source: dict[str, StoredOrder] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def find(self, identifier: str | None) -> StoredOrder | None:
        """Return the order with this id or source id, or None."""
        if identifier is None:
            return None
        return self._by_id.get(identifier) or self._by_source.get(identifier)

    def named_by(self, body: JsonObject) -> StoredOrder | None:
        """Return the order that the ``id`` or else the ``source_id`` of a body names, or None."""
        return self.find(body.get("id")) or self._by_source.get(body.get("source_id") or "")

    def get(self, identifier: str) -> StoredOrder:
        """Return the order with this id or source id, or raise the API's 404."""
        order = self.find(identifier)
        if order is None:
            raise not_found("order", identifier)
        return order

    def create(self, body: JsonObject) -> StoredOrder:
        """Add the order that a body describes."""
        order = StoredOrder(
            id=body.get("id") or self._ids.long("ord", 24),
            created_at=iso(self._clock.now()),
            source_id=body.get("source_id"),
        )
        self._by_id[order.id] = order
        self._fill(order, body)
        return order

    def change(self, order: StoredOrder, body: JsonObject) -> None:
        """Change what a body names of an order."""
        self._fill(order, body)
        order.updated_at = iso(self._clock.now())

    def _fill(self, order: StoredOrder, body: JsonObject) -> None:
        given = {name: body[name] for name in _SENT if body.get(name) is not None}
        if "items" in given and "amount" not in given:
            order.sent.pop("amount", None)
        order.sent = {**order.sent, **given}
        order.status = body.get("status") or order.status
        order.metadata = {**order.metadata, **(body.get("metadata") or {})}
        order.customer_id = body.get("customer_id") or order.customer_id
        order.referrer_id = body.get("referrer_id") or order.referrer_id
        if body.get("source_id") is not None:
            order.source_id = body["source_id"]
        if order.source_id is not None:
            self._by_source[order.source_id] = order

    def listed(self, order: str) -> list[StoredOrder]:
        """Return every order, sorted."""
        name = order.removeprefix("-")
        found = list(self._by_id.values())
        found.sort(key=lambda stored: getattr(stored, name) or "")
        return found[::-1] if order.startswith("-") else found
