"""Everything that the embedded server remembers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

from ._actions import ActionStore
from ._catalog import Catalog
from ._clock import Clock
from ._exports import ExportStore
from ._ids import Ids
from ._ledger import Ledger
from ._oauth import TokenStore
from ._quota import Quota
from ._store import VoucherStore
from ._voucher import Voucher


class State:
    """The state of one embedded server. Handlers run under ``lock``, one at a time."""

    def __init__(self, now: Callable[[], datetime], seed: int) -> None:
        self.lock = threading.RLock()
        self.clock = Clock(now)
        self.ids = Ids(seed)
        self.catalog = Catalog(self.ids)
        self.vouchers = VoucherStore()
        self.bin: dict[str, Voucher] = {}
        self.sessions: set[tuple[str, str]] = set()
        self.ledger = Ledger(self.ids, self.clock)
        self.actions = ActionStore(self.ids, self.clock)
        self.exports = ExportStore(self.ids, self.clock)
        self.tokens = TokenStore(self.ids, self.clock)
        self.quota = Quota(self.clock)
        self.inclusive_dates = False
        self.page_size = 10
        self.campaign_capacity = 100_000
        self.polls_until_done = 2
