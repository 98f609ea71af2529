"""The columns and orders of each kind of export."""

from __future__ import annotations

from typing import Literal, TypeAlias

VoucherExportOrder: TypeAlias = Literal[
    "-created_at",
    "created_at",
    "-updated_at",
    "updated_at",
    "-code",
    "code",
]
"""Order of an export of vouchers; a dash means descending."""

VoucherExportField: TypeAlias = Literal[
    "code",
    "voucher_type",
    "value",
    "formula",
    "discount_type",
    "campaign",
    "category",
    "start_date",
    "expiration_date",
    "gift_balance",
    "loyalty_balance",
    "redemption_quantity",
    "redemption_count",
    "active",
    "qr_code",
    "bar_code",
    "metadata",
    "id",
    "is_referral_code",
    "created_at",
    "updated_at",
    "validity_timeframe_interval",
    "validity_timeframe_duration",
    "validity_day_of_week",
    "discount_amount_limit",
    "campaign_id",
    "additional_info",
    "customer_id",
    "discount_effect",
    "discount_unit_type",
    "discount_unit_effect",
    "validation_rules_id",
    "customer_source_id",
]
"""Column of an export of vouchers."""

RedemptionExportOrder: TypeAlias = Literal[
    "-id",
    "id",
    "-voucher_code",
    "voucher_code",
    "-tracking_id",
    "tracking_id",
    "-customer_id",
    "customer_id",
    "-created_at",
    "created_at",
]
"""Order of an export of redemptions; a dash means descending."""

RedemptionExportField: TypeAlias = Literal[
    "id",
    "object",
    "date",
    "voucher_code",
    "campaign",
    "promotion_tier_id",
    "customer_id",
    "customer_source_id",
    "customer_name",
    "tracking_id",
    "order_id",
    "order_amount",
    "gift_amount",
    "loyalty_points",
    "result",
    "failure_code",
    "failure_message",
    "metadata",
]
"""Column of an export of redemptions."""

CustomerExportOrder: TypeAlias = Literal[
    "-name",
    "name",
    "-id",
    "id",
    "-email",
    "email",
    "-source_id",
    "source_id",
    "-created_at",
    "created_at",
    "-updated_at",
    "updated_at",
]
"""Order of an export of customers; a dash means descending."""

CustomerExportField: TypeAlias = Literal[
    "name",
    "id",
    "description",
    "email",
    "source_id",
    "created_at",
    "address_city",
    "address_state",
    "address_line_1",
    "address_line_2",
    "address_country",
    "address_postal_code",
    "redemptions_total_redeemed",
    "redemptions_total_failed",
    "redemptions_total_succeeded",
    "redemptions_total_rolled_back",
    "redemptions_total_rollback_failed",
    "redemptions_total_rollback_succeeded",
    "orders_total_amount",
    "orders_total_count",
    "orders_average_amount",
    "orders_last_order_amount",
    "orders_last_order_date",
    "loyalty_points",
    "loyalty_referred_customers",
    "updated_at",
    "phone",
    "birthday",
    "metadata",
    "birthdate",
]
"""Column of an export of customers."""

PublicationExportOrder: TypeAlias = Literal[
    "-id",
    "id",
    "-voucher_code",
    "voucher_code",
    "-tracking_id",
    "tracking_id",
    "-customer_id",
    "customer_id",
    "-created_at",
    "created_at",
    "-channel",
    "channel",
]
"""Order of an export of publications; a dash means descending."""

PublicationExportField: TypeAlias = Literal[
    "voucher_code",
    "customer_id",
    "customer_source_id",
    "date",
    "channel",
    "campaign",
    "is_winner",
    "metadata",
]
"""Column of an export of publications."""

OrderExportOrder: TypeAlias = Literal[
    "-created_at",
    "created_at",
    "-updated_at",
    "updated_at",
    "-status",
    "status",
]
"""Order of an export of orders; a dash means descending."""

OrderExportField: TypeAlias = Literal[
    "id",
    "source_id",
    "created_at",
    "updated_at",
    "status",
    "amount",
    "discount_amount",
    "items_discount_amount",
    "total_discount_amount",
    "total_amount",
    "customer_id",
    "referrer_id",
    "metadata",
]
"""Column of an export of orders."""

PointsExpirationExportOrder: TypeAlias = Literal[
    "-expires_at",
    "expires_at",
]
"""Order of an export of points that will expire; a dash means descending."""

PointsExpirationExportField: TypeAlias = Literal[
    "id",
    "campaign_id",
    "voucher_id",
    "points",
    "status",
    "expires_at",
]
"""Column of an export of points that will expire."""

TransactionExportOrder: TypeAlias = Literal[
    "-created_at",
    "created_at",
]
"""Order of an export of gift card and loyalty card transactions; a dash means descending."""

TransactionExportField: TypeAlias = Literal[
    "id",
    "campaign_id",
    "voucher_id",
    "type",
    "source_id",
    "reason",
    "source",
    "balance",
    "amount",
    "related_transaction_id",
    "created_at",
    "details",
]
"""Column of an export of gift card and loyalty card transactions."""

__all__ = [
    "CustomerExportField",
    "CustomerExportOrder",
    "OrderExportField",
    "OrderExportOrder",
    "PointsExpirationExportField",
    "PointsExpirationExportOrder",
    "PublicationExportField",
    "PublicationExportOrder",
    "RedemptionExportField",
    "RedemptionExportOrder",
    "TransactionExportField",
    "TransactionExportOrder",
    "VoucherExportField",
    "VoucherExportOrder",
]
