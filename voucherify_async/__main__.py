"""`python -m voucherify_async`, also as the command `voucherify-async`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib.util import find_spec

from ._version import __version__

_HINT = 'the other commands need: pip install "voucherify-async[cli]"'


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: The command line; by default that of the process.

    Returns:
        The exit code; `voucherify-async --help` tells what each means.
    """
    if find_spec("typer") is None or find_spec("rich") is None:
        return _main_without_extra(arguments)
    from .cli.app import main as run

    return run(arguments)


def _main_without_extra(arguments: Sequence[str] | None) -> int:
    parser = argparse.ArgumentParser(prog="voucherify-async", description=__doc__, epilog=_HINT)
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    parser.add_argument("command", choices=["demo"], help="run the main job, without an account")
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given:
        parser.error(f"a command is missing: demo, or one of many; {_HINT}")
    if not given[0].startswith("-") and given[0] != "demo":
        parser.error(f"{given[0]}: {_HINT}")
    parser.parse_args(given)
    from .testing.demo import run

    try:
        run()
    except ImportError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; nothing outlives the demo\n")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
