"""The namespaces of the client, one module each: a method names a route, sends and structures."""

from .async_actions import AsyncActions
from .exports import Exports
from .imports import Imports
from .orders import Orders
from .qualifications import Qualifications
from .redemptions import Redemptions
from .transactions import Transactions
from .validations import Validations
from .vouchers import Vouchers

__all__ = [
    "AsyncActions",
    "Exports",
    "Imports",
    "Orders",
    "Qualifications",
    "Redemptions",
    "Transactions",
    "Validations",
    "Vouchers",
]
