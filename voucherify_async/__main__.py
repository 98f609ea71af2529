"""`python -m voucherify_async demo`, also as the command `voucherify-async`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from .demo import run


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: The command line; by default that of the process.

    Returns:
        The exit status.
    """
    parser = argparse.ArgumentParser(prog="voucherify-async", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("demo", help="run the main job against the embedded server")
    parser.parse_args(arguments)
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
