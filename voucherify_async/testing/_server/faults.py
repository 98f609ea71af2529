"""Faults on demand: a script of what goes wrong with which request."""

from __future__ import annotations

import math
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import format_datetime
from functools import partial
from http import HTTPStatus
from typing import Literal, TypeAlias, TypedDict, Unpack

import orjson

from .._messages import End, Incoming, Reply, json_reply
from .._state.server_time import ServerTime
from . import fault_behaviours as behaviours
from .fault_behaviours import Gate, LateRequests

Behaviour: TypeAlias = Callable[[Incoming, Callable[[], Reply]], Awaitable[Reply]]
Body: TypeAlias = bytes | str | Mapping[str, object] | None
Point: TypeAlias = Literal["before", "applied", "headers", "body"]
RetryForm: TypeAlias = Literal["seconds", "date", "reset", "none"]

_PHRASES = {status.value: status.phrase for status in HTTPStatus}
_HTML = b"<!DOCTYPE html><html><head><title>Bad gateway</title></head><body></body></html>"


class Where(TypedDict, total=False):
    """Which requests a fault hits; see ``Faults``."""

    method: str | None
    path: str | None
    times: int | None
    after: int


@dataclass(eq=False, kw_only=True)
class Fault:
    """One entry of the script.

    Attributes:
        name: the method of ``Faults`` that made it.
        method: the HTTP method it is for; None for all.
        path: a regular expression searched in the raw path; None for all.
        times: how many requests it still hits; None for every one.
        after: how many matching requests it still lets pass first.
        fired: how many requests it hit.
    """

    name: str
    behaviour: Behaviour = field(repr=False)
    method: str | None = None
    path: str | None = None
    times: int | None = 1
    after: int = 0
    fired: int = 0
    gate: Gate | None = field(default=None, repr=False)

    @property
    def waiting(self) -> int:
        """How many requests a stall holds at this moment."""
        return self.gate.waiting if self.gate is not None else 0

    def release(self) -> None:
        """Let the requests that a stall holds go on, and later ones pass. From any thread."""
        if self.gate is not None:
            self.gate.open()

    def matches(self, call: Incoming) -> bool:
        """Tell whether this entry is for a request, whether or not it is its turn."""
        return (self.method is None or self.method.upper() == call.method) and (
            self.path is None or re.search(self.path, call.raw_path) is not None
        )


