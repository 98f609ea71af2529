"""Webhooks: check that Voucherify sent them, and read what they say.

```python
@app.post("/voucherify")
async def hear(request: Request) -> None:
    event = unwrap(await request.body(), request.headers.get("x-voucherify-signature"), SECRET)
    if event.event_type == "voucher.gift.balance_added":
        print(event.data.voucher)
```

A signature carries no timestamp, so a recorded delivery can be sent again: remember
`event.dedupe_key`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from attrs import evolve, field, frozen

from ._conversion.converter import from_dict, structure_at
from ._protocol.answers import decode_json
from ._protocol.webhook_signatures import SIGNATURE_HEADER, Keys, body_bytes
from .errors import ResponseValidationError
from .models._base import Model
from .models.campaigns import Campaign
from .models.customers import Customer
from .models.orders import Order
from .models.promotions import PromotionTier
from .models.publications import Publication
from .models.redemptions import Redemption, RedemptionRollback
from .models.transactions import TransactionBalance, VoucherTransaction
from .models.vouchers import Voucher

__all__ = [
    "SIGNATURE_HEADER",
    "WebhookData",
    "WebhookEvent",
    "WebhookEventSource",
    "WebhookOccurrence",
    "WebhookSource",
    "sign",
    "unwrap",
    "verify",
]

T = TypeVar("T")


class WebhookData(Mapping[str, Any]):
    """What an event is about: the JSON object as it came, and its nouns as models.

    A noun is read when it is asked for, so that one of an unexpected shape costs no event.
    """

    __slots__ = ("_json",)

    def __init__(self, json: Mapping[str, Any]) -> None:
        self._json = json

    @classmethod
    def __get_pydantic_core_schema__(cls, _: Any, handler: Any) -> Any:
        # An event that is a field of pydantic's: any object.
        return handler.generate_schema(Mapping[str, Any])

    def __getitem__(self, key: str) -> Any:
        return self._json[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._json)

    def __len__(self) -> int:
        return len(self._json)

    def __repr__(self) -> str:
        return f"WebhookData({', '.join(self._json)})"

    @property
    def voucher(self) -> Voucher | None:
        """The voucher; `ResponseValidationError` if its shape contradicts the documented one."""
        return self._noun(Voucher, "voucher")

    @property
    def redemption(self) -> Redemption | None:
        """The redemption."""
        return self._noun(Redemption, "redemption")

    @property
    def redemption_rollback(self) -> RedemptionRollback | None:
        """The rollback of the redemption."""
        return self._noun(RedemptionRollback, "redemption_rollback")

    @property
    def customer(self) -> Customer | None:
        """The customer."""
        return self._noun(Customer, "customer")

    @property
    def order(self) -> Order | None:
        """The order."""
        return self._noun(Order, "order")

    @property
    def campaign(self) -> Campaign | None:
        """The campaign, or as much of it as the event tells."""
        return self._noun(Campaign, "campaign")

    @property
    def publication(self) -> Publication | None:
        """The publication; the vouchers of `publication.succeeded` are in `vouchers`."""
        return self._noun(Publication, "publication")

    @property
    def vouchers(self) -> tuple[Voucher, ...]:
        """The vouchers of an event about several; empty where there are none."""
        return self._noun(tuple[Voucher, ...], "vouchers") or ()

    @property
    def promotion_tier(self) -> PromotionTier | None:
        """The promotion tier."""
        return self._noun(PromotionTier, "promotion_tier")

    @property
    def balance(self) -> TransactionBalance | None:
        """What became of a card's balance."""
        return self._noun(TransactionBalance, "balance")

    @property
    def transaction(self) -> VoucherTransaction | None:
        """The transaction of a card."""
        return self._noun(VoucherTransaction, "transaction")

    def _noun(self, model: type[T], key: str) -> T | None:
        found = self._json.get(key)
        return None if found is None else structure_at(model, found, f"$.data.{key}")


