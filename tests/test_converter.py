"""The public converter: models and hooks of the user's own."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any, Generic, TypeVar

import pytest
from attrs import define, evolve, field, frozen

import voucherify_async as v
from voucherify_async import InvalidArgumentError, Model, ResponseValidationError

T = TypeVar("T")
EDGE = datetime.max.replace(tzinfo=timezone(timedelta(hours=-1)))
INSTANT = datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)


@frozen(kw_only=True, repr=False)
class Money(Model):
    """A model of the user's own."""

    amount: int
    rate: float | None = None


@frozen(kw_only=True, repr=False)
class Unread(Model):
    """A model with dates that an answer may write in a new way."""

    opened: date | None = None
    changed: datetime | None = None
    rate: float | None = None


class Code:
    """A type of the user's own that is no attrs class."""

    def __init__(self, text: str) -> None:
        self.text = text


@frozen(kw_only=True, repr=False)
class Shop(Model):
    """A model with every kind of field."""

    code: Code | None = None
    names: Sequence[str] | None = None
    flags: Sequence[bool] | None = None
    counts: Mapping[str, int] | None = None
    ratios: Sequence[float] | None = None
    prices: Mapping[str, Money] | None = None
    opened: date | None = None
    changed: Sequence[datetime] | None = None
    anything: Any = None
    inner: Shop | None = None


v.converter.register_structure_hook(Code, lambda value, _: Code(value.lower()))
v.converter.register_unstructure_hook(Code, lambda code: code.text.upper())


FULL: dict[str, Any] = {
    "code": "ABC",
    "names": ["a", None],
    "flags": [True, False],
    "counts": {"a": 1, "b": None},
    "ratios": [1, 2.5],
    "prices": {"eur": {"amount": 5, "rate": 1.5, "new": {"deep": [1]}}},
    "opened": "2025-01-02",
    "changed": ["2025-01-02T03:04:05Z"],
    "anything": {"a": [None, 1.5]},
    "inner": {"names": [], "tomorrow": True},
    "unknown": None,
}


def test_own_models_go_there_and_back() -> None:
    """A model of the user's own loses nothing, and keeps the keys that it does not know."""
    shop = v.from_dict(Shop, FULL)
    assert shop.code is not None
    assert shop.code.text == "abc"
    assert shop.prices is not None
    assert shop.prices["eur"] == Money(amount=5, rate=1.5, extra={"new": {"deep": [1]}})
    assert shop.opened == date(2025, 1, 2)
    assert shop.changed == (INSTANT,)
    assert shop.inner is not None
    assert shop.inner.extra == {"tomorrow": True}
    assert shop.extra == {"unknown": None}
    assert v.to_dict(shop) == FULL
    assert v.from_dict(Shop, MappingProxyType(FULL)).extra == shop.extra


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"names": "ab"}, "$.names"),
        ({"names": ["a", 1]}, "$.names[1]"),
        ({"flags": [1]}, "$.flags[0]"),
        ({"counts": []}, "$.counts"),
        ({"counts": {"a": True}}, "$.counts.a"),
        ({"counts": {"a": 1.5}}, "$.counts.a"),
        ({"ratios": [float("nan")]}, "$.ratios[0]"),
        ({"ratios": [True]}, "$.ratios[0]"),
        ({"prices": {"eur": {"amount": "5"}}}, "$.prices.eur.amount"),
        ({"prices": {"eur": 5}}, "$.prices.eur"),
        ({"changed": ["soon"]}, "$.changed[0]"),
        ({"inner": {"inner": {"names": {}}}}, "$.inner.inner.names"),
    ],
)
def test_misfits_are_located(change: dict[str, Any], path: str) -> None:
    """A value of another type raises with its path, however deep it lies."""
    with pytest.raises(ResponseValidationError) as caught:
        v.from_dict(Shop, {**FULL, **change})
    assert caught.value.json_path == path
    assert caught.value.model == "Shop"


@pytest.mark.parametrize("data", [None, [], "text", 5, [("amount", 5)]])
def test_what_is_no_object(data: Any) -> None:
    """A model is made of an object and of nothing else."""
    with pytest.raises(ResponseValidationError, match=r"Money at \$: expected an object"):
        v.from_dict(Money, data)


def test_lenient_leaves() -> None:
    """Whole floats are integers, Python's own dates are taken, and naive texts are UTC."""
    made = v.from_dict(Shop, {"counts": {"a": 10.0}, "flags": [True], "changed": [INSTANT]})
    assert made.counts is not None
    assert repr(made.counts["a"]) == "10"
    assert made.changed == (INSTANT,)
    assert v.from_dict(Shop, {"opened": date(2025, 1, 2)}).opened == date(2025, 1, 2)
    assert v.from_dict(Shop, {"opened": INSTANT}).opened == INSTANT
    assert v.from_dict(Shop, {"changed": ["2025-01-02T03:04:05"]}).changed == (INSTANT,)
    with pytest.raises(ResponseValidationError):
        v.from_dict(Shop, {"changed": [INSTANT.replace(tzinfo=None)]})


