"""How a comparison is run: every contestant in turn, round after round, each in its own process.

Taking turns (A B C A B C ...) spreads whatever else the machine does over all of them alike.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any

from .processes import PeerFailedError, PeerMissingError, Server, Worker, earlier_state

Results = dict[str, Any]
"""What a scenario measured, as JSON keeps it."""


@dataclass(frozen=True)
class Settings:
    """How thorough a run is, and what revision it measures beside this one."""

    quick: bool = False
    before: str | None = None

    @property
    def rounds(self) -> int:
        return 1 if self.quick else 5

    def pick(self, full: Any, quick: Any) -> Any:
        """The one or the other."""
        return quick if self.quick else full


@dataclass(frozen=True)
class Task:
    """One measurement of one contestant.

    Tasks of the same `worker` share an interpreter; None gives each its own, every time. One of
    `before` is measured on the earlier state of the library, where the run has one.
    """

    key: str
    worker: str | None
    call: str
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    before: bool = False

    def of_before(self) -> Task:
        """The same of the earlier state."""
        worker = None if self.worker is None else before(self.worker)
        return replace(self, key=before(self.key), worker=worker, before=True)


class Bench:
    """The server and the interpreters of one run."""

    def __init__(self, settings: Settings, server: Server, stack: ExitStack) -> None:
        self.settings = settings
        self.server = server
        self._stack = stack
        self._earlier = (
            stack.enter_context(earlier_state(settings.before)) if settings.before else None
        )
        self._workers: dict[str, Worker] = {}

    def interleave(self, tasks: Sequence[Task], rounds: int | None = None) -> Results:
        """Run every task once a round.

        Returns:
            For each key `{"runs": [...]}` with what the task returned and the server's share of a
            CPU as `server`, or `{"missing": reason}`, or `{"failed": traceback}`.
        """
        results: Results = {task.key: {"runs": []} for task in tasks}
        for number in range(rounds or self.settings.rounds):
            progress(f"round {number + 1}: ")
            for task in tasks:
                if "runs" in results[task.key]:
                    self._measure(task, results)
            progress("\n")
        return results

    def _measure(self, task: Task, results: Results) -> None:
        progress(".")
        cpu, started = self.server.cpu_seconds(), time.perf_counter()
        try:
            with self._worker(task) as worker:
                run = worker.call(task.call, **task.kwargs)
        except PeerMissingError as error:
            results[task.key] = {"missing": str(error)}
        except PeerFailedError as error:
            results[task.key] = {"failed": str(error)}
            progress(f"\n{task.key} failed: {last_line(str(error))}\n")
        else:
            if isinstance(run, dict):
                elapsed = time.perf_counter() - started
                run["server"] = (self.server.cpu_seconds() - cpu) / elapsed
            results[task.key]["runs"].append(run)

    @contextmanager
    def _worker(self, task: Task) -> Iterator[Worker]:
        if task.worker is None:
            with self._new_worker(task) as worker:
                yield worker
            return
        if task.worker not in self._workers:
            self._workers[task.worker] = self._stack.enter_context(self._new_worker(task))
        yield self._workers[task.worker]

    def _new_worker(self, task: Task) -> Worker:
        if not task.before:
            return Worker()
        if self._earlier is None:
            raise PeerMissingError("no revision was given with --before")
        return Worker(self._earlier)


@contextmanager
def opened(settings: Settings) -> Iterator[Bench]:
    """A bench with its server running."""
    with ExitStack() as stack:
        server = stack.enter_context(Server())
        yield Bench(settings, server, stack)


def progress(text: str) -> None:
    """Show that the run is alive, apart from its tables."""
    print(text, end="", file=sys.stderr, flush=True)


def middle(result: Results, of: str | Callable[[Any], float]) -> float | None:
    """The median over the runs of a value; None where the peer is missing or failed."""
    value = of if callable(of) else lambda run: float(run[of])
    runs = result.get("runs") or []
    return median(value(run) for run in runs) if runs else None


def before(key: str) -> str:
    """The key of the same in the earlier state: that of `ours @ 100` is `ours, before @ 100`."""
    name, *size = key.split(" @ ")
    return " @ ".join([f"{name}, before", *size])


def ratio(value: float | None, base: float | None) -> float | None:
    """One figure over another; None where either is missing."""
    return None if value is None or not base else value / base


def last_line(text: str) -> str:
    """The end of a traceback, which says what it was."""
    return text.strip().rpartition("\n")[2]


def half_spread(values: Sequence[float]) -> float | None:
    """0.1 where all values lie within ±10% of their middle."""
    if not values:
        return None
    return (max(values) - min(values)) / (max(values) + min(values))
