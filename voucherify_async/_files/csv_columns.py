"""The columns of Voucherify's CSV imports.

Money in a cell is a whole number of minor currency units, as in JSON: 1050 is 10.50.
"""

from __future__ import annotations

from typing import Final

COLUMNS: Final = (
    "Code",
    "Voucher Type",
    "Value",
    "Discount Type",
    "Category",
    "Start Date",
    "Expiration Date",
    "Redemption Limit",
    "Redeemed Quantity",
    "Redeemed Amount",
    "Active",
    "Additional Info",
)
"""What `write_csv` writes; every other column of its files is a metadata key."""
_READ: Final = (
    *COLUMNS,
    "Gift Amount",
    "Loyalty Points",
    "Discount effect",
    "Formula",
    "Validation rule ID",
)
BY_LOWER: Final = {name.lower(): name for name in _READ}
# What the JSON import has no place for, and why that matters.
CSV_ONLY: Final = {
    "Redeemed Quantity": "what was used up would be there again",
    "Redeemed Amount": "what was spent would be on the card again",
    "Validation rule ID": "the voucher would be valid without its rule",
}
VALUE_KEYS: Final = {
    "AMOUNT": "amount_off",
    "PERCENT": "percent_off",
    "FIXED": "fixed_amount",
    "UNIT": "unit_off",
}
