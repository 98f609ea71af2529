"""Everything that the embedded server remembers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

from .._checkout.sessions import Locks
from .._checkout.stacking import default_rules
from .actions import ActionStore
from .card_history import CardHistory
from .catalog import Catalog
from .customers import CustomerStore
from .events import EventLog
from .exports import ExportStore
from .ids import Ids
from .orders import OrderStore
from .promotions import PromotionStore
from .redemptions import RedemptionStore
from .request_quota import RequestQuota
from .server_time import ServerTime
from .stored_voucher import StoredVoucher
from .tokens import TokenStore
from .voucher_store import VoucherStore


class State:
    """The state of one embedded server. Handlers run under ``lock``, one at a time."""

    def __init__(self, now: Callable[[], datetime], seed: int) -> None:
        self.lock: threading.RLock = threading.RLock()
        self.clock: ServerTime = ServerTime(now)
        self.ids: Ids = Ids(seed)
        self.catalog: Catalog = Catalog(self.ids)
        # Ids of their own, so that those of what happens are the same with and without events.
        self.events: EventLog = EventLog(Ids(seed), self.clock)
        self.customers: CustomerStore = CustomerStore(self.ids, self.clock)
        self.vouchers: VoucherStore = VoucherStore()
        self.bin: dict[str, StoredVoucher] = {}
        self.locks: Locks = Locks()
        self.promotions: PromotionStore = PromotionStore()
        self.orders: OrderStore = OrderStore(self.ids, self.clock)
        self.redemptions: RedemptionStore = RedemptionStore()
        self.stacking_rules: dict[str, Any] = default_rules()
        self.failed_redemption_status = 400
        self.ledger: CardHistory = CardHistory(self.ids, self.clock)
        self.actions: ActionStore = ActionStore(self.ids, self.clock)
        self.exports: ExportStore = ExportStore(self.ids, self.clock)
        self.tokens: TokenStore = TokenStore(self.ids, self.clock)
        self.quota: RequestQuota = RequestQuota(self.clock)
        self.inclusive_dates = False
        self.page_size = 10
        self.campaign_capacity = 100_000
        self.polls_until_done = 2
