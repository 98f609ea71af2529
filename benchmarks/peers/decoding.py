"""Bytes to models: each peer gives a function for each kind of answer that it reads.

The kinds are `voucher`, `page` (of 100 vouchers) and `validation` (of 10 redeemables).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

Decode = Callable[[bytes], object]
Decoders = dict[str, Decode]


def ours() -> Decoders:
    """Strict values, aware datetimes, unknown keys kept."""
    import orjson

    from voucherify_async import Voucher, from_dict

    def validation(data: bytes) -> object:
        # Late: an earlier state of the library that is measured beside may not have it.
        from voucherify_async import Validation

        return from_dict(Validation, orjson.loads(data))

    return {
        "voucher": lambda data: from_dict(Voucher, orjson.loads(data)),
        "page": lambda data: [from_dict(Voucher, item) for item in orjson.loads(data)["vouchers"]],
        "validation": validation,
    }


def sdk() -> Decoders:
    """The official SDK's own models, by the method that its calls use."""
    from . import sdk as official

    client = official.api("http://localhost").api_client

    def decoder(model: str) -> Decode:
        return lambda data: client.deserialize(data.decode(), model, "application/json")

    return {
        "voucher": decoder("VouchersGetResponseBody"),
        "page": decoder("VouchersListResponseBody"),
        "validation": decoder("ValidationsValidateResponseBody"),
    }


def stock_cattrs() -> Decoders:
    """The converter that cattrs makes for orjson, into plain attrs classes."""
    import orjson
    from cattrs.preconf.orjson import make_converter

    from .plain_models import Page, Voucher

    structure = make_converter().structure
    return {
        "voucher": lambda data: structure(orjson.loads(data), Voucher),
        "page": lambda data: structure(orjson.loads(data), Page),
    }


def msgspec_attrs() -> Decoders:
    """Into the same attrs classes, by msgspec."""
    from .plain_models import Page, Voucher

    return _msgspec(Voucher, Page)


def msgspec_structs() -> Decoders:
    """Into structs of its own, by msgspec."""
    from .plain_models import Page, Voucher, struct

    return _msgspec(struct(Voucher), struct(Page))


def _msgspec(voucher: Any, page: Any) -> Decoders:
    import msgspec

    return {
        "voucher": msgspec.json.Decoder(voucher).decode,
        "page": msgspec.json.Decoder(page).decode,
    }


def only_orjson() -> Decoders:
    """No models at all."""
    import orjson

    return dict.fromkeys(("voucher", "page", "validation"), orjson.loads)


def only_json() -> Decoders:
    """No models at all, by the standard library."""
    loads: Callable[[Any], object] = json.loads
    return dict.fromkeys(("voucher", "page", "validation"), loads)
