"""Every operation of the embedded server by the official Python SDK.

A process of its own, since importing the SDK takes seconds: `python_operations.py URL FOLDER`
prints what each operation gave, as one JSON object. The SDK's own models parse each answer.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

# Not an import statement: type checkers need not have it.
sdk: Any = import_module("voucherify")
CODE = "SDK-GIFT"


def main(url: str, folder: Path) -> dict[str, Any]:
    """Call every operation and return what is to be looked at."""
    keys = {"X-App-Id": "id", "X-App-Token": "token"}
    with sdk.ApiClient(sdk.Configuration(host=url, api_key=keys)) as client:
        return {
            "vouchers": vouchers(sdk.VouchersApi(client)),
            "imports": imports(client, folder),
            "exports": exports(client),
            "checkout": checkout(client),
            "orders": orders(sdk.OrdersApi(client)),
            "refused": refused(sdk.VouchersApi(client)),
        }


def vouchers(api: Any) -> dict[str, Any]:
    """Create, generate, read, list, change, switch, delete; balances and transactions."""
    gift = sdk.Gift(amount=10_000, balance=0)
    gift.balance = None  # as a typed body sends what it was not given
    body = sdk.VouchersCreateWithSpecificCodeRequestBody(type="GIFT_VOUCHER", gift=gift)
    made = api.create_voucher(code=CODE, vouchers_create_with_specific_code_request_body=body)
    discount = sdk.Discount.from_dict({"type": "AMOUNT", "amount_off": 500})
    random = api.generate_random_code(
        vouchers_create_request_body=sdk.VouchersCreateRequestBody(
            type="DISCOUNT_VOUCHER",
            discount=discount,
            code_config=sdk.CodeConfig(length=6, prefix="R-"),
        )
    )
    changed = api.update_voucher(
        code=CODE,
        vouchers_update_request_body=sdk.VouchersUpdateRequestBody(metadata={"season": "winter"}),
    )
    balance = api.update_voucher_balance(
        code=CODE,
        vouchers_balance_update_request_body=sdk.VouchersBalanceUpdateRequestBody(
            amount=500, source_id="s-1", reason="thanks"
        ),
    )
    history = api.list_voucher_transactions(code=CODE, limit=10)
    listed = api.list_vouchers(limit=10, order="-created_at")
    switched = [api.disable_voucher(code=CODE).active, api.enable_voucher(code=CODE).active]
    api.delete_voucher(code=random.code, force=True)
    return {
        "made": [made.code, made.gift.amount, made.gift.balance],
        "random": random.code[:2],
        "read": api.get_voucher(code=CODE).code,
        "changed": changed.metadata,
        "balance": [balance.amount, balance.balance],
        "history": [entry.source_id for entry in history.data],
        "listed": [listed.total, len(listed.vouchers)],
        "switched": switched,
    }


def imports(client: Any, folder: Path) -> dict[str, Any]:
    """Import by JSON and by CSV, change in bulk, read the jobs."""
    api, actions = sdk.VouchersApi(client), sdk.AsyncActionsApi(client)
    item = sdk.VouchersImportCreateItemRequestBody(
        code="SDK-1", type="GIFT_VOUCHER", gift=sdk.Gift(amount=100, balance=100)
    )
    started = [api.import_vouchers(vouchers_import_create_item_request_body=[item])]
    file = folder / "vouchers.csv"
    file.write_text("Code,Voucher Type,Value\nSDK-2,GIFT_VOUCHER,100\n")
    started.append(api.import_vouchers_using_csv(file=str(file)))
    started.append(
        api.update_vouchers_in_bulk(
            vouchers_update_in_bulk_item_request_body=[
                sdk.VouchersUpdateInBulkItemRequestBody(code="SDK-1", metadata={"a": 1})
            ]
        )
    )
    started.append(
        api.update_vouchers_metadata_in_bulk(
            vouchers_metadata_update_in_bulk_request_body=(
                sdk.VouchersMetadataUpdateInBulkRequestBody(codes=["SDK-1"], metadata={"b": 2})
            )
        )
    )
    ends = [actions.get_async_action(async_action_id=job.async_action_id) for job in started]
    listed = actions.list_async_actions(limit=10)
    return {
        "ends": [end.status for end in ends],
        "listed": len(listed.async_actions),
        "metadata": api.get_voucher(code="SDK-1").metadata,
    }


def exports(client: Any) -> dict[str, Any]:
    """Order, read, list, download and delete exports."""
    api = sdk.ExportsApi(client)
    body = sdk.ExportsCreateRequestBody.from_dict(
        {"exported_object": "voucher", "parameters": {"fields": ["code"]}}
    )
    made = api.create_export(exports_create_request_body=body)
    # The model that the SDK has for this answer takes codes of one character at the most.
    started = sdk.VouchersApi(client).export_voucher_transactions_without_preload_content(code=CODE)
    history = json.loads(started.data)
    read = api.get_export(export_id=made.id)
    listed = api.list_exports(limit=10)
    api.delete_export(export_id=history["id"])
    return {
        "status": read.status,
        "url": bool(read.result.url),
        "listed": listed.total,
        "left": api.list_exports(limit=10).total,
    }


def checkout(client: Any) -> dict[str, Any]:
    """Validate with a lock, release, redeem, read back, roll back, qualify."""
    validations, redemptions = sdk.ValidationsApi(client), sdk.RedemptionsApi(client)
    items = [
        {"object": "voucher", "id": CODE, "gift": {"credits": 300}},
        {"object": "promotion_tier", "id": "promo_1"},
    ]
    common: dict[str, Any] = {
        "redeemables": items,
        "order": {"source_id": "sdk-order", "items": [{"quantity": 2, "price": 1000}]},
        "customer": {"source_id": "sdk-customer", "name": "Sam"},
    }
    lock = {"type": "LOCK", "key": "sdk-lock"}
    quote = validations.validate_stacked_discounts(
        validations_validate_request_body=sdk.ValidationsValidateRequestBody.from_dict(
            {**common, "session": lock}
        )
    )
    sdk.VouchersApi(client).release_validation_session(code=CODE, session_key="sdk-lock")
    paid = redemptions.redeem_stacked_discounts(
        redemptions_redeem_request_body=sdk.RedemptionsRedeemRequestBody.from_dict(common)
    )
    parent = paid.parent_redemption
    read = redemptions.get_redemption(redemption_id=parent.id)
    back = redemptions.rollback_stacked_redemptions(parent_redemption_id=parent.id)
    single = redemptions.redeem_stacked_discounts(
        redemptions_redeem_request_body=sdk.RedemptionsRedeemRequestBody.from_dict(
            {**common, "redeemables": items[:1], "order": {"amount": 1000}}
        )
    ).redemptions[0]
    one = redemptions.rollback_redemption(redemption_id=single.id, reason="refund")
    found = sdk.QualificationsApi(client).check_eligibility(
        qualifications_check_eligibility_request_body=(
            sdk.QualificationsCheckEligibilityRequestBody.from_dict({"order": {"amount": 1000}})
        )
    )
    return {
        "quote": [quote.valid, quote.order.total_amount, quote.session.key],
        "paid": [paid.order.total_amount, [item.result for item in paid.redemptions]],
        "stacked": len(paid.order.redemptions[parent.id]["stacked"]),
        "read": read.actual_instance.id == parent.id if hasattr(read, "actual_instance") else True,
        "back": [len(back.rollbacks), back.order.total_amount],
        "one": [one.reason, one.amount],
        "of_voucher": redemptions.get_voucher_redemptions(code=CODE).total,
        "listed": redemptions.list_redemptions(limit=100).total,
        "found": len(found.redeemables.data) > 0,
    }


def orders(api: Any) -> dict[str, Any]:
    """Create, read, change, list, import and export orders."""
    body = sdk.OrdersCreateRequestBody.from_dict(
        {"source_id": "sdk-o", "amount": 500, "customer": {"source_id": "sdk-customer"}}
    )
    made = api.create_order(orders_create_request_body=body)
    paid = api.update_order(
        order_id=made.id,
        orders_update_request_body=sdk.OrdersUpdateRequestBody.from_dict({"status": "PAID"}),
    )
    item = sdk.OrdersImportCreateRequestBodyItem.from_dict({"source_id": "sdk-p", "amount": 1})
    started = api.import_orders(orders_import_create_request_body_item=[item])
    export = api.create_order_export(
        orders_export_create_request_body=sdk.OrdersExportCreateRequestBody.from_dict({})
    )
    return {
        "made": [made.source_id, made.total_amount],
        "read": api.get_order(order_id="sdk-o").id == made.id,
        "paid": paid.status,
        "listed": api.list_orders(limit=10).total,
        "started": bool(started.async_action_id),
        "export": export.exported_object,
    }


def refused(api: Any) -> dict[str, Any]:
    """What the SDK makes of an error."""
    try:
        api.get_voucher(code="NONE")
    except sdk.ApiException as error:
        return {"status": error.status, "key": json.loads(error.body)["key"]}
    return {}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(sys.argv[1], Path(sys.argv[2]))))
