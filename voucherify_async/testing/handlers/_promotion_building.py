"""Promotion tiers and stacks made from a test's seeds."""

from __future__ import annotations

from .._messages import JsonObject
from .._state.promotions import StoredStack, StoredTier
from .._state.server_time import iso
from .._state.state import State


def seed_tier(state: State, campaign: str, data: JsonObject) -> StoredTier:
    """Add the tier that a test describes; its campaign is made if its name is unknown."""
    now = iso(state.clock.now())
    parent = state.catalog.find_campaign(campaign)
    if parent is None:
        parent = state.catalog.add_campaign(campaign, now, campaign_type="PROMOTION")
    made = {"created_at": now, "banner": None, **data}
    made["id"] = data["id"] or state.ids.long("promo", 24)
    tier = StoredTier(campaign=parent, **made)
    state.promotions.tiers[tier.id] = tier
    return tier


def seed_stack(state: State, id: str | None, name: str, tiers: tuple[str, ...]) -> StoredStack:  # noqa: A002 - the API's name
    """Add a stack of tiers, by their ids."""
    identifier = id or state.ids.long("stack", 24)
    stack = StoredStack(identifier, name, tiers, iso(state.clock.now()))
    state.promotions.stacks[stack.id] = stack
    return stack
