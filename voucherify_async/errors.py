"""Every exception that the library raises.

```
VoucherifyError
├── ConfigurationError            the client was set up wrongly (also a ValueError)
├── InvalidArgumentError          refused before anything was sent (also a ValueError)
├── ClientClosedError             the client was used after aclose()
├── ClientLoopError               the client was used from a second event loop, or after a fork
├── BackgroundCancelledError      a task of the library was cancelled by somebody else
├── TransportError                no answer came
│   ├── ConnectError              no connection was made: nothing was sent
│   ├── TimeoutError              (also the built-in TimeoutError)
│   │   ├── ConnectTimeout        no connection in time: nothing was sent
│   │   ├── PoolTimeout           no free connection in time: nothing was sent
│   │   ├── ReadTimeout
│   │   └── WriteTimeout
│   ├── ReadError, WriteError     the connection broke
│   └── ProtocolError             what came back is not HTTP
│       └── AnswerTooLargeError   ... or is more than max_answer_bytes
├── APIError                      Voucherify answered with an error status
│   ├── BadRequestError 400       ├── AuthenticationError 401
│   ├── PaymentRequiredError 402  ├── PermissionDeniedError 403
│   ├── NotFoundError 404         ├── MethodNotAllowedError 405
│   ├── NotAcceptableError 406    ├── ConflictError 409
│   ├── PayloadTooLargeError 413  ├── UnsupportedMediaTypeError 415
│   ├── LockedError 423           ├── RateLimitError 429
│   ├── ServerError 5xx
│   └── RefusedError              something does not apply
│       ├── ValidationRefusedError
│       └── RedemptionRefusedError
├── ResponseValidationError       the answer is not the documented one, or not to this request
├── AmbiguousOutcomeError         a write that may or may not have happened
│   ├── AmbiguousServerError      ... answered with 5xx (also a ServerError)
│   └── UnreadableAnswerError     ... whose answer does not fit (also a ResponseValidationError)
├── PaginationError
│   └── PaginationLimitError      the listing goes on where the API's pages end
├── AsyncActionFailedError        a background job ended without full success
├── ExportFailedError             an export ended in ERROR
├── BulkInterruptedError          bulk work that ended in the middle
│   └── ImportInterruptedError    ... of imports.stream, with its report
├── WaitTimeoutError              a job had not ended in time (also a TimeoutError)
└── WebhookSignatureError         a webhook that Voucherify may not have sent
```

All of them survive ``pickle`` and ``copy``, and queues that write an error's class and ``args`` as
JSON, as Celery does; none holds a live response, a connection or a secret.
"""

from __future__ import annotations

import builtins
import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import wraps
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

from ._plain_json import from_plain, to_plain

if TYPE_CHECKING:
    from ._bulk.reports import ImportReport, ResumePoint
    from .models.async_actions import AsyncAction
    from .models.exports import Export
    from .models.redemptions import RedemptionResult
    from .models.validations import Validation

__all__ = [
    "APIError",
    "AmbiguousOutcomeError",
    "AmbiguousServerError",
    "AnswerTooLargeError",
    "AsyncActionFailedError",
    "AuthenticationError",
    "BackgroundCancelledError",
    "BadRequestError",
    "BulkInterruptedError",
    "ClientClosedError",
    "ClientLoopError",
    "ConfigurationError",
    "ConflictError",
    "ConnectError",
    "ConnectTimeout",
    "ExportFailedError",
    "ImportInterruptedError",
    "InvalidArgumentError",
    "LockedError",
    "MethodNotAllowedError",
    "NotAcceptableError",
    "NotFoundError",
    "PaginationError",
    "PaginationLimitError",
    "PayloadTooLargeError",
    "PaymentRequiredError",
    "PermissionDeniedError",
    "PoolTimeout",
    "ProtocolError",
    "RateLimitError",
    "ReadError",
    "ReadTimeout",
    "RedemptionRefusedError",
    "RefusalReason",
    "RefusedError",
    "ResponseValidationError",
    "ServerError",
    "TimeoutError",
    "TransportError",
    "UnreadableAnswerError",
    "UnsupportedMediaTypeError",
    "ValidationRefusedError",
    "VoucherifyError",
    "WaitTimeoutError",
    "WebhookSignatureError",
    "WriteError",
    "WriteTimeout",
]


