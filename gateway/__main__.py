"""The command ``gateway``; also ``python -m gateway``."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; ends the process with its exit code."""
    try:
        from gateway.cli.command import command
    except KeyboardInterrupt:  # the rooms take a second to load: an impatient Ctrl-C is no error
        sys.exit(130)
    command()


if __name__ == "__main__":
    main()
