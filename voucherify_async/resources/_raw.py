"""`with_raw_response`: the same methods, whose answers keep their status and headers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import update_wrapper
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

from attrs import field, frozen

from .._calls.call import Call, seal
from .._calls.caller import Caller
from .._protocol.answers import Answer, request_id
from ..errors import AmbiguousOutcomeError, ResponseValidationError
from ._resource import Resource

T = TypeVar("T")
P = ParamSpec("P")
R = TypeVar("R", bound=Resource)


@frozen
class RawAnswer(Generic[T]):
    """The answer to a call: its status and headers, and on `parse()` what the method returns."""

    status_code: int
    """The HTTP status, 200 to 299."""
    headers: Mapping[str, str]
    """The headers, names in lower case."""
    elapsed: float
    """Seconds from the call to its answer, waits and repetitions included."""
    content: bytes = field(repr=False)
    """The body."""
    _result: Callable[[], T] = field(repr=False)

    @property
    def request_id(self) -> str | None:
        """The id that Voucherify gave the request; its support asks for it."""
        return request_id(self.headers)

    def parse(self) -> T:
        """What the method returns.

        Raises:
            ResponseValidationError: The answer to a read contradicts the documented types or what
                was asked. A write's raises in the call itself.
        """
        return self._result()


class _Recorder(Caller):
    """A caller that remembers its last answer."""

    def __init__(self, caller: Caller) -> None:
        super().__init__(caller.settings, caller.connections, caller.quotas)
        self._inner = caller
        self.answer: Answer | None = None
        self.elapsed = 0.0

    async def send(self, call: Call) -> Answer:
        clock = self.settings.clock
        began = clock.monotonic()
        self.answer = None
        self.answer = await self._inner.send(call)
        self.elapsed = clock.monotonic() - began
        return self.answer

    def raw(self, result: Callable[[], T]) -> RawAnswer[T] | None:
        answer = self.answer
        if answer is None:
            return None
        return RawAnswer(answer.status_code, answer.headers, self.elapsed, answer.content, result)


class RawResource(Generic[R]):
    """The base of a namespace's `with_raw_response`."""

    def __init__(self, resource: R) -> None:
        self._resource = resource


def raw(
    method: Callable[Concatenate[R, P], Awaitable[T]],
) -> Callable[Concatenate[RawResource[R], P], Awaitable[RawAnswer[T]]]:
    """A method that returns its answer raw; of a listing that of its first page."""

    async def call(self: RawResource[R], /, *args: P.args, **kwargs: P.kwargs) -> RawAnswer[T]:
        seal(kwargs)
        recorder = _Recorder(self._resource._caller)  # noqa: SLF001
        resource = type(self._resource)(recorder)
        try:
            result = await method(resource, *args, **kwargs)
        except AmbiguousOutcomeError:
            # Nobody may take a write of unknown outcome for done, because its status was 200.
            raise
        except ResponseValidationError as error:
            answered = recorder.raw(_raising(error))
            if answered is None:
                raise
            return answered
        answered = recorder.raw(lambda: result)
        assert answered is not None  # noqa: S101
        return answered

    return update_wrapper(call, method)


def _raising(error: Exception) -> Callable[[], Any]:
    def parse() -> Any:
        raise error

    return parse