@frozen(kw_only=True, repr=False)
class WebhookSource(Model):
    """Which webhook sent the event."""

    id: str | None = None
    """Id of the webhook's configuration."""
    object: str | None = None
    """`webhook` for a project's webhook, `distribution` for one of a distribution."""
    target_url: str | None = None
    """Where it was sent to."""


@frozen(kw_only=True, repr=False)
class WebhookEventSource(Model):
    """What caused the event."""

    channel: str | None = None
    """`USER_PORTAL`, `API` and the like."""
    user: Mapping[str, Any] | None = None
    """The person, where one did it in the dashboard."""
    api_key: Mapping[str, Any] | None = None
    """The API key, where a program did it."""


@frozen(kw_only=True, repr=False)
class WebhookOccurrence(Model):
    """What happened, the same in every delivery of it."""

    id: str | None = None
    """Id of the event; each of its deliveries carries it."""
    type: str | None = None
    """What happened, such as `voucher.updated`."""
    created_at: datetime | None = None
    """When it happened."""
    entity_id: str | None = None
    """Id of the object that it happened to."""
    group_id: str | None = None
    """Shared by the events of one request."""
    event_source: WebhookEventSource | None = None
    """What caused it."""


@frozen(kw_only=True, repr=False)
class WebhookEvent(Model):
    """One delivery of a webhook."""

    id: str | None = None
    """Id of this delivery (`whs_...`)."""
    project_id: str | None = None
    """Id of the project."""
    created_at: datetime | None = None
    """When the delivery was made."""
    type: str | None = None
    """What happened; in a distribution the name that the user gave it. See `event_type`."""
    data: WebhookData = field(factory=lambda: WebhookData({}))
    """What it is about."""
    source: WebhookSource | None = None
    """Which webhook sent it."""
    event: WebhookOccurrence | None = None
    """What happened."""

    @property
    def event_type(self) -> str | None:
        """What happened, such as `voucher.updated`, in a distribution too."""
        return (self.event.type if self.event else None) or self.type

    @property
    def dedupe_key(self) -> str | None:
        """What to remember in order to handle the event once, however often it is delivered."""
        return (self.event.id if self.event else None) or self.id


def unwrap(body: bytes, signature: str | None, secret: str | Sequence[str]) -> WebhookEvent:
    """Check a webhook's signature and read its event.

    Args:
        body: The request's body, exactly as it came.
        signature: The header `x-voucherify-signature`.
        secret: The webhook's secret; several while it is being replaced.

    Returns:
        The event. Types and keys that the library does not know are kept.

    Raises:
        WebhookSignatureError: The signature is missing or does not fit the body and any secret.
        ResponseValidationError: The body is signed, yet not an event.
        InvalidArgumentError: The body is not bytes, the header is not text, or there is no secret.
    """
    keys = Keys(secret)
    del secret
    keys.check(body_bytes(body), signature)
    try:
        content = decode_json(bytes(body))
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise ResponseValidationError(json_path="$", expected="a JSON object", value=content)
    data = content.pop("data", None)
    if data is not None and not isinstance(data, dict):
        raise ResponseValidationError(json_path="$.data", expected="a JSON object", value=data)
    return evolve(from_dict(WebhookEvent, content), data=WebhookData(data or {}))


def verify(body: bytes, signature: str | None, secret: str | Sequence[str]) -> None:
    """Check a webhook's signature; takes the same arguments as `unwrap`.

    Raises:
        WebhookSignatureError: The signature is missing or does not fit the body and any secret.
        InvalidArgumentError: The body is not bytes, the header is not text, or there is no secret.
    """
    keys = Keys(secret)
    del secret
    keys.check(body_bytes(body), signature)


def sign(body: bytes, secret: str) -> str:
    """The signature that Voucherify sends with a body.

    It is the hexadecimal HMAC-SHA256 of the body; for JSON, of the body without the
    white space outside strings.

    Args:
        body: The request's body.
        secret: The webhook's secret.

    Raises:
        InvalidArgumentError: The body is not bytes, or the secret is empty.
    """
    keys = Keys(secret)
    del secret
    return keys.sign(body_bytes(body))
