"""The namespaces of the client, one module each: a method names a route, sends and structures."""

from .async_actions import AsyncActions
from .exports import Exports
from .imports import Imports
from .transactions import Transactions
from .vouchers import Vouchers

__all__ = ["AsyncActions", "Exports", "Imports", "Transactions", "Vouchers"]
