"""The scripts and the notebook, run as they say, against a server behind a port."""

from __future__ import annotations

import csv
import gzip
import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
import trio
from nbclient import NotebookClient

from examples import script, trio_script
from voucherify_async import PermissionDeniedError
from voucherify_async.testing import FakeVoucherify

from ..transport.wire import read_request, serving

ROOT = Path(__file__).parents[2]


def run(module: str, *arguments: str, given: str = "") -> str:
    """Run an example as a process of its own, and return what it printed."""
    command = [sys.executable, "-W", "error", "-m", f"examples.{module}", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, input=given, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.usefixtures("served")
def test_the_script_reports_each_code(fake: FakeVoucherify, tmp_path: Path) -> None:
    """A row a code: found, missing, or failed, which the exit code tells too."""
    fake.add_voucher(code="GIFT", gift={"amount": 300})
    fake.add_voucher(code="=1+1", active=False)
    codes, report = tmp_path / "codes.txt", tmp_path / "report.csv"
    codes.write_text("GIFT\n\n=1+1\nNONE\n")
    assert script.main(codes, report) == 0
    rows = {row["code"]: row for row in csv.DictReader(report.read_text().splitlines())}
    assert {code: row["status"] for code, row in rows.items()} == {
        "GIFT": "active",
        "'=1+1": "inactive",
        "NONE": "missing",
    }
    assert rows["GIFT"]["balance"] == "300"
    fake.faults.status(401, path="GIFT")
    assert script.main(codes, report) == 1
    assert "failed: 401" in report.read_text()


@pytest.mark.usefixtures("served")
def test_the_script_on_trio_disables_a_category(fake: FakeVoucherify) -> None:
    """Each of its vouchers, and none of another; what fails is named and stops no other."""
    fake.add_vouchers({"code": f"C-{n}", "category": "old"} for n in range(120))
    fake.add_voucher(code="KEPT", category="new")
    fake.faults.status(401, path="C-7/disable")
    failed = trio.run(trio_script.main, "old")
    assert list(failed) == ["C-7"]
    active = [code for code, voucher in fake.vouchers.items() if voucher["active"]]
    assert sorted(active) == ["C-7", "KEPT"]


@pytest.mark.usefixtures("served")
def test_spans_are_printed(fake: FakeVoucherify) -> None:
    """Each call is a span within the checkout's, with its route and without the code."""
    fake.add_voucher(code="S3CR3T", discount={"type": "PERCENT", "percent_off": 10})
    printed = run("opentelemetry_spans", "S3CR3T")
    spans = [json.loads(text + "}") for text in printed.split("\n}\n") if text]
    names = [span["name"] for span in spans]
    assert names == ["validations.validate", "redemptions.redeem", "checkout"]
    assert [span["parent_id"] for span in spans[:2]] == [spans[2]["context"]["span_id"]] * 2
    assert spans[1]["attributes"]["url.template"] == "/v1/redemptions"
    assert "S3CR3T" not in printed


@pytest.mark.usefixtures("served")
@pytest.mark.parametrize("fake", [FakeVoucherify(app_token="S3CR3T-token")])
def test_sentry_hears_of_attempts_and_errors(
    fake: FakeVoucherify, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A span an attempt, the trace on the wire, one error event, and no token or code in them."""
    fake.add_voucher(code="S3CR3T-1")
    fake.faults.status(502, headers={"Retry-After": "0"}, path="S3CR3T-1")
    fake.faults.status(403, path="S3CR3T-2")
    sent: list[bytes] = []

    def sentry(connection: socket.socket) -> None:
        while request := read_request(connection):
            sent.append(request)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    with serving(sentry) as address:
        monkeypatch.setenv("SENTRY_DSN", f"http://key@{address}/1")
        assert run("sentry_errors", given="S3CR3T-1\nS3CR3T-NONE\nS3CR3T-2\n") == ""
    envelopes = [_envelope(request) for request in sent]
    events = [part for parts in envelopes for part in parts if isinstance(part, dict)]
    (failure,) = [event for event in events if "exception" in event]
    assert failure["exception"]["values"][-1]["type"] == PermissionDeniedError.__name__
    assert "voucherify.request_id" in failure["tags"]
    (transaction,) = [event for event in events if "spans" in event]
    spans = [span for span in transaction["spans"] if span["op"] == "http.client"]
    assert len(spans) == len(fake.requests) == 4
    assert {span["description"].rpartition("/")[2] for span in spans} == {"{code}"}
    traces = {request.headers["sentry-trace"].partition("-")[0] for request in fake.requests}
    assert traces == {transaction["contexts"]["trace"]["trace_id"]}
    told = json.dumps(envelopes)
    assert "S3CR3T" not in told


def _envelope(request: bytes) -> list[Any]:
    head, _, body = request.partition(b"\r\n\r\n")
    if b"gzip" in head.lower():
        body = gzip.decompress(body)
    return [json.loads(line) for line in body.splitlines() if line]


@pytest.mark.usefixtures("served")
def test_the_notebook_runs(fake: FakeVoucherify) -> None:
    """Every cell runs in a kernel, and shows what it says."""
    fake.add_voucher(code="SAVE-000000", discount={"type": "PERCENT", "percent_off": 10})
    fake.add_voucher(code="GIFT-000001", gift={"amount": 300})
    read: Any = nbformat.read  # has no types
    notebook = read(ROOT / "examples" / "notebook.ipynb", as_version=4)
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    shown = [
        output["data"]["text/plain"]
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if output["output_type"] == "execute_result"
    ]
    assert "PercentDiscount" in shown[0]
    assert "'NO-SUCH-CODE': 'NotFoundError'" in shown[1]
    assert shown[3] == "4500"