@pytest.mark.parametrize(
    ("model", "path"),
    [
        (Shop(counts=5), "Shop.counts"),  # type: ignore[arg-type]
        (Shop(names="ab"), "Shop.names"),
        (Shop(flags=[1]), "Shop.flags[0]"),  # type: ignore[list-item]
        (Shop(changed=[INSTANT.replace(tzinfo=None)]), "Shop.changed[0]"),
        (Shop(anything={"a": [object()]}), "Shop.anything.a[0]"),
        (Shop(prices={"eur": Money(amount=1.5)}), "Shop.prices.eur.amount"),  # type: ignore[arg-type]
        (Money(amount=5, rate=float("inf")), "Money.rate"),
        (Shop(changed=[EDGE]), "Shop.changed[0]"),
        (Shop(names=10**5000), "Shop.names"),  # type: ignore[arg-type]
        (Money(amount=True), "Money.amount"),
    ],
)  # fmt: skip
def test_what_cannot_be_written(model: Any, path: str) -> None:
    """to_dict() refuses a value that its field does not take, and says where."""
    with pytest.raises(InvalidArgumentError) as caught:
        v.to_dict(model)
    assert str(caught.value).startswith(f"{path}: expected ")


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (INSTANT, "2025-01-02T03:04:05Z"),
        (INSTANT.astimezone(timezone(timedelta(hours=5, minutes=30))), "2025-01-02T03:04:05Z"),
        (INSTANT.replace(microsecond=7_999), "2025-01-02T03:04:05.007Z"),
        (INSTANT.replace(microsecond=999), "2025-01-02T03:04:05Z"),
    ],
)
def test_instants_are_written_in_one_form(moment: datetime, text: str) -> None:
    """An aware instant is written in UTC, with milliseconds at most."""
    assert v.to_dict(Shop(changed=[moment])) == {"changed": [text]}


def test_an_unreadable_date_costs_no_answer(caplog: pytest.LogCaptureFixture) -> None:
    """A date that cannot be read is kept in `extra`, written back, and told once a process."""
    shop = None
    for _ in range(2):
        shop = v.from_dict(Unread, {"opened": "soon", "changed": 1700000000, "rate": 1})
        assert (shop.opened, shop.changed, shop.rate) == (None, None, 1)
        assert shop.extra == {"opened": "soon", "changed": 1700000000}
        assert v.to_dict(shop) == {"opened": "soon", "changed": 1700000000, "rate": 1}
    assert [(r.levelname, r.getMessage().partition(":")[0]) for r in caplog.records] == [
        ("WARNING", "Unread.opened"),
        ("WARNING", "Unread.changed"),
    ]
    assert shop is not None
    assert v.to_dict(evolve(shop, changed=INSTANT))["changed"] == "2025-01-02T03:04:05Z"


def _nested(levels: int) -> dict[str, Any]:
    data: dict[str, Any] = {"names": ["innermost"]}
    for _ in range(levels):
        data = {"inner": data}
    return data


def test_depth_is_refused_by_errors_of_ours() -> None:
    """What is nested more deeply than Python reads or writes is told by an error of ours."""
    with pytest.raises(ResponseValidationError, match="fewer levels"):
        v.from_dict(Shop, _nested(1000))
    shop = Shop()
    for _ in range(900):
        shop = Shop(inner=shop)
    with pytest.raises(InvalidArgumentError, match="Shop: is nested too deeply"):
        v.to_dict(shop)


@pytest.mark.parametrize("number", [10**400, -(2**63) - 1, 2**64])
def test_integers_of_any_size_are_exact(number: int) -> None:
    """An integer beyond 64 bits, or beyond what a float holds, comes back as it was."""
    data = {"amount": number, "rate": number}
    assert v.to_dict(v.from_dict(Money, data)) == data


def test_unset_survives_pickle_and_copy() -> None:
    """UNSET is one and the same everywhere, is false, and is no value of JSON."""
    for back in (copy.copy(v.UNSET), copy.deepcopy(v.UNSET), pickle.loads(pickle.dumps(v.UNSET))):
        assert back is v.UNSET
    assert not v.UNSET
    assert repr(v.UNSET) == "UNSET"
    with pytest.raises(InvalidArgumentError):
        v.to_dict(Shop(anything=[v.UNSET]))
    assert v.to_dict(Shop(anything={"a": v.UNSET, "b": 1})) == {"anything": {"b": 1}}


@define
class Slotted:
    """A model of a user's own that is not made of the library's base."""

    a: str | None = None
    tags: Sequence[str] = field(factory=tuple)
    extra: Mapping[str, Any] = field(factory=dict)


@frozen(kw_only=True, cache_hash=True)
class Hashed(Model):
    """One with a hash that attrs keeps."""

    a: str | None = None
    extra: Mapping[str, Any] = field(factory=dict, hash=False)


@frozen(kw_only=True)
class Boxed(Model, Generic[T]):
    """A generic one."""

    a: str | None = None


@frozen(kw_only=True)
class Prepared(Model):
    """One that does something when it is made, and fills a field by itself."""

    a: str | None = None
    b: str | None = field(default=None, init=False)

    def __attrs_pre_init__(self) -> None:
        """Note that it was made."""
        PREPARED.append(type(self))


PREPARED: list[type] = []


@pytest.mark.parametrize(
    ("model", "given"),
    [(Slotted, {"a": "x"}), (Hashed, {"a": "x"}), (Boxed, {"a": "x"}), (Prepared, {}), (Model, {})],
)
def test_models_of_users_are_made_as_they_make_themselves(
    model: type[Any], given: dict[str, str]
) -> None:
    """Whatever a model does beyond holding its fields, reading it gives what calling it gives."""
    made = v.from_dict(model, {**given, "z": 1})
    called = model(**given, extra={"z": 1})
    assert made == called
    assert type(made) is model
    assert v.to_dict(made)["z"] == 1
    if model is Hashed:
        assert hash(made) == hash(called)
    if model is Prepared:
        assert [Prepared, Prepared] == PREPARED
