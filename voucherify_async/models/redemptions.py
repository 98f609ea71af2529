"""Redemptions and their rollbacks, alone and several at once."""

# A literal beside `str` names the values that are known today.
# ruff: noqa: PYI051
# A function that makes an attrs field is called once a class, as it should be.

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from attrs import frozen

from .._conversion.marks import Tagged
from ._base import Model, Number, json_key, present
from .customers import Customer
from .orders import Order
from .promotions import PromotionTier
from .redeemables import ValidatedRedeemable
from .references import Reference
from .rewards import RedeemedReward
from .validations import ValidationSession
from .vouchers import Voucher, VoucherRedemption

RedemptionOutcome: TypeAlias = Literal["SUCCESS", "FAILURE"] | str
"""Whether a redemption or rollback succeeded; the API may add values."""

RedemptionStatus: TypeAlias = Literal["SUCCEEDED", "FAILED", "ROLLED_BACK"] | str
"""What a redemption is now; the API may add values."""

RollbackOrderMode: TypeAlias = Literal["WITH_ORDER", "WITHOUT_ORDER"] | str
"""Whether a rollback undid the order's discounts too; the API may add values."""

RedemptionListOrder: TypeAlias = Literal[
    "created_at",
    "-created_at",
    "id",
    "-id",
    "voucher_code",
    "-voucher_code",
    "tracking_id",
    "-tracking_id",
    "customer_id",
    "-customer_id",
]
"""Order of ``redemptions.list``; a dash means descending."""


@frozen(kw_only=True, repr=False)
class RedemptionChannel(Model):
    """Where a redemption was made."""

    channel_id: str | None = None
    """Id of the application or the dashboard user."""
    channel_type: Literal["API", "USER", "AUTO_REDEEM"] | str | None = None
    """Kind of the channel."""


@frozen(kw_only=True, repr=False)
class RedeemedGift(Model):
    """What was taken off a gift card, or given back to it."""

    amount: Number | None = None
    """Credits, in minor currency units."""


@frozen(kw_only=True, repr=False)
class RedeemedLoyaltyCard(Model):
    """What was taken off a loyalty card, or given back to it."""

    points: int | None = None
    """How many points."""


@frozen(kw_only=True, repr=False)
class RelatedRedemption(Reference):
    """A redemption or rollback that belongs to another one."""

    date: datetime | None = None
    """Instant at which it was made."""
    rollback_order_mode: RollbackOrderMode | None = None
    """Whether a rollback undid the order's discounts too."""


@frozen(kw_only=True, repr=False)
class RelatedRedemptions(Model):
    """What belongs to a redemption."""

    rollbacks: Sequence[RelatedRedemption] | None = None
    """Its rollbacks."""
    redemptions: Sequence[RelatedRedemption] | None = None
    """The redemptions that were made together with it."""


@frozen(kw_only=True, repr=False)
class _Movement(Model):
    """What redemptions and rollbacks have in common."""

    id: str = present()
    """Id of it; empty where an answer lacks it."""
    date: datetime | None = None
    """Instant at which it was made."""
    customer_id: str | None = None
    """Id of the customer."""
    tracking_id: str | None = None
    """Hashed id of the customer."""
    metadata: Mapping[str, Any] | None = None
    """The merchant's own attributes."""
    amount: Number | None = None
    """Gift credits (minor currency units) or points; negative in a rollback."""
    redemption: str | None = None
    """Id of the parent redemption, or of the one that was rolled back."""
    result: RedemptionOutcome | None = None
    """Whether it succeeded."""
    status: RedemptionStatus | None = None
    """What it is now."""
    failure_code: str | None = None
    """Why it failed, as a key."""
    failure_message: str | None = None
    """Why it failed, in a sentence."""
    order: Order | None = None
    """The order with its discounts."""
    channel: RedemptionChannel | None = None
    """Where it was made."""
    customer: Customer | None = None
    """The customer."""
    related_object_type: str | None = None
    """Kind of what was redeemed: ``voucher``, ``promotion_tier`` or ``redemption``."""
    related_object_id: str | None = None
    """Id of what was redeemed."""
    voucher: Voucher | None = None
    """The voucher that was redeemed."""
    promotion_tier: PromotionTier | None = None
    """The promotion tier that was redeemed."""
    reward: RedeemedReward | None = None
    """The reward that points were redeemed for."""
    gift: RedeemedGift | None = None
    """What was taken off a gift card, or given back to it."""
    loyalty_card: RedeemedLoyaltyCard | None = None
    """What was taken off a loyalty card, or given back to it."""

    @property
    def is_successful(self) -> bool:
        """Whether it was made; True of a redemption that was rolled back since, too."""
        return self.result == "SUCCESS"


