"""Bytes to models, as often as fit into the time."""

from __future__ import annotations

import time

from .. import payloads
from ..peers import decoding
from .meter import Meter, Sample


def load(peer: str, *, page: bool, seconds: float) -> Sample:
    """Decode one voucher, or a page of 100, for so long."""
    one, many = getattr(decoding, peer)()
    decode, data = (many, payloads.page_bytes()) if page else (one, payloads.voucher_bytes())
    batch = 1 if page else 100
    for _ in range(batch):
        decode(data)
    done, ends_at = 0, time.perf_counter() + seconds
    meter = Meter()
    while time.perf_counter() < ends_at:
        for _ in range(batch):
            decode(data)
        done += batch
    return meter.sample(done)
