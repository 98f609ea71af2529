"""The models: one module a noun, loaded when one of its names is first asked for."""

# ruff: noqa: F403 - each module says by its `__all__` what it shows.

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._index import MODULES

if TYPE_CHECKING:
    from ._base import Model as Model
    from .applicability import *
    from .async_actions import *
    from .campaigns import *
    from .customers import *
    from .discounts import *
    from .export_fields import *
    from .export_requests import *
    from .exports import *
    from .filters import *
    from .oauth import *
    from .orders import *
    from .products import *
    from .promotions import *
    from .publications import *
    from .qualifications import *
    from .redeemables import *
    from .redemptions import *
    from .references import *
    from .rewards import *
    from .transactions import *
    from .validations import *
    from .validity import *
    from .voucher_imports import *
    from .voucher_requests import *
    from .vouchers import *
else:
    __all__ = sorted(MODULES)  # noqa: PLE0605 - a list it is

    # Type checkers, if they saw it, would take any misspelt name for one that exists.
    def __getattr__(name: str) -> Any:
        # A service that reads vouchers never makes the classes of an export request.
        if name not in MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        module = import_module(f".{MODULES[name]}", __name__)
        return globals().setdefault(name, getattr(module, name))

    def __dir__() -> list[str]:
        return __all__