_NESTS: Final = (dict, list, tuple)


def short_repr(value: object) -> str:
    """The start of a value's repr, for a message."""
    try:
        text = repr(value)
    except (RecursionError, ValueError):
        # Nested too deeply, or an integer of more digits than Python writes.
        return f"<{type(value).__name__}>"
    return text if len(text) <= 80 else text[:77] + "..."


def _is_deep(value: object, levels: int = 100) -> bool:
    """Whether JSON types are nested so deeply that a queue could not take them."""
    inside = [value]
    for _ in range(levels):
        rows = [v.values() if isinstance(v, dict) else v for v in inside if isinstance(v, _NESTS)]
        inside = [part for row in rows for part in row]
    return bool(inside)


def _rebuild(
    cls: type[VoucherifyError], args: tuple[Any, ...], state: dict[str, Any]
) -> VoucherifyError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error


# The key under which the last of an error's `args` holds its attributes.
_CARRIED: Final = "voucherify_error"
# Where Python keeps what it shows as the error's text.
_SHOWN: Final[Any] = BaseException.args


def _is_carried(arg: Any) -> bool:
    return isinstance(arg, dict) and arg.keys() == {_CARRIED}


def _or_remade(init: Callable[..., None]) -> Callable[..., None]:
    """Let `__init__` also take an error's `args`, and make the same error of them again."""

    @wraps(init)
    def make(self: VoucherifyError, *args: Any, **fields: Any) -> None:
        if args and _is_carried(args[-1]):
            self.args = args
            self.__dict__.update(from_plain(args[-1][_CARRIED]))
        else:
            init(self, *args, **fields)

    return make


class VoucherifyError(Exception):
    """The base of every error of this library."""

    @_or_remade
    def __init__(self, *args: Any) -> None:
        super().__init__(*args)

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "__init__" in vars(cls):
            cls.__init__ = _or_remade(cls.__init__)  # type: ignore[method-assign]

    if not TYPE_CHECKING:  # for which `args` is a plain attribute, as of every exception

        @property
        def args(self) -> tuple[Any, ...]:
            """The message and, as JSON types, what else the error holds.

            ``type(error)(*error.args)`` is the same error again, also once ``args`` were written
            as JSON: so queues such as Celery bring it back.
            """
            shown: tuple[Any, ...] = _SHOWN.__get__(self)
            held = {k: None if _is_deep(v) else to_plain(v) for k, v in self.__dict__.items()}
            return (*shown, {_CARRIED: held}) if held else shown

        @args.setter
        def args(self, args: tuple[Any, ...]) -> None:
            _SHOWN.__set__(self, tuple(a for a in args if not _is_carried(a)))

    def __reduce__(self) -> tuple[Any, ...]:
        # Exception's own way calls __init__ with `args`, which fits no keyword-only signature.
        return _rebuild, (type(self), _SHOWN.__get__(self), self.__dict__)


class ConfigurationError(VoucherifyError, ValueError):
    """The client was set up wrongly: the message says which setting and what it takes."""


class InvalidArgumentError(VoucherifyError, ValueError):
    """An argument was refused before anything was sent; the message says where and why."""


class ClientClosedError(VoucherifyError, RuntimeError):
    """The client was used after ``aclose()``."""


class ClientLoopError(VoucherifyError, RuntimeError):
    """The client was used from another event loop or process than its connections belong to."""


class BackgroundCancelledError(VoucherifyError):
    """A task of the library, such as one that reads ahead, was cancelled by somebody else.

    Shutdown code that cancels every task does so. What the task was to bring is missing.
    """


class TransportError(VoucherifyError):
    """No answer came: the network, a proxy or a timeout stood between.

    Attributes:
        method: The HTTP method of the request.
        path: The route's template, such as ``/v1/vouchers/{code}``; never a code itself.
    """

    sent: bool = True
    """Whether the request may have reached Voucherify."""
    status_code: int | None = None
    """The status of an answer that broke off after its head, or None where not even that came."""

    def __init__(self, message: str, *, method: str = "", path: str = "") -> None:
        super().__init__(message)
        self.method = method
        self.path = path


