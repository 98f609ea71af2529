"""Handles on background work, and waiting for it on a clock that does not wait."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

import voucherify_async as v
from voucherify_async.jobs import poll_intervals

from .resources.support import MovedClock, Wire

pytestmark = pytest.mark.anyio

DONE = {"id": "aa_1", "type": "VOUCHERS.IMPORT", "status": "DONE"}
RESULT = {"done_count": 1, "failed_count": 1, "failed": [{"code": "B", "reason": "taken"}]}


def running(status: str = "IN_PROGRESS") -> dict[str, Any]:
    """A job that has not ended."""
    return {"id": "aa_1", "status": status, "progress": 50}


async def accepted(*answers: Any, clock: v.Clock | None = None) -> tuple[Wire, v.AsyncJob]:
    """Return a job whose looks are answered so."""
    wire = Wire({"async_action_id": "aa_1"}, *answers)
    client = wire.client(clock=clock or MovedClock())
    return wire, await client.imports.vouchers([{"code": "A"}])


async def exported(*answers: Any, clock: v.Clock | None = None) -> v.ExportJob:
    """Return an export whose looks are answered so."""
    wire = Wire({"id": "exp_1", "status": "SCHEDULED"}, *answers)
    client = wire.client(clock=clock or MovedClock())
    return await client.exports.create({"exported_object": "voucher"})


def test_looks_become_rarer() -> None:
    """Looks are half a second apart at first, and five seconds at the most."""
    intervals = poll_intervals()
    seconds = [next(intervals) for _ in range(10)]
    assert seconds[0] == 0.5
    assert seconds == sorted(seconds)
    assert seconds[-1] == 5.0


async def test_waiting_for_a_job() -> None:
    """A job is looked at until it has ended, with pauses between."""
    clock = MovedClock()
    wire, job = await accepted(running("ENQUEUED"), running(), DONE, clock=clock)
    assert repr(job) == "AsyncJob(id='aa_1')"
    reports: list[str | None] = []
    action = await job.wait(on_progress=lambda a: reports.append(a.status))
    assert action.status == "DONE"
    assert reports == ["ENQUEUED", "IN_PROGRESS", "DONE"]
    assert clock.slept == [0.5, 0.75]
    assert wire.targets[1:] == ["/v1/async-actions/aa_1"] * 3


async def test_progress_may_be_async() -> None:
    """An async progress function is awaited."""
    _, job = await accepted(running(), DONE)
    reports: list[int | None] = []

    async def note(action: v.AsyncAction) -> None:
        reports.append(action.progress)

    await job.wait(on_progress=note)
    assert reports == [50, None]


async def test_error_in_progress_ends_the_wait() -> None:
    """An error of the progress function is the caller's."""
    _, job = await accepted(running())

    def fail(action: v.AsyncAction) -> None:
        raise KeyError(action.id)

    with pytest.raises(KeyError):
        await job.wait(on_progress=fail)


async def test_one_look() -> None:
    """status() looks once."""
    wire, job = await accepted(running())
    assert (await job.status()).progress == 50
    assert len(wire.requests) == 2


@pytest.mark.parametrize(("timeout", "looks"), [(0, 1), (0.5, 2), (3, 5)])
async def test_wait_has_an_end(timeout: float, looks: int) -> None:  # noqa: ASYNC109
    """A wait that runs out raises with what was seen last; the last look is at its very end."""
    clock = MovedClock()
    wire, job = await accepted(running(), clock=clock)
    with pytest.raises(v.WaitTimeoutError, match="aa_1 had not ended") as caught:
        await job.wait(timeout=timeout)
    assert isinstance(caught.value, TimeoutError)
    assert caught.value.id == "aa_1"
    assert isinstance(caught.value.last, v.AsyncAction)
    assert sum(clock.slept) == timeout
    assert len(wire.requests) == 1 + looks


async def test_status_that_nobody_knows() -> None:
    """A status of a later API is waited on for ten minutes where there is no timeout."""
    clock = MovedClock()
    _, job = await accepted(running("ARCHIVED"), clock=clock)
    with pytest.raises(v.WaitTimeoutError, match=r"last status: ARCHIVED"):
        await job.wait()
    assert sum(clock.slept) == 600


async def test_answer_without_a_status() -> None:
    """A job without a status cannot be waited for, and is not taken as running."""
    _, job = await accepted({"id": "aa_1"})
    with pytest.raises(v.ResponseValidationError, match=r"\$\.status"):
        await job.wait()


async def test_another_job_than_the_one_asked_for() -> None:
    """An answer about another job is not taken for this one's end."""
    _, job = await accepted({**DONE, "id": "aa_2", "object": "async_action"})
    with pytest.raises(v.ResponseValidationError, match="asked for"):
        await job.wait()


