from __future__ import annotations

import csv
import io
import json
import re
import shlex
import signal
from pathlib import Path

from voucherify_async.testing import FakeVoucherify

from .conftest import TIMEOUT, Call, Command
from .support import Terminal, sent, wait_for


def held(fake: FakeVoucherify) -> int:
    """What the card holds."""
    return int(fake.vouchers["CARD"]["gift"]["balance"])


def test_balance_adds_and_takes(call: Call, fake: FakeVoucherify) -> None:
    """`balance` adds whole minor units, and takes those below zero, as is or after --."""
    added = call("balance", "CARD", "250", "--reason", "goodwill", "--source-id", "label-1")
    assert added.code == 0
    assert "balance    10250" in added.lines
    assert call("balance", "CARD", "-50").code == 0
    assert call("balance", "--reason", "r", "CARD", "--", "-100").code == 0
    assert held(fake) == 10_100
    first, *_ = fake.transactions("CARD")
    assert (first["reason"], first["source_id"]) == ("goodwill", "label-1")


def test_a_refused_update_is_an_api_error(call: Call, fake: FakeVoucherify) -> None:
    """What Voucherify refuses is exit code 3, a card that does not exist is 1; nothing changes."""
    assert call("balance", "CARD", "-10001").code == 3
    assert call("balance", "NO-SUCH", "5").code == 1
    assert call("transactions", "NO-SUCH").code == 1
    assert held(fake) == 10_000


def test_a_lost_answer_is_settled(call: Call, fake: FakeVoucherify) -> None:
    """Where the answer is lost, the update is found in the history, and not done twice."""
    fake.faults.lose_answer(method="POST")
    ended = call("balance", "CARD", "5")
    assert (ended.code, ended.err) == (0, "")
    assert "balance    10005" in ended.lines
    assert held(fake) == 10_005


def test_an_unknown_outcome_says_how_to_find_out(call: Call, fake: FakeVoucherify) -> None:
    """What cannot be settled is exit code 4 and one line, with the command that finds out."""
    fake.faults.lose_answer(method="POST")
    fake.faults.status(403, path="transactions", times=None)
    ended = call("balance", "CARD", "5")
    assert (ended.code, ended.out) == (4, "")
    assert len(ended.err.splitlines()) == 1
    assert held(fake) == 10_005
    fake.faults.clear()
    _, _, advice = ended.err.partition("find out with: voucherify-async ")
    found = call(*shlex.split(advice))
    assert found.code == 0
    assert "amount     5" in found.lines


def test_an_interrupted_update_says_how_to_find_out(command: Command, fake: FakeVoucherify) -> None:
    """Ctrl-C during an update is exit code 130, and tells how to find out what became of it."""
    stall = fake.faults.stall(at="before", method="POST")
    process = command.start("balance", "CARD", "5")
    wait_for(lambda: stall.waiting)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=TIMEOUT)
    stall.release()
    assert (process.returncode, out) == (130, "")
    assert re.search(
        r"may or may not .* find out with: voucherify-async transactions .* CARD$", err
    )


def test_money_moves_on_a_terminal_only_after_a_yes(command: Command, fake: FakeVoucherify) -> None:
    """On a terminal `balance` says what the card holds and asks; without a yes nothing is sent."""
    for answer, code in (("n", 1), ("y", 0)):
        with Terminal() as terminal:
            process = terminal.start(command, "balance", "CARD", "-500")
            terminal.read_to(r"CARD holds 10000 of 10000\. Shall I take 500\? \[y/N\] ")
            assert sent(fake, "POST") == []
            terminal.type(f"{answer}\n")
            terminal.read_all()
            assert process.wait(TIMEOUT) == code
    assert held(fake) == 9_500


def test_yes_asks_nothing(command: Command, fake: FakeVoucherify) -> None:
    """With --yes a terminal is not asked."""
    with Terminal() as terminal:
        process = terminal.start(command, "balance", "CARD", "1", "--yes")
        assert "[y/N]" not in terminal.read_all()
        assert process.wait(TIMEOUT) == 0
    assert held(fake) == 10_001


def test_transactions_are_listed_newest_first(call: Call) -> None:
    """`transactions` lists the newest first, says that there is more, and finds a label."""
    for number in (1, 2, 3):
        call("balance", "CARD", str(number), "--source-id", f"label-{number}")
    newest = call("transactions", "CARD", "--limit", "2", "--output", "jsonl")
    assert [json.loads(line)["source_id"] for line in newest.lines] == ["label-3", "label-2"]
    assert "--all" in newest.err
    oldest = call("transactions", "CARD", "--order", "id", "--all", "--output", "csv")
    rows = list(csv.DictReader(io.StringIO(oldest.out)))
    assert [(row["amount"], row["balance"]) for row in rows] == [
        ("1", "10001"),
        ("2", "10003"),
        ("3", "10006"),
    ]
    assert oldest.err == ""
    assert call("transactions", "CARD", "--source-id", "label-2").code == 0
    assert call("transactions", "CARD", "--source-id", "label-9").code == 1


def test_transactions_are_exported(call: Call) -> None:
    """`export transactions` writes the same CSV to stdout and to a file."""
    call("balance", "CARD", "7", "--source-id", "label")
    piped = call("export", "transactions", "CARD")
    assert [row["Amount"] for row in csv.DictReader(io.StringIO(piped.out))] == ["7"]
    ended = call("export", "transactions", "CARD", "-o", "out.csv")
    assert (ended.code, ended.out) == (0, "")
    assert Path("out.csv").read_bytes().decode() == piped.out
    assert call("export", "transactions", "NO-SUCH").code == 1


def test_an_empty_history_is_said(call: Call) -> None:
    """A card without transactions is said on stderr."""
    ended = call("transactions", "CARD")
    assert (ended.code, ended.out) == (0, "")
    assert ended.err == "voucherify-async: CARD: has no transactions\n"


def test_exports_run_no_formulas(call: Call) -> None:
    """An export is escaped for spreadsheets; --raw writes it as Voucherify did."""
    call("balance", "CARD", "-5", "--yes", "--reason", "=1+1")
    assert ",'=1+1," in call("export", "transactions", "CARD").out
    assert ",=1+1," in call("export", "transactions", "CARD", "--raw").out
    for raw in (), ("--raw",):
        call("export", "transactions", "CARD", "-o", "out.csv", *raw)
        piped = call("export", "transactions", "CARD", *raw).out
        assert Path("out.csv").read_bytes().decode().splitlines() == piped.splitlines()