class Faults:
    """The script. Entries are tried in the order in which they were added.

    Every method adds one entry and returns it. They share four arguments: ``method`` and ``path``
    (a regular expression searched in the raw path) choose the requests, ``after`` lets the first
    matching ones pass, ``times`` is how many are hit (1 unless given; None: all of them). A request
    meets one fault at most, and counts for no entry behind the one that it met.
    """

    def __init__(self, clock: ServerTime, revoke: Callable[[str], object]) -> None:
        self._clock = clock
        self._revoke = revoke
        self._script: list[Fault] = []
        self._gates: list[Gate] = []
        self._late = LateRequests(clock.seconds)
        self.fired: list[str] = []

    @property
    def pending(self) -> list[Fault]:
        """The entries that still have requests to hit."""
        return list(self._script)

    def take(self, call: Incoming) -> Fault | None:
        """Return the fault that a request meets, and count it."""
        for fault in list(self._script):
            if not fault.matches(call):
                continue
            if fault.after > 0:
                fault.after -= 1
                continue
            fault.fired += 1
            self.fired.append(fault.name)
            if fault.times is not None:
                fault.times -= 1
                if fault.times <= 0:
                    self._script.remove(fault)
            return fault
        return None

    def clear(self) -> None:
        """Remove every entry and let go of every request that a stall holds."""
        self._script.clear()
        self._late.clear()
        self.fired.clear()
        for gate in self._gates:
            gate.open()
        self._gates.clear()

    def add(
        self, name: str, behaviour: Behaviour, gate: Gate | None = None, **where: Unpack[Where]
    ) -> Fault:
        """Add an entry with a behaviour of your own: ``async (call, execute) -> Reply``."""
        fault = Fault(name=name, behaviour=behaviour, gate=gate, **where)
        if fault.times is not None and fault.times < 1:
            raise ValueError("times: at least 1, or None for every request")
        if gate is not None:
            self._gates.append(gate)
        self._script.append(fault)
        return fault

    def ok(self, **where: Unpack[Where]) -> Fault:
        """Answer as usual: a place in the script where nothing goes wrong."""
        return self.add("ok", behaviours.pass_through, **where)

    def reset(self, **where: Unpack[Where]) -> Fault:
        """Reset the connection before the request is processed."""
        return self._end_before("reset", "reset", where)

    def disconnect(self, **where: Unpack[Where]) -> Fault:
        """Close the connection before the request is processed, without a byte of answer."""
        return self._end_before("disconnect", "disconnect", where)

    def refuse(self, **where: Unpack[Where]) -> Fault:
        """Refuse the connection. In process alone; over a socket it is a reset."""
        return self._end_before("refuse", "refused", where)

    def lose_answer(self, **where: Unpack[Where]) -> Fault:
        """Process the request, then reset the connection instead of answering."""
        return self.add("lose_answer", partial(behaviours.end_after, "reset"), **where)

    def land_late(self, seconds: float = 10.0, **where: Unpack[Where]) -> Fault:
        """Reset the connection, and process the request ``seconds`` later by the server's clock.

        A late request lands before the next one that comes once its time is over, or by ``land()``.
        """
        return self.add("land_late", partial(behaviours.land_late, self._late, seconds), **where)

    @property
    def landing(self) -> int:
        """How many late requests are still to land."""
        return len(self._late)

    def land(self) -> int:
        """Let every late request land now, whatever the clock says; return how many there were."""
        return self._late.land(math.inf)

    def land_due(self) -> int:
        """Let the late requests land whose time is over; return how many there were."""
        return self._late.land()

    def reset_after_headers(self, **where: Unpack[Where]) -> Fault:
        """Process the request, send the answer's headers, then reset the connection."""
        return self.add("reset_after_headers", partial(behaviours.cut, 0.0), **where)

    def cut_body(self, *, keep: float = 0.5, **where: Unpack[Where]) -> Fault:
        """Process the request, send ``keep`` (0 to 1) of the body, then reset the connection."""
        return self.add("cut_body", partial(behaviours.cut, keep), **where)

    def timeout(
        self,
        kind: Literal["connect", "read", "write"] = "read",
        *,
        applied: bool = False,
        **where: Unpack[Where],
    ) -> Fault:
        """Raise the client's timeout at once, without waiting for it.

        In process alone; over a socket the answer never comes, and the client's own clock decides.
        """
        ends: dict[str, End] = {
            "connect": "connect_timeout",
            "read": "read_timeout",
            "write": "write_timeout",
        }
        end = behaviours.end_after if applied else behaviours.end_before
        return self.add("timeout", partial(end, ends[kind]), **where)

    def stall(self, *, at: Point = "before", **where: Unpack[Where]) -> Fault:
        """Hold the answer until ``release()`` of the entry or the end of the connection.

        ``at``: ``before`` the request is processed, once it is ``applied``, after the answer's
        ``headers``, or in the middle of its ``body``.
        """
        gate = Gate()
        held: dict[Point, Behaviour] = {
            "before": partial(behaviours.stall_before, gate),
            "applied": partial(behaviours.stall_applied, gate),
            "headers": partial(behaviours.stall_body, 0.0, gate),
            "body": partial(behaviours.stall_body, 0.5, gate),
        }
        return self.add("stall", held[at], gate, **where)

    def drip(self, *, chunk: int = 16, **where: Unpack[Where]) -> Fault:
        """Send the answer's body in pieces of ``chunk`` bytes."""
        return self.add("drip", partial(behaviours.drip, chunk), **where)

    def status(
        self,
        status: int,
        *,
        headers: Mapping[str, str] | None = None,
        body: Body = None,
        applied: bool = False,
        **where: Unpack[Where],
    ) -> Fault:
        """Answer with a status; its body is an error in the API's shape unless one is given.

        Only the headers that are given are sent, so no quota header gets in the way of a test.
        ``applied``: the request is processed all the same.
        """
        make = partial(_answer, status, {k.lower(): v for k, v in (headers or {}).items()}, body)
        return self._replace("status", make, where, applied=applied)

    def rate_limited(
        self, wait: float = 1.0, *, form: RetryForm = "seconds", **where: Unpack[Where]
    ) -> Fault:
        """Answer 429, telling to wait so many seconds of the server's clock.

        ``form``: ``Retry-After`` in ``seconds`` or as an HTTP ``date``, ``X-Rate-Limit-Retry``
        alone (``reset``), or ``none`` of them.
        """

        def make(call: Incoming) -> Reply:
            return _answer(429, self._retry_headers(wait, form), None, call)

        return self._replace("rate_limited", make, where, applied=False)

    def garbage(
        self, body: bytes = b'{"id": "v_', *, applied: bool = True, **where: Unpack[Where]
    ) -> Fault:
        """Answer with a body that claims to be JSON and is not."""
        headers = {"content-type": "application/json; charset=utf-8"}
        make = partial(_answer, 0 if applied else 200, headers, body)
        return self._replace("garbage", make, where, applied=applied)

    def html(self, status: int = 502, *, applied: bool = False, **where: Unpack[Where]) -> Fault:
        """Answer with a page of HTML, as a proxy does."""
        make = partial(_answer, status, {"content-type": "text/html"}, _HTML)
        return self._replace("html", make, where, applied=applied)

    def empty(
        self, status: int | None = None, *, applied: bool = True, **where: Unpack[Where]
    ) -> Fault:
        """Answer with no body at all, and the usual status unless one is given."""
        make = partial(_answer, status or (0 if applied else 200), {}, b"")
        return self._replace("empty", make, where, applied=applied)

    def truncated_gzip(self, **where: Unpack[Where]) -> Fault:
        """Answer with a gzip body that ends too early."""
        return self.add("truncated_gzip", behaviours.truncate_gzip, **where)

    def end_token(self, **where: Unpack[Where]) -> Fault:
        """End the bearer token of the request early: it is answered 401."""
        return self.add("end_token", partial(behaviours.end_token, self._revoke), **where)

    def _end_before(self, name: str, end: End, where: Where) -> Fault:
        return self.add(name, partial(behaviours.end_before, end), **where)

    def _replace(
        self, name: str, make: Callable[[Incoming], Reply], where: Where, *, applied: bool
    ) -> Fault:
        behaviour = behaviours.garble if applied else behaviours.replace
        return self.add(name, partial(behaviour, make), **where)

    def _retry_headers(self, wait: float, form: RetryForm) -> dict[str, str]:
        if form == "seconds":
            return {"retry-after": str(math.ceil(wait))}
        if form == "date":
            told = timedelta(seconds=math.ceil(wait) + self._clock.skew)
            return {"retry-after": format_datetime(self._clock.now() + told, usegmt=True)}
        if form == "reset":
            reset = self._clock.told(self._clock.seconds() + wait)
            return {"x-rate-limit-remaining": "0", "x-rate-limit-retry": str(reset)}
        return {}


def _answer(status: int, headers: dict[str, str], body: Body, call: Incoming) -> Reply:
    if body is None:
        phrase = _PHRASES.get(status, "Error")
        key = phrase.lower().replace(" ", "_")
        error = {"code": status, "key": key, "message": phrase, "request_id": call.request_id}
        reply = json_reply(error, status)
        reply.headers |= headers
        return reply
    if isinstance(body, Mapping):
        headers = {"content-type": "application/json; charset=utf-8", **headers}
        return Reply(status, orjson.dumps(body), headers)
    return Reply(status, body.encode() if isinstance(body, str) else body, dict(headers))
