"""`vouchers.get_many`: many lookups of which each may fail on its own."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Generator,
    Iterable,
    Iterator,
    Sized,
)
from typing import Any, Final, Literal, NoReturn, Self, TypeAlias
from weakref import WeakSet

import anyio
from attrs import field, frozen

from .._checks import check_count
from .._concurrency.fanout import Fanout, closing
from ..errors import ClientClosedError, ClientLoopError, InvalidArgumentError, VoucherifyError
from ..models.vouchers import Voucher

LookUp = Callable[[str], Awaitable[Voucher]]
Codes = Iterable[str] | AsyncIterable[str]

REMEMBERED: Final = 1_000


@frozen
class FoundVoucher:
    """A code of `vouchers.get_many` that was found."""

    code: str
    """The code as it was given."""
    voucher: Voucher
    """The voucher."""
    ok: Literal[True] = field(default=True, init=False, repr=False)
    """True: there is a voucher."""
    error: None = field(default=None, init=False, repr=False)
    """None: the lookup did not fail."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        # pydantic's own protocol: a lookup is a response of FastAPI.
        from .._conversion.pydantic_schema import outgoing_schema

        shape = {"code": str, "ok": Literal[True], "voucher": Voucher}
        return outgoing_schema(source, shape, handler, _as_response)

    def __bool__(self) -> Literal[True]:
        return True

    def unwrap(self) -> Voucher:
        """Return the voucher."""
        return self.voucher


