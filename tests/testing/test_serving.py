from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

import voucherify_async.testing
from voucherify_async.testing import FakeVoucherify
from voucherify_async.testing.__main__ import main

from .conftest import KEYS

pytest_plugins = ["pytester"]
ROOT = Path(voucherify_async.testing.__file__).parents[2]


@pytest.mark.anyio
async def test_requests_are_recorded(api: httpx.AsyncClient, fake: FakeVoucherify) -> None:
    """What arrived is kept as it arrived."""
    await api.post("/v1/vouchers/a%2Fb?x=1&x=%C3%BC", json={"type": "GIFT_VOUCHER"})
    (request,) = fake.requests
    assert (request.method, request.path) == ("POST", "/v1/vouchers/a%2Fb")
    assert request.raw_query == "x=1&x=%C3%BC"
    assert request.query == [("x", "1"), ("x", "ü")]
    assert request.headers["x-app-id"] == "id"
    assert request.headers["X-App-Token"] == "token"
    assert request.json() == {"type": "GIFT_VOUCHER"}
    assert request.body == b'{"type":"GIFT_VOUCHER"}'
    silent = FakeVoucherify(record=False)
    async with silent:
        await silent.http_client().get("/v1/vouchers")
    assert silent.requests == []


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_many_requests_over_a_socket(fake: FakeVoucherify) -> None:
    """The loopback server answers many clients at once, with large bodies both ways."""
    fake.add_vouchers({"code": f"C{number}"} for number in range(200))
    items = [
        {
            "code": f"N{number}",
            "type": "GIFT_VOUCHER",
            "gift": {"amount": 1},
            "additional_info": "x" * 9000,
        }
        for number in range(1000)
    ]
    with fake.serve() as url:
        async with httpx.AsyncClient(base_url=url, headers=KEYS, timeout=60) as api:
            statuses: list[int] = []

            async def get(code: str) -> None:
                statuses.append((await api.get(f"/v1/vouchers/{code}")).status_code)

            async with anyio.create_task_group() as group:
                for number in range(200):
                    group.start_soon(get, f"C{number}")
            assert statuses == [200] * 200
            assert (await api.post("/v1/vouchers/import", json=items)).status_code == 202
            page = await api.get("/v1/vouchers", params={"limit": 100})
            assert len(page.content) > 900_000
            over = await api.post("/v1/vouchers/import", json=[*items, {"code": "x" * 2_000_000}])
            assert over.status_code == 413
    assert len(fake.vouchers) == 1200


@pytest.mark.anyio
async def test_export_link_leads_back_to_the_server(fake: FakeVoucherify) -> None:
    """The link to an export's file is under the origin that the client asked."""
    fake.polls_until_done = 0
    with fake.serve() as url:
        async with httpx.AsyncClient(headers=KEYS) as api:
            body = {"exported_object": "voucher"}
            export = (await api.post(f"{url}/v1/exports", json=body)).json()
            export = (await api.get(f"{url}/v1/exports/{export['id']}")).json()
            assert export["result"]["url"].startswith(f"{url}/v1/exports/")
            assert (await api.get(export["result"]["url"])).status_code == 200


def test_server_comes_and_goes(fake: FakeVoucherify) -> None:
    """A stopped server has left its port, and can be started again."""
    for _ in range(2):
        with fake.serve() as url:
            assert httpx.get(f"{url}/v1/vouchers", headers=KEYS).status_code == 200
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{url}/v1/vouchers")


def test_real_clock_is_the_default() -> None:
    """Without a clock of the test's own, the server lives in the present."""
    before = datetime.now(UTC)
    created = datetime.fromisoformat(FakeVoucherify().add_voucher()["created_at"])
    assert abs((created - before).total_seconds()) < 60


async def _post(fake: FakeVoucherify, scope: dict[str, Any], messages: list[Any]) -> list[Any]:
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    await fake.app({"query_string": b"", "headers": [], **scope}, receive, send)
    return sent


def test_bare_asgi_scopes(fake: FakeVoucherify) -> None:
    """Without a raw path the decoded one serves; half a request and a websocket get nothing."""
    scope = {"type": "http", "method": "POST", "path": "/v1/vouchers"}
    whole = [{"type": "http.request", "body": b""}]
    start, _ = anyio.run(_post, fake, scope, whole)
    assert start["status"] == 401
    half = [{"type": "http.request", "more_body": True}, {"type": "http.disconnect"}]
    assert anyio.run(_post, fake, scope, half) == []
    assert anyio.run(_post, fake, {"type": "websocket"}, []) == []


