"""Bytes to models, as often as fit into the time."""

from __future__ import annotations

import time

from .. import checkout_payloads, payloads
from ..peers import decoding
from .meter import Meter, Sample

_DATA = {
    "voucher": payloads.voucher_bytes,
    "page": payloads.page_bytes,
    "validation": lambda: checkout_payloads.validation_bytes(10),
}


def load(peer: str, kind: str, seconds: float) -> Sample:
    """Decode an answer of that kind again and again, for so long."""
    decode, data = getattr(decoding, peer)()[kind], _DATA[kind]()
    batch = 100 if kind == "voucher" else 1
    for _ in range(batch):
        decode(data)
    done, ends_at = 0, time.perf_counter() + seconds
    meter = Meter()
    while time.perf_counter() < ends_at:
        for _ in range(batch):
            decode(data)
        done += batch
    return meter.sample(done)