@frozen
class FailedLookup:
    """A code of `vouchers.get_many` whose lookup failed."""

    code: str
    """The code as it was given."""
    error: Exception
    """Why the lookup failed, such as a `NotFoundError`."""
    ok: Literal[False] = field(default=False, init=False, repr=False)
    """False: there is no voucher."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        from .._conversion.pydantic_schema import outgoing_schema

        shape = {"code": str, "ok": Literal[False], "error": str, "message": str}
        return outgoing_schema(source, shape, handler, _as_response)

    def __bool__(self) -> Literal[False]:
        return False

    @property
    def voucher(self) -> NoReturn:
        """Not there: reading it raises `error`."""
        raise self.error

    def unwrap(self) -> NoReturn:
        """Raise `error`."""
        raise self.error


VoucherLookup: TypeAlias = FoundVoucher | FailedLookup
"""What became of one code of `vouchers.get_many`. Its `ok` tells which it is, as does its truth:
after `if found.ok:` and `if found:` type checkers know that `found.voucher` is a `Voucher`. For
`found` itself mypy narrows on both, pyright on `if found:` and `if found.ok is True:`."""


def _as_response(found: VoucherLookup) -> dict[str, Any]:
    told: dict[str, Any] = {"code": found.code, "ok": found.ok}
    if isinstance(found, FoundVoucher):
        return {**told, "voucher": found.voucher}
    return {**told, "error": type(found.error).__name__, "message": str(found.error)}


class VoucherLookups:
    """Many lookups that have not begun: await it for a list, or iterate it.

    ```python
    for found in await client.vouchers.get_many(codes):         # in the order of the codes
        ...
    async for found in client.vouchers.get_many(endless()):     # as they complete
        if found.ok:
            ...
    ```

    Each use begins anew. Leaving the loop early cancels what is under way.
    """

    def __init__(self, look_up: LookUp, codes: Codes, concurrency: int) -> None:
        if isinstance(codes, (str, bytes)) or not isinstance(codes, (Iterable, AsyncIterable)):
            raise InvalidArgumentError(
                f"codes: expected an iterable of codes, got {type(codes).__name__}"
            )
        check_count("concurrency", concurrency)
        self._look_up = look_up
        self._codes = codes
        self._concurrency = concurrency
        self._begun: WeakSet[_Lookups] = WeakSet()

    def __await__(self) -> Generator[Any, Any, list[VoucherLookup]]:
        return self._collect().__await__()

    def __aiter__(self) -> AsyncIterator[VoucherLookup]:
        """The results as they complete, one for each code given."""
        if isinstance(self._codes, Iterable) and isinstance(self._codes, Sized):
            # Held by the caller as a whole: counting it beforehand costs no memory to speak of.
            times = Counter(self._codes)
            asking = _Asking(self._look_up, remembered=0)
            begun = _Lookups(times, asking, self._concurrency, times)
        else:
            asking = _Asking(self._look_up, remembered=REMEMBERED)
            begun = _Lookups(self._codes, asking, self._concurrency, {})
        self._begun.add(begun)
        return begun

    async def aclose(self) -> None:
        """End every iteration that was begun, and wait until nothing is under way."""
        for begun in list(self._begun):
            await begun.aclose()

    async def _collect(self) -> list[VoucherLookup]:
        order: list[str] = []
        asking = _Asking(self._look_up, remembered=None)
        codes = _recorded(self._codes, order)
        results: Fanout[str, VoucherLookup] = Fanout(codes, asking.result, self._concurrency)
        try:
            async for _ in results:
                pass
        finally:
            await results.aclose()
        return [asking.known[code] for code in order]


class _Asking:
    """Asks for each code once, as far as its memory goes."""

    def __init__(self, look_up: LookUp, *, remembered: int | None) -> None:
        self.known: OrderedDict[str, VoucherLookup] = OrderedDict()
        self._look_up = look_up
        self._remembered = remembered
        self._under_way: dict[str, anyio.Event] = {}

    async def result(self, code: str) -> VoucherLookup:
        """The result of a code: a remembered one, that of a lookup under way, or a new one."""
        while (known := self.known.get(code)) is None:
            under_way = self._under_way.get(code)
            if under_way is None:
                return await self._ask(code)
            await under_way.wait()
        return known

    async def _ask(self, code: str) -> VoucherLookup:
        done = self._under_way[code] = anyio.Event()
        try:
            result = await self._answer(code)
            self.known[code] = result
            if self._remembered is not None and len(self.known) > self._remembered:
                self.known.popitem(last=False)
            return result
        finally:
            del self._under_way[code]
            done.set()

    async def _answer(self, code: str) -> VoucherLookup:
        try:
            return FoundVoucher(code, await self._look_up(code))
        except (ClientClosedError, ClientLoopError):
            # No further code can be looked up, however many there are.
            raise
        except VoucherifyError as error:
            # Its frames would keep a kilobyte or more alive for each code, and tell nothing.
            return FailedLookup(code, error.with_traceback(None))
        except Exception as error:  # noqa: BLE001 - one failure never costs another code
            return FailedLookup(code, error)


class _Lookups(AsyncIterator[VoucherLookup]):
    """One iteration; a result comes as often as its code was given."""

    def __init__(
        self, codes: Codes, asking: _Asking, concurrency: int, times: dict[str, int]
    ) -> None:
        self._results: Fanout[str, VoucherLookup] = Fanout(codes, asking.result, concurrency)
        self._times = times
        self._repeated: VoucherLookup | None = None
        self._left = 0

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> VoucherLookup:
        if self._repeated is None or not self._left:
            self._repeated = await self._results.__anext__()
            self._left = self._times.get(self._repeated.code, 1)
        self._left -= 1
        return self._repeated

    async def aclose(self) -> None:
        """Cancel what is under way and wait until it has ended."""
        self._left = 0
        await self._results.aclose()


def _recorded(codes: Codes, order: list[str]) -> Codes:
    """The same codes; each is added to `order` when it is taken."""
    if isinstance(codes, AsyncIterable):
        return _RecordedAsync(codes, order)
    return _recorded_plain(codes, order)


def _recorded_plain(codes: Iterable[str], order: list[str]) -> Iterator[str]:
    for code in codes:
        order.append(code)
        yield code


class _RecordedAsync(AsyncIterator[str]):
    # No async generator, which the event loop would have to close when the caller is cancelled.
    def __init__(self, codes: AsyncIterable[str], order: list[str]) -> None:
        self._codes = aiter(codes)
        self._order = order

    async def __anext__(self) -> str:
        code = await anext(self._codes)
        self._order.append(code)
        return code

    async def aclose(self) -> None:
        async with closing(self._codes):
            pass
