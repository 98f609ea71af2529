"""The project that the documentation's examples are about."""

from __future__ import annotations

from voucherify_async.testing import FakeVoucherify


def shop() -> FakeVoucherify:
    """An embedded Voucherify with what the examples name."""
    fake = FakeVoucherify(app_id="...", app_token="...")
    fake.polls_until_done = 0
    fake.add_campaign("Summer sale", id="camp_summer")
    percent = {"type": "PERCENT", "percent_off": 10}
    amount = {"type": "AMOUNT", "amount_off": 1000}
    fake.add_voucher({"code": "SUMMER-10", "discount": percent, "category": "summer"})
    fake.add_voucher({"code": "WELCOME", "discount": amount, "redemption": {"quantity": 1}})
    fake.add_voucher({"code": "EXPIRED", "discount": amount, "expiration_date": "2020-01-01"})
    fake.add_voucher({"code": "GIFT-100", "gift": {"amount": 10_000, "balance": 10_000}})
    fake.add_voucher({"code": "POINTS-1", "loyalty_card": {"points": 500, "balance": 500}})
    fake.add_customer({"source_id": "anna", "name": "Anna", "email": "anna@example.com"})
    fake.add_vouchers(
        {"code": f"SPRING-{n}", "discount": percent, "category": "spring"} for n in range(1, 251)
    )
    return fake