class ConnectError(TransportError):
    """No connection could be made, so nothing was sent."""

    sent = False


class TimeoutError(TransportError, builtins.TimeoutError):  # noqa: A001 - the contract's name
    """A timeout ran out; the subclass says which."""


class ConnectTimeout(TimeoutError):
    """No connection was made in time, so nothing was sent."""

    sent = False


class PoolTimeout(TimeoutError):
    """The connection pool had no free connection in time, so nothing was sent."""

    sent = False


class ReadTimeout(TimeoutError):
    """The answer did not come in time; Voucherify may have processed the request."""


class WriteTimeout(TimeoutError):
    """The request could not be written in time; `sent` is False where it surely broke off."""


class ReadError(TransportError):
    """The connection broke while the answer was read."""


class WriteError(TransportError):
    """The connection broke while the request was written; `sent` says whether all of it was."""


class ProtocolError(TransportError):
    """The other side broke off, or what it sent is not an HTTP answer."""


class AnswerTooLargeError(ProtocolError):
    """The answer is larger than the client's `max_answer_bytes`; the rest was not read."""


class APIError(VoucherifyError):
    """Voucherify answered with an error status.

    Attributes:
        status_code: The HTTP status, which alone decides the class.
        key: Voucherify's error key, such as ``not_found``, or None.
        message: Voucherify's message, or the status phrase where it sent none.
        details: Voucherify's explanation, or None.
        request_id: The id to quote to Voucherify's support, or None.
        resource_id: What the error is about, or None.
        resource_type: The kind of that resource, or None.
        headers: The answer's headers, names in lower case.
        body: The decoded JSON body, the text where it is not JSON, or None where it is empty.
        retry_after: Seconds until the next request can be made, or None where not stated.
    """

    def __init__(
        self,
        message: str,
        *,
        status_code: int,
        key: str | None = None,
        details: str | None = None,
        request_id: str | None = None,
        resource_id: str | None = None,
        resource_type: str | None = None,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after = retry_after
        self.status_code = status_code
        self.key = key
        self.details = details
        self.request_id = request_id
        self.resource_id = resource_id
        self.resource_type = resource_type
        self.headers: Mapping[str, str] = dict(headers or {})
        self.body = body

    def __str__(self) -> str:
        name = f" ({self.key})" if self.key else ""
        text = f"{self.status_code}{name}: {self.message}"
        if self.details and self.details != self.message:
            text += f": {self.details}"
        return f"{text} [request {self.request_id}]" if self.request_id else text


class BadRequestError(APIError):
    """400: the request was malformed or broke a rule; see ``details``."""


class AuthenticationError(APIError):
    """401: the keys or the token are missing, wrong or expired."""


class PaymentRequiredError(APIError):
    """402: the project's plan or limits do not allow this call."""


class PermissionDeniedError(APIError):
    """403: the keys or scopes do not allow this call."""


class NotFoundError(APIError):
    """404: ``resource_type`` ``resource_id`` does not exist."""


class MethodNotAllowedError(APIError):
    """405: the endpoint does not know this method."""


class NotAcceptableError(APIError):
    """406: the endpoint cannot answer in an accepted format."""


class ConflictError(APIError):
    """409: it exists already, or something else stands against it."""


class PayloadTooLargeError(APIError):
    """413: the body is larger than the API takes (10 MB)."""


class UnsupportedMediaTypeError(APIError):
    """415: the endpoint does not take this content type."""


@frozen
class RefusalReason:
    """Why one redeemable does not apply."""

    id: str | None
    """The voucher's code, or the id of the promotion tier or stack."""
    key: str | None
    """Voucherify's error key, such as ``quantity_exceeded``."""
    message: str | None
    """Voucherify's message."""
    details: str | None
    """Voucherify's explanation."""


class RefusedError(APIError):
    """What was to be validated or redeemed does not apply, or not all of it.

    Attributes:
        reasons: Why, one for each redeemable that does not apply.
        result: The answer, where it was one with success: a `Validation` or `RedemptionResult`.
    """

    def __init__(
        self,
        message: str,
        *,
        reasons: Sequence[RefusalReason] = (),
        result: Any = None,
        **fields: Any,
    ) -> None:
        super().__init__(message, **fields)
        self.reasons: tuple[RefusalReason, ...] = tuple(reasons)
        self.result = result


class ValidationRefusedError(RefusedError):
    """A validation with ``raise_on_inapplicable=True`` found something that does not apply."""

    result: Validation | None


class RedemptionRefusedError(RefusedError):
    """A redemption was refused, or with ``raise_on_inapplicable=True`` made in part.

    Attributes:
        redemption_id: The id of the failed redemption on record (``rf_...``), or None.
    """

    result: RedemptionResult | None

    @property
    def redemption_id(self) -> str | None:
        """The id of the failed redemption on record, or None."""
        named = self.resource_id
        return named if named is not None and named.startswith("rf_") else None


class LockedError(APIError):
    """423: the resource is locked by another call right now."""


class RateLimitError(APIError):
    """429: the quota is used up; `retry_after` says for how many seconds, where that is known."""


class ServerError(APIError):
    """5xx: Voucherify or a proxy in front of it failed."""


class ResponseValidationError(VoucherifyError):
    """An answer contradicts its documented type, or is not an answer to what was asked.

    Attributes:
        json_path: Where in the answer, such as ``$.gift.amount``.
        path: The route's template, such as ``/v1/vouchers/{code}``; empty where no call was made.
        expected: What the field takes.
        value: The value that came instead; None if it is nested too deeply to be pickled.
        model: The model that was read, or an empty text.
    """

    def __init__(
        self,
        *,
        json_path: str,
        expected: str,
        value: Any,
        model: str = "",
        path: str = "",
        shown: str = "",
    ) -> None:
        where = f"{model} at {json_path}" if model else json_path
        self.shown = shown
        if not shown:
            shown = f"{short_repr(value)} ({type(value).__name__})"
        super().__init__(f"{where}: expected {expected}, got {shown}")
        self.json_path = json_path
        self.path = path
        self.expected = expected
        self.value: Any = None if _is_deep(value) else value
        self.model = model


class AmbiguousOutcomeError(VoucherifyError):
    """A write may or may not have happened, and was not repeated. `__cause__` says what came of it.

    It holds all that settling needs, and no secret: keep it (pickled, or as `to_dict()`), and ask
    `client.settle(error)` what became of the write, in this process or another.

    Attributes:
        method: The HTTP method of the request.
        path: The route's template, such as ``/v1/vouchers/{code}/balance``.
        path_values: The values in the path, such as ``{"code": "GIFT-100"}``.
        sent: What was sent: the body's bytes, or None where it had none. Of a CSV upload its codes,
            as the JSON import would take them.
        source_id: The label that the write carried, such as a balance update's.
        sent_at: When it was sent: by Voucherify's clock, where an answer has told it.
        given_up_at: When this machine's clock showed that no answer would come.
        how_to_check: A sentence that says how to find out what happened.
    """

    method: str = ""
    path: str = ""
    path_values: Mapping[str, str] = MappingProxyType({})
    sent: bytes | None = None
    source_id: str | None = None
    sent_at: datetime | None = None
    given_up_at: datetime | None = None
    how_to_check: str = ""

    @property
    def code(self) -> str | None:
        """The code of the voucher that the write was about, where its path names one."""
        return self.path_values.get("code")

    @property
    def digest(self) -> str:
        """The SHA-256 of what was sent, in hexadecimal digits: the same write has the same."""
        return hashlib.sha256(self.sent or b"").hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """The error as JSON types, for a queue; `from_dict` makes it again.

        What was sent is left out where it is not text, as in an upload.
        """
        return {
            "message": str(self),
            "method": self.method,
            "path": self.path,
            "path_values": dict(self.path_values),
            "sent": None if self.sent is None else self.sent.decode(errors="replace"),
            "source_id": self.source_id,
            "sent_at": _text_of(self.sent_at),
            "given_up_at": _text_of(self.given_up_at),
            "how_to_check": self.how_to_check,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> AmbiguousOutcomeError:
        """The error that `to_dict` was called on, as one of no subclass.

        Raises:
            ValueError: A key is missing, or an instant cannot be read.
        """
        try:
            error = AmbiguousOutcomeError(data["message"])
            error.method, error.path = data["method"], data["path"]
            error.path_values = dict(data["path_values"])
            error.sent = None if data["sent"] is None else data["sent"].encode()
            error.source_id, error.how_to_check = data["source_id"], data["how_to_check"]
            error.sent_at = _instant_of(data["sent_at"])
            error.given_up_at = _instant_of(data["given_up_at"])
        except (KeyError, TypeError, AttributeError) as problem:
            raise ValueError(
                f"The data is not that of an AmbiguousOutcomeError: {problem}"
            ) from None
        return error


def _text_of(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()


def _instant_of(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


class AmbiguousServerError(AmbiguousOutcomeError, ServerError):
    """5xx to a write: it may have been done before the failure."""


class UnreadableAnswerError(AmbiguousOutcomeError, ResponseValidationError):
    """A write that was answered with success, by something that is not the answer to it.

    It cannot be read, or is about something else than what was asked.
    """


class WebhookSignatureError(VoucherifyError):
    """A webhook's signature is missing or wrong: Voucherify may not have sent it."""


class PaginationError(VoucherifyError):
    """A listing cannot be walked on: the server repeats itself or says nothing usable."""


class PaginationLimitError(PaginationError):
    """The listing goes on past the last page that the API serves; the message names the way on.

    Attributes:
        page: The last page that was read.
        total: How many items the listing has, or None where the API did not say.
    """

    def __init__(self, message: str, *, page: int, total: int | None = None) -> None:
        super().__init__(message)
        self.page = page
        self.total = total


class AsyncActionFailedError(VoucherifyError):
    """A background job ended as FAILED, or DONE with failures and ``raise_on_failed`` was set.

    Attributes:
        action: The job as Voucherify reported it last.
    """

    def __init__(self, message: str, *, action: AsyncAction) -> None:
        super().__init__(message)
        self.action = action


class ExportFailedError(VoucherifyError):
    """An export ended in ERROR.

    Attributes:
        export: The export as Voucherify reported it last.
    """

    def __init__(self, message: str, *, export: Export) -> None:
        super().__init__(message)
        self.export = export


class BulkInterruptedError(VoucherifyError):
    """Bulk work in several requests ended in the middle; `__cause__` says why.

    Attributes:
        job_ids: Ids of the async actions of the requests that were accepted; they go on.
        accepted: How many items (of a file: rows) they hold, counted from the first.
        unknown: How many items after those may or may not have been accepted.
    """

    def __init__(
        self, message: str, *, job_ids: Sequence[str], accepted: int, unknown: int = 0
    ) -> None:
        super().__init__(message)
        self.job_ids: tuple[str, ...] = tuple(job_ids)
        self.accepted = accepted
        self.unknown = unknown


class ImportInterruptedError(BulkInterruptedError):
    """An `imports.stream` ended in the middle; `__cause__` says why.

    Attributes:
        report: Which items were accepted, which were surely not, and which may have been.
        resume_from: Where to go on: `imports.stream(items, resume_from=error.resume_from)`.
    """

    def __init__(self, report: ImportReport, cause: str) -> None:
        unknown = f" and {len(report.unknown):,} more may have been" if report.unknown else ""
        super().__init__(
            f"The import was interrupted: {cause.rstrip('.')}. Of {report.read:,} items read, "
            f"{len(report.accepted):,} were accepted{unknown}; go on with "
            "imports.stream(items, resume_from=error.resume_from)",
            job_ids=report.job_ids,
            accepted=len(report.accepted),
            unknown=len(report.unknown),
        )
        self.report = report
        self.resume_from: ResumePoint | None = report.resume_from


class WaitTimeoutError(VoucherifyError, builtins.TimeoutError):
    """A job had not ended in the time allowed; it goes on at Voucherify.

    Attributes:
        id: The id of the async action or export that was waited for.
        last: What Voucherify reported last, or None.
    """

    def __init__(self, message: str, *, id: str, last: AsyncAction | Export | None = None) -> None:  # noqa: A002
        super().__init__(message)
        self.id = id
        self.last = last
