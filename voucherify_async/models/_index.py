"""Which module holds which name, so that asking for one loads no other.

Written by `python -m tests.models.index` from each module's `__all__`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_NAMES: Final = {
    "_base": "Model",
    "applicability": """
        ApplicableEffect ApplicableTarget ApplicableTo ApplicableToList
        ApplicableUnits
    """,
    "async_actions": """
        AsyncAction AsyncActionAccepted AsyncActionFailure AsyncActionItemError
        AsyncActionItemResult AsyncActionResult AsyncActionStatus AsyncActionType
        OperationStatus
    """,
    "campaigns": """
        Campaign CampaignArea CampaignAreas CampaignCodeConfig CampaignGrowth
        CampaignLoyaltyCard CampaignPromotion CampaignType CampaignVoucher
        GenerationStatus LoyaltyTierEnd LoyaltyTierRounding LoyaltyTierStart
        LoyaltyTiersExpiration PointsExpirationRules RefereeReward
        RefereeRewardSource ReferralProgram
    """,
    "customers": "Customer CustomerAddress",
    "discounts": """
        AmountDiscount AmountEffect Discount DiscountItem DiscountedUnit
        FixedDiscount FixedEffect MultipleUnitDiscount PercentDiscount
        PercentEffect UnitDiscount UnitEffect UnknownDiscount
    """,
    "export_fields": """
        CustomerExportField CustomerExportOrder OrderExportField OrderExportOrder
        PointsExpirationExportField PointsExpirationExportOrder
        PublicationExportField PublicationExportOrder RedemptionExportField
        RedemptionExportOrder TransactionExportField TransactionExportOrder
        VoucherExportField VoucherExportOrder
    """,
    "export_requests": """
        CustomerExportCreate CustomerExportParameters ExportCreate
        OrderExportCreate OrderExportParameters PointsExpirationExportCreate
        PointsExpirationExportParameters PublicationExportCreate
        PublicationExportParameters RedemptionExportCreate
        RedemptionExportParameters TransactionExportCreate
        TransactionExportParameters VoucherExportCreate VoucherExportParameters
    """,
    "exports": """
        Export ExportFilters ExportOrder ExportParameters ExportResult ExportStatus
        ExportedObject
    """,
    "filters": "FieldConditions FilterConditions FilterOperand Junction",
    "oauth": "OAuthToken",
    "orders": """
        Order OrderItem OrderItemApplication OrderItemKind OrderListOrder
        OrderRedemption OrderStatus OrderedProduct OrderedSku
    """,
    "products": "Product ProductSkus Sku",
    "promotions": """
        PromotionAction PromotionCampaign PromotionOrders PromotionRedemptions
        PromotionSummary PromotionTier
    """,
    "publications": "Publication PublicationOutcome",
    "qualifications": """
        Qualification QualificationExpansion QualificationFilters
        QualificationOptions QualificationScenario QualificationSorting
        QualifiedRedeemable QualifiedRedeemables
    """,
    "redeemables": """
        AnsweredRedeemable Bundle BundleItem ErrorMessage GiftSpend PointsTransfer
        Redeemable RedeemableDetails RedeemableError RedeemableGift RedeemableKind
        RedeemableLoyaltyCard RedeemableResult RedeemableStatus RewardSpend
        ValidatedRedeemable
    """,
    "redemptions": """
        RedeemedGift RedeemedLoyaltyCard Redemption RedemptionChannel
        RedemptionEntry RedemptionListOrder RedemptionOutcome RedemptionResult
        RedemptionRollback RedemptionStatus RelatedRedemption RelatedRedemptions
        RollbackOrderMode StackRollback UnknownRedemption VoucherRedemptions
    """,
    "references": "NamedReference Reference RelatedObject",
    "rewards": """
        RedeemedReward RewardCampaign RewardCoin RewardParameters RewardProduct
        RewardType
    """,
    "transactions": """
        EarningRuleReference EarningRuleSource EventCategory EventChannel
        EventReference EventSource EventSourceApiKey LoyaltyPendingPoints
        OrderReference PendingPointsDetails PendingPointsEvent TransactionBalance
        TransactionDetails TransactionOrder TransactionType VoucherTransaction
    """,
    "validations": """
        CheckoutExpansion CheckoutOptions SessionTimeUnit StackingRules Validation
        ValidationSession
    """,
    "validity": "DailyHours ValidityHours ValidityTimeframe",
    "voucher_imports": """
        CampaignImport CampaignVoucherImport DiscountVoucherImport
        GiftVoucherImport ImportedRedemption LoyaltyCardImport VoucherImport
    """,
    "voucher_requests": """
        CodeConfig DiscountVoucherCreate GiftVoucherCreate LoyaltyCardCreate
        RedemptionLimit TimeRange VoucherCreate VoucherMetadataUpdate VoucherUpdate
    """,
    "vouchers": """
        BalanceUpdate CardType Category Gift GiftEffect LoyaltyCard OperationType
        ValidationRuleAssignment ValidationRuleAssignments ValidationStatus Voucher
        VoucherAsset VoucherAssets VoucherOrder VoucherPublications
        VoucherRedemption VoucherType
    """,
}
MODULES: Final[Mapping[str, str]] = {
    name: module for module, names in _NAMES.items() for name in names.split()
}
"""The module of each model, by the model's name."""
