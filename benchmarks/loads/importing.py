"""One big import: what encoding it costs, and how much memory it takes at its peak."""

from __future__ import annotations

import gc
import tracemalloc
from typing import TypedDict

from .. import payloads
from ..peers import importing
from .meter import Meter, peak_memory


class ImportCost(TypedDict):
    """What one import came to; memory in MB."""

    seconds: float
    cpu: float
    body: float
    models: float
    peak: float


def load(peer: str, url: str, count: int) -> ImportCost:
    """Make `count` models, send them, and send them again with every allocation traced.

    The peak is what the call itself takes on top of the models that it was given.
    """
    make = getattr(importing, peer)()
    send = importing.sender(peer, url)
    make(payloads.import_item(0))
    send([make(payloads.import_item(0))])
    gc.collect()
    before = peak_memory()
    items = [make(payloads.import_item(number)) for number in range(count)]
    models = peak_memory() - before
    meter = Meter()
    send(items)
    sample = meter.sample(count)
    tracemalloc.start()
    send(items)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    body = len(payloads.encode([payloads.import_item(number) for number in range(count)]))
    return {
        "seconds": sample["seconds"],
        "cpu": sample["cpu"],
        "body": body / 1e6,
        "models": models,
        "peak": peak / 1e6,
    }
