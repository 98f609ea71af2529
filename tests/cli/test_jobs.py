from __future__ import annotations

import json
import signal
from pathlib import Path

from voucherify_async.testing import FakeVoucherify

from .conftest import TIMEOUT, Call, Command
from .support import wait_for


def import_some(call: Call) -> str:
    """Import a voucher that is new and one that exists; the job's id."""
    Path("in.csv").write_text("Code,Voucher Type,Value\nNEW,GIFT_VOUCHER,1\nCARD,GIFT_VOUCHER,1\n")
    return str(json.loads(call("import", "in.csv", "--output", "json").out)["job_ids"][0])


def test_jobs_are_listed_and_shown(call: Call) -> None:
    """`jobs` lists jobs; one with failures is shown with them, and is exit code 1."""
    assert call("jobs").err == "voucherify-async: there are no jobs\n"
    job_id = import_some(call)
    (line,) = call("jobs", "--output", "jsonl").lines
    assert json.loads(line)["id"] == job_id
    for arguments in (["jobs", job_id], ["jobs", job_id, "--wait"]):
        ended = call(*arguments)
        assert ended.code == 1
        assert any(line.startswith("CARD: ") for line in ended.lines)
        assert "failed    1" in ended.lines
    assert call("jobs", "aa_none").code == 1


def test_an_interrupted_wait_says_how_to_go_on(
    call: Call, command: Command, fake: FakeVoucherify
) -> None:
    """Ctrl-C while waiting is exit code 130, and says that the job goes on."""
    job_id = import_some(call)
    stall = fake.faults.stall(path=job_id)
    process = command.start("jobs", job_id, "--wait")
    wait_for(lambda: stall.waiting)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=TIMEOUT)
    stall.release()
    assert (process.returncode, out) == (130, "")
    assert err.endswith(
        f"goes on at Voucherify; wait again with: voucherify-async jobs --wait -- {job_id}\n"
    )


def test_an_empty_record_is_no_traceback(call: Call, fake: FakeVoucherify) -> None:
    """A job of which the API tells nothing ends in a line, and not in a traceback."""
    fake.faults.status(200, body={"object": "async_action"}, path="async-actions/aa_1")
    ended = call("jobs", "aa_1")
    assert ended.out == ""
    assert len(ended.err.splitlines()) == 1