@frozen(kw_only=True, repr=False)
class Redemption(_Movement):
    """A use of a voucher or promotion: an answer of ``redemptions.get``, a part of ``.redeem``."""

    object: Literal["redemption"] | None = None
    """The tag of redemptions among `RedemptionEntry`."""
    session: ValidationSession | None = None
    """The session that held it."""
    related_redemptions: RelatedRedemptions | None = None
    """Its rollbacks, and the redemptions that were made together with it."""


@frozen(kw_only=True, repr=False)
class RedemptionRollback(_Movement):
    """A redemption undone: the answer of ``redemptions.rollback``."""

    object: Literal["redemption_rollback"] | None = None
    """The tag of rollbacks among `RedemptionEntry`."""
    reason: str | None = None
    """Why it was undone."""


@frozen(kw_only=True, repr=False)
class UnknownRedemption(_Movement):
    """An entry of a kind that this version of the library does not know; see its `extra`."""

    object: ClassVar[None] = None
    """Always None, so that type checkers tell it from the known kinds; see `tag`."""
    tag: str | None = json_key("object")
    """The ``object`` as it came."""


RedemptionEntry: TypeAlias = Annotated[
    Redemption | RedemptionRollback | UnknownRedemption,
    Tagged(
        "object",
        {"redemption": Redemption, "redemption_rollback": RedemptionRollback},
        UnknownRedemption,
    ),
]
"""An item of ``redemptions.list`` and the answer of ``.get``, told apart by ``object``."""


@frozen(kw_only=True, repr=False)
class RedemptionResult(Model):
    """The answer of ``redemptions.redeem``; that it came is not yet success, see `is_complete`."""

    redemptions: Sequence[Redemption] | None = None
    """One for each redeemable that was tried."""
    parent_redemption: Redemption | None = None
    """The redemption that holds several together; ``rollback_stack`` takes its id. None where one
    was made alone, whose own id goes there then."""
    order: Order | None = None
    """The order with all discounts."""
    inapplicable_redeemables: Sequence[ValidatedRedeemable] | None = None
    """What did not apply, in PARTIAL mode."""
    skipped_redeemables: Sequence[ValidatedRedeemable] | None = None
    """What was passed over, in PARTIAL mode."""

    @property
    def is_complete(self) -> bool:
        """Whether everything that was to be redeemed was redeemed."""
        redeemed = bool(self.redemptions) and not self.failed
        return redeemed and not (self.inapplicable or self.skipped)

    @property
    def failed(self) -> Sequence[Redemption]:
        """The redemptions that are on record and did not succeed, with their failure codes."""
        parent = () if self.parent_redemption is None else (self.parent_redemption,)
        made = (*(self.redemptions or ()), *parent)
        return tuple(redemption for redemption in made if not redemption.is_successful)

    @property
    def inapplicable(self) -> Sequence[ValidatedRedeemable]:
        """What did not apply, each with its error."""
        return self.inapplicable_redeemables or ()

    @property
    def skipped(self) -> Sequence[ValidatedRedeemable]:
        """What was passed over, each with its reason."""
        return self.skipped_redeemables or ()


@frozen(kw_only=True, repr=False)
class StackRollback(Model):
    """The answer of ``redemptions.rollback_stack``."""

    rollbacks: Sequence[RedemptionRollback] | None = None
    """One for each redemption."""
    parent_rollback: RedemptionRollback | None = None
    """The rollback that holds them together."""
    order: Order | None = None
    """The order without the discounts."""

    @property
    def is_complete(self) -> bool:
        """Whether every redemption was undone."""
        parent = () if self.parent_rollback is None else (self.parent_rollback,)
        made = (*(self.rollbacks or ()), *parent)
        return bool(made) and all(rollback.is_successful for rollback in made)


@frozen(kw_only=True, repr=False)
class VoucherRedemptions(VoucherRedemption):
    """The redemptions of one voucher: the answer of ``redemptions.of_voucher``."""

    data_ref: str | None = None
    """Name of the key that holds the items."""
    total: int | None = None
    """How many entries there are."""
    redemption_entries: Sequence[RedemptionEntry] | None = None
    """The redemptions and rollbacks."""


__all__ = [
    "RedeemedGift",
    "RedeemedLoyaltyCard",
    "Redemption",
    "RedemptionChannel",
    "RedemptionEntry",
    "RedemptionListOrder",
    "RedemptionOutcome",
    "RedemptionResult",
    "RedemptionRollback",
    "RedemptionStatus",
    "RelatedRedemption",
    "RelatedRedemptions",
    "RollbackOrderMode",
    "StackRollback",
    "UnknownRedemption",
    "VoucherRedemptions",
]