async def test_done_with_failures_is_an_end() -> None:
    """DONE with failed items returns, and raises only where that was asked for."""
    _, job = await accepted({**DONE, "result": RESULT})
    action = await job.wait()
    assert action.has_failures
    assert action.result is not None
    assert action.result.failed == (v.AsyncActionFailure(code="B", reason="taken"),)
    with pytest.raises(v.AsyncActionFailedError) as caught:
        await job.wait(raise_on_failed=True)
    assert caught.value.action == action
    assert str(caught.value) == (
        "VOUCHERS.IMPORT aa_1 ended DONE: 1 done, 1 failed; first: B: taken"
    )


@pytest.mark.parametrize(
    ("action", "text"),
    [
        ({"id": "aa_1", "type": "T", "status": "FAILED"}, "T aa_1 ended FAILED"),
        ({**DONE, "operation_status": "FAILED", "result": None}, "VOUCHERS.IMPORT aa_1 ended DONE"),
        (
            {**DONE, "result": {"errors": [{"code": "A"}], "failed_count": None}},
            "VOUCHERS.IMPORT aa_1 ended DONE: 0 done, 0 failed",
        ),
        (
            {**DONE, "result": {"failed": {"source_id": "s", "reason": "r"}}},
            "VOUCHERS.IMPORT aa_1 ended DONE: 0 done, 0 failed; first: s: r",
        ),
    ],
)
async def test_kinds_of_failure(action: dict[str, Any], text: str) -> None:
    """A failure is seen in the status, in the counts and in the lists of items."""
    _, job = await accepted(action)
    with pytest.raises(v.AsyncActionFailedError) as caught:
        await job.wait(raise_on_failed=True)
    assert str(caught.value) == text


async def test_full_success_does_not_raise() -> None:
    """A job without failures never raises."""
    _, job = await accepted({**DONE, "result": {"done_count": 2, "failed_count": 0, "failed": []}})
    assert not (await job.wait(raise_on_failed=True)).has_failures


async def test_look_that_fails() -> None:
    """An error of a look is the caller's; the job can be waited for again."""
    _, job = await accepted(httpx.Response(404), DONE)
    with pytest.raises(v.NotFoundError):
        await job.wait()
    assert (await job.wait()).status == "DONE"


async def test_waiting_for_an_export() -> None:
    """An export is looked at until its file is there."""
    done = {"id": "exp_1", "status": "DONE", "result": {"url": "https://x.test/f"}}
    job = await exported({"id": "exp_1", "status": "IN_PROGRESS"}, done)
    assert repr(job) == "ExportJob(id='exp_1')"
    assert job.export.status == "SCHEDULED"
    assert (await job.status()).status == "IN_PROGRESS"
    reports: list[str | None] = []
    export = await job.wait(on_progress=lambda e: reports.append(e.status))
    assert export.result is not None
    assert export.result.url == "https://x.test/f"
    assert reports == ["DONE"]


async def test_export_that_fails() -> None:
    """An export that ends in ERROR raises."""
    job = await exported({"id": "exp_1", "status": "ERROR"})
    with pytest.raises(v.ExportFailedError, match="exp_1") as caught:
        await job.wait()
    assert caught.value.export.status == "ERROR"


async def test_export_that_takes_too_long() -> None:
    """A wait for an export has an end as well, also before a download."""
    job = await exported({"id": "exp_1", "status": "IN_PROGRESS"})
    with pytest.raises(v.WaitTimeoutError) as caught:
        await job.download("file.csv", timeout=2)
    assert isinstance(caught.value.last, v.Export)


@pytest.mark.parametrize(
    ("result", "told"),
    [
        ({"results": [{"code": "B", "found": False, "updated": False}]}, "0 done, 1 failed; .*B"),
        (
            {"results": [{"code": "A", "found": True, "updated": True}, {"code": "B"}]}
            | {"failed": {"code": "C", "reason": "taken"}},
            "first: C: taken",
        ),
        ({"results": [{"code": "B", "found": True, "updated": False}]}, "B: not changed"),
        ({"failed": {"code": "B", "reason": "taken"}, "done_count": 2}, "2 done.*B: taken"),
    ],
)
async def test_items_that_were_missed_are_failures(result: dict[str, Any], told: str) -> None:
    """A bulk result says of each item whether it was changed; one that was not is a failure."""
    _, job = await accepted({**DONE, "result": result})
    with pytest.raises(v.AsyncActionFailedError, match=told) as caught:
        await job.wait(raise_on_failed=True)
    assert caught.value.action.has_failures


async def test_items_that_were_all_changed_are_no_failure() -> None:
    """A bulk result whose items were all found and changed is a success."""
    items = [{"code": "A", "found": True, "updated": True}, {"code": "B"}]
    _, job = await accepted({**DONE, "result": {"results": items}})
    assert not (await job.wait(raise_on_failed=True)).has_failures
