"""Transactions: what changed the balance of a gift card or a loyalty card."""

# A literal beside `str` names the values that are known today.
# ruff: noqa: PYI051

from __future__ import annotations

from datetime import date, datetime
from typing import Literal, TypeAlias

from attrs import frozen

from ._base import Model
from .references import NamedReference, Reference, RelatedObject
from .vouchers import BalanceUpdate, Voucher

TransactionType: TypeAlias = (
    Literal[
        "CREDITS_REDEMPTION",
        "CREDITS_REFUND",
        "CREDITS_ADDITION",
        "CREDITS_REMOVAL",
        "PENDING_POINTS_ACTIVATION",
        "POINTS_ACCRUAL",
        "POINTS_REDEMPTION",
        "POINTS_REFUND",
        "POINTS_ADDITION",
        "POINTS_REMOVAL",
        "POINTS_EXPIRATION",
        "POINTS_TRANSFER_IN",
        "POINTS_TRANSFER_OUT",
    ]
    | str
)
"""Why a balance changed; the API may add values."""

EventCategory: TypeAlias = Literal["ACTION", "EFFECT"] | str
"""Kind of an event; the API may add values."""

EventChannel: TypeAlias = Literal["USER_PORTAL", "API", "CLIENT_API", "INTERNAL"] | str
"""Where an event came from; the API may add values."""

TransactionOrder: TypeAlias = Literal["id", "-id"]
"""Order of ``transactions.list``; a dash means descending."""


@frozen(kw_only=True, repr=False)
class OrderReference(Reference):
    """The customer's order behind a transaction."""

    source_id: str | None = None
    """Id of the order in the merchant's own system."""


@frozen(kw_only=True, repr=False)
class EventReference(RelatedObject):
    """The event behind a transaction: its id and its kind."""


@frozen(kw_only=True, repr=False)
class EarningRuleSource(Model):
    """How an earning rule is shown."""

    banner: str | None = None
    """Name of the earning rule."""


@frozen(kw_only=True, repr=False)
class EarningRuleReference(Reference):
    """The earning rule that gave the points."""

    source: EarningRuleSource | None = None
    """How the earning rule is shown."""


@frozen(kw_only=True, repr=False)
class TransactionBalance(BalanceUpdate):
    """What a transaction did to the balance."""

    points: int | None = None
    """Points added to a loyalty card; negative if taken off."""


@frozen(kw_only=True, repr=False)
class EventSourceApiKey(Model):
    """The API key with which an event was made."""

    name: str | None = None
    """Name of the key."""
    app_id: str | None = None
    """Application id of the key pair."""


@frozen(kw_only=True, repr=False)
class EventSource(Model):
    """Who or what caused an event."""

    channel: EventChannel | None = None
    """Where it came from."""
    user: Reference | None = None
    """The dashboard user who caused it."""
    api_key: EventSourceApiKey | None = None
    """The API key with which it was made."""


@frozen(kw_only=True, repr=False)
class PendingPointsEvent(EventReference):
    """The event that earned pending points."""

    group_id: str | None = None
    """Id of the request that caused the event."""
    entity_id: str | None = None
    """Id of the customer who paid the order."""
    created_at: datetime | None = None
    """Instant of the event."""
    category: EventCategory | None = None
    """Whether it is an action or its effect."""
    event_source: EventSource | None = None
    """Who or what caused it."""


@frozen(kw_only=True, repr=False)
class PendingPointsDetails(Model):
    """How pending points were earned."""

    loyalty_tier: NamedReference | None = None
    """The loyalty tier that the earning rule uses."""
    holder_loyalty_tier: NamedReference | None = None
    """The tier that the holder of the card was in."""
    event: PendingPointsEvent | None = None
    """The event that earned them."""
    earning_rule: EarningRuleReference | None = None
    """The rule that gave them."""
    order: OrderReference | None = None
    """The order that earned them."""


@frozen(kw_only=True, repr=False)
class LoyaltyPendingPoints(Model):
    """Points that were earned and wait to be activated."""

    id: str | None = None
    """Id of the entry."""
    voucher_id: str | None = None
    """Id of the loyalty card."""
    campaign_id: str | None = None
    """Id of the card's campaign."""
    customer_id: str | None = None
    """Id of the customer."""
    order_id: str | None = None
    """Id of the order that earned them."""
    points: int | None = None
    """How many points wait."""
    activates_at: date | None = None
    """Day on which they are put on the card."""
    details: PendingPointsDetails | None = None
    """How they were earned."""
    created_at: datetime | None = None
    """Instant at which the entry was created."""
    updated_at: datetime | None = None
    """Instant of its last change."""


@frozen(kw_only=True, repr=False)
class TransactionDetails(Model):
    """What stands behind a transaction; its type decides which fields are set."""

    balance: TransactionBalance | None = None
    """What it did to the balance."""
    order: OrderReference | None = None
    """The customer's order."""
    event: EventReference | None = None
    """The event that gave points."""
    earning_rule: EarningRuleReference | None = None
    """The rule that gave points."""
    segment: NamedReference | None = None
    """The customer segment that gave points."""
    loyalty_tier: NamedReference | None = None
    """The loyalty tier that the earning rule uses."""
    redemption: Reference | None = None
    """The redemption."""
    rollback: Reference | None = None
    """The rollback of a redemption."""
    custom_event: EventReference | None = None
    """The merchant's own event that gave points."""
    event_schema: NamedReference | None = None
    """The definition of that event."""
    holder_loyalty_tier: NamedReference | None = None
    """The tier that the holder of the card was in before."""
    pending_points: LoyaltyPendingPoints | None = None
    """The pending points that were activated."""
    reward: NamedReference | None = None
    """The reward that was paid with points."""
    source_voucher: Voucher | None = None
    """The card that gave the points of a transfer."""
    destination_voucher: Voucher | None = None
    """The card that received the points of a transfer."""


@frozen(kw_only=True, repr=False)
class VoucherTransaction(Model):
    """One change of a card's balance: an item of ``transactions.list``."""

    id: str | None = None
    """Id of the transaction."""
    source_id: str | None = None
    """Label that the merchant gave it; None for redemptions."""
    voucher_id: str | None = None
    """Id of the card."""
    campaign_id: str | None = None
    """Id of the card's campaign."""
    source: str | None = None
    """Where it was made, such as ``API`` or the dashboard; None for redemptions."""
    reason: str | None = None
    """Why it was made; None for redemptions."""
    type: TransactionType | None = None
    """What it did."""
    details: TransactionDetails | None = None
    """What stands behind it."""
    related_transaction_id: str | None = None
    """Id of the other side of a transfer between cards."""
    created_at: datetime | None = None
    """Instant at which it was made."""


__all__ = [
    "EarningRuleReference",
    "EarningRuleSource",
    "EventCategory",
    "EventChannel",
    "EventReference",
    "EventSource",
    "EventSourceApiKey",
    "LoyaltyPendingPoints",
    "OrderReference",
    "PendingPointsDetails",
    "PendingPointsEvent",
    "TransactionBalance",
    "TransactionDetails",
    "TransactionOrder",
    "TransactionType",
    "VoucherTransaction",
]
