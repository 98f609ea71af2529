"""`demo` and `serve`: what needs no account."""

from __future__ import annotations

from typing import Annotated

import typer

from ..exits import INTERRUPTED, OK, USAGE, CommandError, guarded


@guarded
def demo() -> int:
    """Run the main job against the embedded server: an import, lookups, a listing, money."""
    from ...testing.demo import run

    try:
        run()
    except ImportError as error:
        raise CommandError(str(error), USAGE) from error
    except KeyboardInterrupt:
        raise CommandError("interrupted; nothing outlives the demo", INTERRUPTED) from None
    return OK


@guarded
def serve(
    *,
    host: Annotated[str, typer.Option(help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The port; 0 takes a free one.")
    ] = 8000,
    vouchers: Annotated[int, typer.Option(min=0, help="How many vouchers to start with.")] = 0,
) -> int:
    """Serve an embedded Voucherify, which forgets everything at its end, until Ctrl-C."""
    try:
        from ...testing.__main__ import main

        return main(["--host", host, "--port", str(port), "--vouchers", str(vouchers)])
    except SystemExit:
        # It has said why on stderr.
        raise typer.Exit(USAGE) from None
