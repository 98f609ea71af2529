"""An async client for the Voucherify API: small, typed, fast, and careful with money."""

# Whole modules are re-exported by their own lists of names.
# ruff: noqa: F403

from importlib import import_module
from typing import TYPE_CHECKING

from . import models as models
from ._calls.hooks import Hooks as Hooks
from ._calls.hooks import RequestEvent as RequestEvent
from ._calls.hooks import ResponseEvent as ResponseEvent
from ._calls.hooks import RetryEvent as RetryEvent
from ._calls.hooks import WaitEvent as WaitEvent
from ._calls.quota_store import QuotaStore as QuotaStore
from ._clock import Clock as Clock
from ._protocol.quota_decisions import QuotaGrant as QuotaGrant
from ._protocol.quota_decisions import QuotaRequest as QuotaRequest
from ._protocol.rate_limits import RateLimit as RateLimit
from ._protocol.retry import RetryPolicy as RetryPolicy
from ._unset import UNSET as UNSET
from ._unset import Unset as Unset
from ._version import __version__ as __version__
from .auth import ApiKeyAuth as ApiKeyAuth
from .auth import Auth as Auth
from .auth import BearerAuth as BearerAuth
from .auth import OAuthClientCredentials as OAuthClientCredentials
from .client import AsyncVoucherify as AsyncVoucherify
from .client import RawResponse as RawResponse
from .errors import *

if TYPE_CHECKING:
    from ._bulk.combined_jobs import CombinedJob as CombinedJob
    from ._bulk.import_stream import ImportStream as ImportStream
    from ._bulk.lookups import FailedLookup as FailedLookup
    from ._bulk.lookups import FoundVoucher as FoundVoucher
    from ._bulk.lookups import VoucherLookup as VoucherLookup
    from ._bulk.lookups import VoucherLookups as VoucherLookups
    from ._bulk.reports import ImportFailure as ImportFailure
    from ._bulk.reports import ImportReport as ImportReport
    from ._bulk.reports import OpenImport as OpenImport
    from ._bulk.reports import ResumePoint as ResumePoint
    from ._bulk.resume_file import ResumeFile as ResumeFile
    from ._calls.redis_quota_store import RedisQuotaStore as RedisQuotaStore
    from ._conversion.converter import converter as converter
    from ._conversion.converter import from_dict as from_dict
    from ._conversion.converter import to_dict as to_dict
    from ._files.csv_upload import check_csv as check_csv
    from ._files.csv_writer import write_csv as write_csv
    from ._files.spreadsheets import escape_cell as escape_cell
    from ._recovery.settlement import Settled as Settled
    from .jobs import AsyncJob as AsyncJob
    from .jobs import ExportJob as ExportJob
    from .models import *
    from .pagination import AsyncPaginator as AsyncPaginator
    from .pagination import Page as Page
    from .resources._raw import RawAnswer as RawAnswer
else:
    # Loaded when they are first asked for: whoever needs an error's name does not need the models.
    _LATE = {
        "converter": "._conversion.converter",
        "from_dict": "._conversion.converter",
        "to_dict": "._conversion.converter",
        "FailedLookup": "._bulk.lookups",
        "FoundVoucher": "._bulk.lookups",
        "VoucherLookup": "._bulk.lookups",
        "VoucherLookups": "._bulk.lookups",
        "ImportFailure": "._bulk.reports",
        "ImportReport": "._bulk.reports",
        "OpenImport": "._bulk.reports",
        "ResumePoint": "._bulk.reports",
        "ImportStream": "._bulk.import_stream",
        "Settled": "._recovery.settlement",
        "AsyncJob": ".jobs",
        "CombinedJob": "._bulk.combined_jobs",
        "ResumeFile": "._bulk.resume_file",
        "check_csv": "._files.csv_upload",
        "write_csv": "._files.csv_writer",
        "escape_cell": "._files.spreadsheets",
        "ExportJob": ".jobs",
        "RedisQuotaStore": "._calls.redis_quota_store",
        "AsyncPaginator": ".pagination",
        "Page": ".pagination",
        "RawAnswer": ".resources._raw",
        **{name: f".models.{module}" for name, module in models.MODULES.items()},
    }

    _EARLY = [
        name
        for name, thing in globals().items()
        if getattr(thing, "__module__", "").startswith(f"{__name__}.")
    ]
    # All this is hidden from type checkers: they would take any misspelt name for one that exists.
    __all__ = sorted([*_EARLY, *_LATE])  # noqa: PLE0605 - a list it is

    def __getattr__(name: str) -> object:
        if name not in _LATE:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        module = import_module(_LATE[name], __name__)
        return globals().setdefault(name, getattr(module, name))

    def __dir__() -> list[str]:
        return __all__
