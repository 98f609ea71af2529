"""The commands and what they have in common."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated, Any, Final

import typer

from .. import __version__
from .commands.cards import balance, export_transactions, transactions
from .commands.checkout import redeem, redemptions, rollback, validate
from .commands.imports import import_
from .commands.jobs import jobs
from .commands.local import demo, serve
from .commands.vouchers import get, list_
from .exits import OK, USAGE, exit_code
from .terminal import PROGRAM, say

HELP: Final = """Work with the vouchers and redemptions of a Voucherify project.

Credentials are taken from the environment alone: VOUCHERIFY_APP_ID, VOUCHERIFY_APP_TOKEN, and
VOUCHERIFY_BASE_URL for another address than https://api.voucherify.io.

Results go to stdout, everything else to stderr. Money is in minor currency units (1050 is 10.50),
times are UTC.
"""
EXIT_CODES: Final = """\b
Exit codes:
  0    done
  1    a negative result: something does not exist, was refused, or was not wanted
  2    wrong usage or configuration, or a file that cannot be read or written
  3    the API or the connection failed
  4    unknown outcome: a write may or may not have happened; stderr says how to find out
  130  interrupted by Ctrl-C; stderr says how to go on
  141  the reader of the output went away
"""

_settings: Final[dict[str, Any]] = {
    "help_option_names": ["-h", "--help"],
    "max_content_width": 100,
}
app: typer.Typer = typer.Typer(
    name=PROGRAM,
    help=HELP,
    epilog=EXIT_CODES,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings=_settings,
)
_export = typer.Typer(help="Export data as CSV.", rich_markup_mode=None)
app.command("get", short_help="Look vouchers up, any number at once.")(get)
app.command("list", short_help="List vouchers.")(list_)
app.command("import", short_help="Import vouchers from a file of any size.")(import_)
# Otherwise -500 would be an option.
app.command(
    "balance",
    short_help="Add to the balance of a card, or take from it.",
    context_settings={"ignore_unknown_options": True},
)(balance)
app.command("transactions", short_help="List the transactions of a card.")(transactions)
app.add_typer(_export, name="export")
_export.command("transactions", short_help="Export the transactions of a card.")(
    export_transactions
)
app.command("validate", short_help="Ask what codes give for an order.")(validate)
app.command("redeem", short_help="Redeem codes for an order.")(redeem)
app.command("rollback", short_help="Take a redemption back.")(rollback)
app.command("redemptions", short_help="List redemptions and rollbacks.")(redemptions)
app.command("jobs", short_help="List background jobs, look at one, or wait for it.")(jobs)
app.command("demo", short_help="Run the main job against the embedded server.")(demo)
app.command("serve", short_help="Serve an embedded Voucherify.")(serve)


def _show_version(wanted: bool) -> None:  # noqa: FBT001 - the signature of an option's callback
    if wanted:
        sys.stdout.write(f"{PROGRAM} {__version__}\n")
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    pass


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: The command line; by default that of the process.

    Returns:
        The exit code.
    """
    for stream in (sys.stdout, sys.stderr):
        # Codes may hold what the terminal's encoding does not know.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    given = sys.argv[1:] if arguments is None else arguments
    return exit_code(lambda: _run(given or ["--help"]))


def _run(arguments: Sequence[str]) -> int:
    try:
        code = app(arguments, prog_name=PROGRAM, standalone_mode=False)
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        command = context.command_path if context else PROGRAM
        message = error.format_message().replace("Value error, ", "")
        say(f"{message.rstrip('.')}; see {command} --help")
        return USAGE
    return code if isinstance(code, int) else OK
