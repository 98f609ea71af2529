"""What is refused before anything is sent."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import anyio
import pytest

import voucherify_async as v
from voucherify_async import AsyncVoucherify, InvalidArgumentError

from .support import Wire

pytestmark = [pytest.mark.anyio, pytest.mark.sampled(ways=1)]

NAIVE = datetime(2025, 1, 1)  # noqa: DTZ001 - this is what is refused
BIG = "x" * (10 * 1024 * 1024)
ENDLESS: dict[str, Any] = {}
ENDLESS["self"] = ENDLESS

Call = Callable[[AsyncVoucherify, Any], Any]

BY_CODE: dict[str, Call] = {
    "get": lambda c, code: c.vouchers.get(code),
    "create": lambda c, code: c.vouchers.create(code, {}),
    "update": lambda c, code: c.vouchers.update(code, {}),
    "delete": lambda c, code: c.vouchers.delete(code),
    "enable": lambda c, code: c.vouchers.enable(code),
    "disable": lambda c, code: c.vouchers.disable(code),
    "update_balance": lambda c, code: c.vouchers.update_balance(code, 1),
    "release_session code": lambda c, code: c.vouchers.release_session(code, "key"),
    "release_session key": lambda c, code: c.vouchers.release_session("A", code),
    "transactions.list": lambda c, code: c.transactions.list(code),
    "transactions.find": lambda c, code: c.transactions.find(code, source_id="s"),
    "transactions.export": lambda c, code: c.transactions.export(code),
    "vouchers_to_campaign": lambda c, code: c.imports.vouchers_to_campaign(code, [{}]),
    "csv_to_campaign": lambda c, code: c.imports.csv_to_campaign(code, b"Code\nA\n"),
    "async_actions.get": lambda c, code: c.async_actions.get(code),
    "async_actions.wait": lambda c, code: c.async_actions.wait(code),
    "exports.get": lambda c, code: c.exports.get(code),
    "exports.delete": lambda c, code: c.exports.delete(code),
    "exports.wait": lambda c, code: c.exports.wait(code),
}
BAD_CODES: list[Any] = ["", "  ", "\n", ".", "..", None, 7, b"A", ["A"], "\ud800", "x" * 70_000]

LISTINGS: dict[str, Callable[..., Any]] = {
    "vouchers": lambda c, **options: c.vouchers.list(**options),
    "transactions": lambda c, **options: c.transactions.list("A", **options),
    "async_actions": lambda c, **options: c.async_actions.list(**options),
    "exports": lambda c, **options: c.exports.list(**options),
}

BAD: dict[str, Callable[[AsyncVoucherify], Any]] = {
    "page 0": lambda c: c.vouchers.list(page=0),
    "page 100": lambda c: c.vouchers.list(page=100),
    "page None": lambda c: c.vouchers.list(page=None),  # type: ignore[arg-type]
    "exports page 101": lambda c: c.exports.list(page=101),
    "ids empty": lambda c: c.vouchers.list(ids=[]),
    "ids a text": lambda c: c.vouchers.list(ids="v_1"),
    "ids with an empty one": lambda c: c.vouchers.list(ids=["v_1", ""]),
    "ids with None": lambda c: c.vouchers.list(ids=["v_1", None]),  # type: ignore[list-item]
    "too many ids": lambda c: c.vouchers.list(ids=[f"v_{i:030}" for i in range(2000)]),
    "naive created_at": lambda c: c.vouchers.list(created_at={"before": NAIVE}),
    "naive updated_at": lambda c: c.vouchers.list(updated_at=v.TimeRange(after=NAIVE)),
    "naive end_date": lambda c: c.async_actions.list(end_date=NAIVE),
    "naive filter": lambda c: c.vouchers.list(filters={"a": {"conditions": {"$is": [NAIVE]}}}),
    "text that is none": lambda c: c.vouchers.list(category="\ud800"),
    "naive in a model": lambda c: c.vouchers.update("A", v.VoucherUpdate(start_date=NAIVE)),
    "naive in a mapping": lambda c: c.vouchers.update("A", {"metadata": {"at": [NAIVE]}}),
    "naive in an import": lambda c: c.imports.vouchers([{"start_date": NAIVE}]),
    "body over 10 MB": lambda c: c.vouchers.update("A", {"additional_info": BIG}),
    "import over 10 MB": lambda c: c.imports.vouchers([{"code": "A", "additional_info": BIG}]),
    "body that contains itself": lambda c: c.vouchers.update("A", ENDLESS),
    "created body that contains itself": lambda c: c.vouchers.create("A", ENDLESS),
    "body None": lambda c: c.vouchers.update("A", None),  # type: ignore[arg-type]
    "body a text": lambda c: c.vouchers.generate("A"),  # type: ignore[arg-type]
    "body of nothing": lambda c: c.vouchers.generate({}),
    "body a list": lambda c: c.exports.create([]),  # type: ignore[arg-type]
    "created body a text": lambda c: c.vouchers.create("A", "B"),  # type: ignore[arg-type]
    "bytes in a body": lambda c: c.vouchers.update("A", {"a": b"b"}),
    "object in a body": lambda c: c.vouchers.update("A", {"a": {"b": [object()]}}),
    "UNSET in a list": lambda c: c.vouchers.update("A", {"a": [v.UNSET]}),
    "number as a key": lambda c: c.vouchers.update("A", {"a": {1: 2}}),
    "number without end": lambda c: c.vouchers.update("A", {"a": 10**5000}),
    "a percentage that is no number": lambda c: c.vouchers.update(
        "A", v.VoucherUpdate(discount=v.PercentDiscount(percent_off=float("nan")))
    ),
    "half a character": lambda c: c.vouchers.update("A", {"a": "\ud800"}),
    "another code": lambda c: c.vouchers.create("A", {"code": "B"}),
    "another code in a model": lambda c: c.vouchers.create(
        "A", v.GiftVoucherCreate(code="a", gift=v.Gift(amount=1))
    ),
    "code_config": lambda c: c.vouchers.create("A", {"code_config": {"length": 5}}),
    "amount 0": lambda c: c.vouchers.update_balance("A", 0),
    "amount 1.5": lambda c: c.vouchers.update_balance("A", 1.5),  # type: ignore[arg-type]
    "amount 1.0": lambda c: c.vouchers.update_balance("A", 1.0),  # type: ignore[arg-type]
    "amount True": lambda c: c.vouchers.update_balance("A", True),
    "amount text": lambda c: c.vouchers.update_balance("A", "5"),  # type: ignore[arg-type]
    "empty source_id": lambda c: c.vouchers.update_balance("A", 5, source_id=" "),
    "reason of a number": lambda c: c.vouchers.update_balance("A", 5, reason=1),  # type: ignore[arg-type]
    "no items": lambda c: c.imports.vouchers([]),
    "no items of a generator": lambda c: c.imports.vouchers(iter(())),
    "items a mapping": lambda c: c.imports.vouchers({"code": "A"}),  # type: ignore[dict-item]
    "no items in bulk": lambda c: c.vouchers.update_in_bulk([]),
    "no codes": lambda c: c.vouchers.update_metadata_in_bulk([], {}),
    "codes a text": lambda c: c.vouchers.update_metadata_in_bulk("AB", {}),
    "csv empty": lambda c: c.imports.csv(b" \n"),
    "csv of one long line": lambda c: c.imports.csv(BIG.encode()),
    "csv opened as text": lambda c: c.imports.csv(io.StringIO("Code")),  # type: ignore[arg-type]
    "csv no file": lambda c: c.imports.csv(5),  # type: ignore[arg-type]
    "timeout 0": lambda c: c.vouchers.get("A", timeout=0),
    "timeout below 0": lambda c: c.vouchers.list(timeout=-1),
    "wait timeout": lambda c: c.async_actions.wait("aa_1", timeout=-1),
    "download of nothing": lambda c: c.exports.download(
        v.Export(id="e", status="SCHEDULED"), "file"
    ),
}


async def refused(wire: Wire, call: Callable[[AsyncVoucherify], Any]) -> str:
    """Make a call that has to be refused at once; return what is said."""
    with pytest.raises(InvalidArgumentError) as caught:
        await call(wire.client())
    assert isinstance(caught.value, ValueError)
    assert wire.requests == []
    return str(caught.value)


@pytest.mark.parametrize("call", BY_CODE.values(), ids=BY_CODE.keys())
async def test_codes_that_would_address_something_else(call: Call) -> None:
    """An empty code, a dot segment and what is no text never reach the wire."""
    for code in BAD_CODES:
        await refused(Wire(), lambda client, code=code: call(client, code))  # type: ignore[misc]


@pytest.mark.parametrize("listing", LISTINGS.values(), ids=LISTINGS.keys())
@pytest.mark.parametrize(
    "options",
    [
        {"limit": 0},
        {"limit": 101},
        {"limit": True},
        {"limit": "10"},
        {"limit": None},
        {"max_items": -1},
        {"max_items": 1.5},
        {"prefetch": -1},
        {"prefetch": True},
        {"prefetch": None},
    ],
    ids=str,
)
async def test_bounds_of_listings(listing: Callable[..., Any], options: dict[str, Any]) -> None:
    """A listing refuses bounds that make no sense at the line that asks for it."""
    wire = Wire()
    with pytest.raises(InvalidArgumentError, match=next(iter(options))):
        listing(wire.client(), **options)
    assert wire.requests == []


@pytest.mark.parametrize("call", BAD.values(), ids=BAD.keys())
async def test_bad_arguments(call: Callable[[AsyncVoucherify], Any]) -> None:
    """An argument that the API would refuse or misread raises before anything is sent."""
    assert await refused(Wire(), call)


@pytest.mark.parametrize("listing", LISTINGS.values(), ids=LISTINGS.keys())
async def test_misspelt_arguments(listing: Callable[..., Any]) -> None:
    """A misspelt filter raises, where leaving it out would list everything."""
    wire = Wire()
    with pytest.raises(TypeError, match="categry"):
        listing(wire.client(), categry="summer")
    with pytest.raises(TypeError, match="timeot"):
        await wire.client().vouchers.get("A", timeot=5)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="timeot"):
        await wire.client().request("GET", "/v1/x", timeot=5)  # type: ignore[call-arg]
    assert wire.requests == []


async def test_messages_say_where() -> None:
    """A refusal names the place in the body."""
    message = await refused(
        Wire(), lambda c: c.imports.vouchers([{"code": "A"}, {"metadata": {"at": [NAIVE]}}])
    )
    assert message.startswith("body[1].metadata.at[0]: expected a datetime with a time zone")


async def test_csv_file_that_cannot_be_read(tmp_path: Path) -> None:
    """A missing file is the caller's OSError, and an async file is refused without being read."""
    wire = Wire()
    with pytest.raises(FileNotFoundError):
        await wire.client().imports.csv(tmp_path / "missing.csv")
    (tmp_path / "codes.csv").write_bytes(b"Code\nA\n")
    async with await anyio.open_file(tmp_path / "codes.csv", "rb") as file:
        given: Any = file
        assert "AsyncFile" in await refused(wire, lambda c: c.imports.csv(given))


async def test_download_that_is_not_ready() -> None:
    """An export that is still being written has no file to download."""
    wire = Wire({"id": "exp_1", "status": "IN_PROGRESS", "result": None})
    with pytest.raises(InvalidArgumentError, match=r"exp_1 has no file \(status: IN_PROGRESS\)"):
        await wire.client().exports.download("exp_1", "file")