def test_lifespan_is_answered(fake: FakeVoucherify) -> None:
    """The application goes through the lifespan of an ASGI server."""
    sent: list[str] = []
    messages = iter(["lifespan.startup", "lifespan.shutdown"])

    async def receive() -> dict[str, str]:
        return {"type": next(messages)}

    async def send(message: object) -> None:
        assert isinstance(message, dict)
        sent.append(message["type"])

    anyio.run(fake.app, {"type": "lifespan"}, receive, send)
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_same_seed_gives_the_same_codes() -> None:
    """Two servers with the same seed make up the same codes."""
    first, second, third = (FakeVoucherify(seed=seed) for seed in (1, 1, 2))
    code = first.add_voucher()["code"]
    assert second.add_voucher()["code"] == code
    assert third.add_voucher()["code"] != code


def test_command_line_serves_until_interrupted() -> None:
    """The command prints where it serves and ends cleanly on Ctrl-C."""
    command = [sys.executable, "-m", "voucherify_async.testing", "--port", "0", "--vouchers", "3"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        assert run.stdout is not None
        assert run.stderr is not None
        lines = [run.stdout.readline().decode().strip() for _ in range(3)]
        settings = dict(line.split("=", 1) for line in lines)
        keys = {
            "X-App-Id": settings["VOUCHERIFY_APP_ID"],
            "X-App-Token": settings["VOUCHERIFY_APP_TOKEN"],
        }
        listed = httpx.get(f"{settings['VOUCHERIFY_BASE_URL']}/v1/vouchers", headers=keys).json()
        assert listed["total"] == 3
        run.send_signal(2)
        assert run.wait(10) == 0
        assert b"export" in run.stderr.readline()
        assert run.stderr.read() == b""


def test_command_line_prints_how_to_get_in(capsys: pytest.CaptureFixture[str]) -> None:
    """The three lines that are printed are the settings of a client."""

    def visit() -> None:
        settings = dict(line.split("=") for line in capsys.readouterr().out.split())
        assert list(settings) == [
            "VOUCHERIFY_BASE_URL",
            "VOUCHERIFY_APP_ID",
            "VOUCHERIFY_APP_TOKEN",
        ]
        raise KeyboardInterrupt

    assert main(["--port", "0", "--vouchers", "2"], wait=visit) == 0


def test_command_line_says_why_it_cannot_serve(
    fake: FakeVoucherify, capsys: pytest.CaptureFixture[str]
) -> None:
    """A port that is taken ends the command with one line."""
    with fake.serve() as url:
        port = url.rpartition(":")[2]
        with pytest.raises(SystemExit) as ended:
            main(["--port", port])
    assert ended.value.code == 1
    assert capsys.readouterr().err.startswith(f"cannot listen at 127.0.0.1:{port}: ")


def test_names_are_lazy() -> None:
    """The plugin loads nothing of the library, the package no server; a missing extra is named."""
    script = """
import sys
import pytest_voucherify_async
assert not [name for name in sys.modules if name.startswith("voucherify_async")]
import voucherify_async.testing
assert not {"starlette", "uvicorn", "python_multipart"} & set(sys.modules)
sys.modules["starlette"] = None
try:
    from voucherify_async.testing import FakeVoucherify
except ImportError as error:
    print(error)
"""
    command = [sys.executable, "-c", script]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True)
    assert 'pip install "voucherify-async[testing]"' in run.stdout
    assert "FakeVoucherify" in dir(voucherify_async.testing)
    with pytest.raises(AttributeError):
        voucherify_async.testing.Unknown  # noqa: B018


def test_fixture_gives_each_test_its_own(pytester: pytest.Pytester) -> None:
    """The fixture is a fresh server for every test."""
    pytester.makepyfile(
        """
        pytest_plugins = ["pytest_voucherify_async"]

        def test_one(fake_voucherify):
            fake_voucherify.add_voucher(code="A")

        def test_two(fake_voucherify):
            assert not fake_voucherify.vouchers
        """
    )
    pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:asyncio").assert_outcomes(
        passed=2
    )
