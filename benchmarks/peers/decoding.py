"""Bytes to models: each peer gives a function for one voucher and one for a page of 100."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

Decode = Callable[[bytes], object]


def ours() -> tuple[Decode, Decode]:
    """Strict values, aware datetimes, unknown keys kept."""
    import orjson

    from voucherify_async import Voucher, from_dict

    return (
        lambda data: from_dict(Voucher, orjson.loads(data)),
        lambda data: [from_dict(Voucher, item) for item in orjson.loads(data)["vouchers"]],
    )


def sdk() -> tuple[Decode, Decode]:
    """The official SDK's own models, by the method that its calls use."""
    from . import sdk as official

    client = official.api("http://localhost").api_client

    def decoder(model: str) -> Decode:
        return lambda data: client.deserialize(data.decode(), model, "application/json")

    return decoder("VouchersGetResponseBody"), decoder("VouchersListResponseBody")


def stock_cattrs() -> tuple[Decode, Decode]:
    """The converter that cattrs makes for orjson, into plain attrs classes."""
    import orjson
    from cattrs.preconf.orjson import make_converter

    from .plain_models import Page, Voucher

    structure = make_converter().structure
    return (
        lambda data: structure(orjson.loads(data), Voucher),
        lambda data: structure(orjson.loads(data), Page),
    )


def msgspec_attrs() -> tuple[Decode, Decode]:
    """Into the same attrs classes, by msgspec."""
    import msgspec

    from .plain_models import Page, Voucher

    return msgspec.json.Decoder(Voucher).decode, msgspec.json.Decoder(Page).decode


def msgspec_structs() -> tuple[Decode, Decode]:
    """Into structs of its own, by msgspec."""
    import msgspec

    from .plain_models import Page, Voucher, struct

    return msgspec.json.Decoder(struct(Voucher)).decode, msgspec.json.Decoder(struct(Page)).decode


def only_orjson() -> tuple[Decode, Decode]:
    """No models at all."""
    import orjson

    return orjson.loads, orjson.loads


def only_json() -> tuple[Decode, Decode]:
    """No models at all, by the standard library."""
    loads: Callable[[Any], object] = json.loads
    return loads, loads
